package basket_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

var rules = ledger.Rules{Lateness: 24 * hourMS, Calendar: ledger.NewCalendar(time.UTC)}

// acts draws what a customer does with a few orders and articles, most of it
// later than what was before, some of it days late.
func acts() *rapid.Generator[event.Event] {
	return rapid.Custom(func(t *rapid.T) event.Event {
		e := event.Event{
			ID: strconv.Itoa(rapid.IntRange(1, 10_000).Draw(t, "id")),
			Type: rapid.SampledFrom([]event.Type{
				event.OrderCompleted, event.OrderCompleted, event.OrderCompleted, event.OrderCompleted, event.OrderUpdated,
				event.OrderRefunded, event.OrderCancelled, event.ProductViewed, event.ProductViewed,
			}).Draw(t, "type"),
			Time:    rapid.Int64Range(1, 40).Draw(t, "time") * 5 * hourMS / rapid.SampledFrom([]int64{1, 20}).Draw(t, "fine"),
			OrderID: strconv.Itoa(rapid.IntRange(1, 100).Draw(t, "order")),
			Amount:  10 * event.One, HasAmount: true,
			SessionID: rapid.SampledFrom([]string{"", "s", "t"}).Draw(t, "session"),
		}
		if rapid.IntRange(0, 50).Draw(t, "erased") == 7 {
			e.Type = event.ErasureRequested
		}
		switch e.Type {
		case event.OrderRefunded:
			e.Amount = event.Micro(rapid.Int64Range(1, 10).Draw(t, "back")) * event.One
			e.HasAmount = rapid.Bool().Draw(t, "part")
		case event.OrderCompleted, event.OrderUpdated, event.ProductViewed:
			for _, it := range someItems(t, 40, 4, "items") {
				e.Items = append(e.Items, event.Item{ID: strconv.FormatUint(it, 10), Quantity: event.One})
			}
		}
		return e
	})
}

func lived(events []event.Event) *ledger.Ledger {
	l := &ledger.Ledger{}
	for i := range events {
		l.Apply(&events[i], &rules)
	}
	return l
}

// rowsOf are the rows of a ledger by what they say, each with how often.
func rowsOf(s *basket.Source, l *ledger.Ledger) map[string]int {
	m := map[string]int{}
	s.Each(l, func(r *basket.Row, sign int) { m[fmt.Sprintf("%+v", *r)] += sign })
	return m
}

func source(window time.Duration) *basket.Source {
	cfg := plain()
	cfg.Window = window
	return basket.NewSource(cfg, &rules)
}

// What a change of a ledger gives is what leads from all rows of the one to all
// rows of the other.
func TestChangesLeadFromOneLedgerToTheOther(t *testing.T) {
	longest := 0
	check := func(t *rapid.T) {
		events := rapid.SliceOfN(acts(), rapid.SampledFrom([]int{1, 80}).Draw(t, "least"), 150).Draw(t, "events")
		from := len(events) - rapid.IntRange(0, len(events)).Draw(t, "changes")
		before, after := lived(events[:from]), lived(events)
		s, got := source(rapid.SampledFrom([]time.Duration{50 * time.Hour, 1000 * time.Hour}).Draw(t, "window")), map[string]int{}
		put := func(r *basket.Row, sign int) {
			key := fmt.Sprintf("%+v", *r)
			if got[key] += sign; got[key] == 0 {
				delete(got, key)
			}
		}
		s.Each(before, put)
		s.Orders(before, after, put)
		s.Views(before.Views, after.Views, put)
		require.Equal(t, rowsOf(s, after), got)
		s.Orders(after, &ledger.Ledger{}, put)
		s.Views(after.Views, nil, put)
		require.Empty(t, got)
		nothing := func(r *basket.Row, sign int) { t.Fatalf("%+d %+v", sign, *r) }
		s.Orders(after, after, nothing)
		s.Views(after.Views, after.Views, nothing)
		longest = max(longest, len(after.Orders))
	}
	for i := 0; i < 30 && longest <= 20; i++ {
		rapid.Check(t, check)
	}
	require.Greater(t, longest, 20)
}

// The counts of many ledgers, each changed event by event, are those of a scan.
func TestCountsKeepStepWithLedgers(t *testing.T) {
	total := 0.
	rapid.Check(t, func(t *rapid.T) {
		cfg := plain()
		cfg.Window, cfg.HalfLife = 50*time.Hour, rapid.SampledFrom([]time.Duration{0, 20 * time.Hour}).Draw(t, "half-life")
		c, scan, s := basket.New(cfg), basket.New(cfg), basket.NewSource(cfg, &rules)
		for range rapid.IntRange(1, 3).Draw(t, "customers") {
			before, after := &ledger.Ledger{}, &ledger.Ledger{}
			for _, e := range rapid.SliceOfN(acts(), 0, 40).Draw(t, "events") {
				after.Apply(&e, &rules)
				s.Orders(before, after, c.Apply)
				s.Views(before.Views, after.Views, c.Apply)
				before.Apply(&e, &rules)
			}
			s.Each(after, scan.Apply)
		}
		c.Advance(300 * hourMS)
		scan.Advance(300 * hourMS)
		var ids []uint64
		for _, n := range numbers {
			ids = append(ids, event.Hash(strconv.FormatUint(n, 10)))
		}
		want := tell(scan, ids)
		require.Equal(t, want, tell(c, ids))
		total += want.Total[basket.NextOrder]
	})
	require.Positive(t, total)
}

// order is an order_completed of items at an hour.
func order(id string, hour int64, items ...string) event.Event {
	e := event.Event{ID: id, Type: event.OrderCompleted, Time: hour * hourMS, OrderID: id, Amount: event.One, HasAmount: true}
	for _, it := range items {
		e.Items = append(e.Items, event.Item{ID: it, Quantity: event.One})
	}
	return e
}

// A customer's four sorts of evidence, as a transcript.
func TestEvidence(t *testing.T) {
	name := map[uint64]string{}
	for _, it := range []string{"a", "b", "c", "d"} {
		name[event.Hash(it)] = it
	}
	names := func(is []uint64) (s string) {
		var ns []string
		for _, it := range is {
			ns = append(ns, name[it])
		}
		slices.Sort(ns)
		for _, n := range ns {
			s += n
		}
		return s
	}
	view := func(at int64, session, item string) event.Event {
		return event.Event{ID: strconv.FormatInt(at, 10), Type: event.ProductViewed, Time: at, SessionID: session, Items: []event.Item{{ID: item}}}
	}
	l := lived([]event.Event{
		order("1", 10, "a", "b"), order("2", 20, "a", "c"), order("3", 90, "d"), // the third: after more than 50 hours
		view(1000, "s", "a"), view(2000, "s", "b"), view(3000, "s", "c"), view(4000, "t", "d"),
		view(5000, "", "a"), view(5000+30*60_000, "", "b"), view(5001+60*60_000, "", "c"), // the last: a little too late
	})
	var got []string
	source(50*time.Hour).Each(l, func(r *basket.Row, sign int) {
		require.Equal(t, 1, sign)
		got = append(got, fmt.Sprintf("%s %s>%s", r.Kind, names(r.From), names(r.To)))
	})
	require.Equal(t, []string{
		"same_order >ab", "same_customer >ab",
		"same_order >ac", "next_order ab>ac", "same_customer ab>c",
		"same_order >d", "same_customer >d",
		"same_session a>b", "same_session b>c",
		"same_session d>a", "same_session a>b",
	}, got)
}

func TestWhichOrdersAreBaskets(t *testing.T) {
	placed := order("o", 1, "A", "B")
	placed.Amount, placed.Discount = 10*event.One, event.One
	later := func(kind event.Type, amount event.Micro) event.Event {
		return event.Event{
			ID: amount.String(), Type: kind, Time: 2 * hourMS, OrderID: "o", Amount: amount * event.One, HasAmount: amount > 0,
		}
	}
	count := func(events ...event.Event) (n int) {
		source(50*time.Hour).Each(lived(append([]event.Event{placed}, events...)), func(r *basket.Row, sign int) {
			if r.Kind == basket.SameOrder {
				require.Len(t, r.To, 2)
				n += sign
			}
		})
		return n
	}
	require.Equal(t, 1, count())
	require.Equal(t, 1, count(later(event.OrderRefunded, 8)), "some of it was kept")
	require.Zero(t, count(later(event.OrderRefunded, 4), later(event.OrderRefunded, 5)), "all that was paid was given back")
	require.Zero(t, count(later(event.OrderRefunded, 0)))
	require.Zero(t, count(later(event.OrderCancelled, 0)))
	require.Zero(t, count(later(event.ErasureRequested, 0)))
	placed.Items = nil
	require.Zero(t, count(), "nothing in it")
}

// What a customer has is looked for in the eight orders before, in no more than 24
// items, the latest first; so far, and no farther, does a refund reach.
func TestHowFarItIsLookedBack(t *testing.T) {
	var events []event.Event
	for i := range int64(30) {
		events = append(events, order(strconv.FormatInt(i, 10), 100+i, "a"+strconv.FormatInt(i, 10)))
	}
	refund := event.Event{ID: "r", Type: event.OrderRefunded, Time: 131 * hourMS, OrderID: "5"}
	before, after := lived(events), lived(append(slices.Clone(events), refund))
	s := source(1000 * time.Hour)
	want, n := rowsOf(s, after), 0
	got := rowsOf(s, before)
	s.Orders(before, after, func(r *basket.Row, sign int) {
		require.LessOrEqual(t, len(r.From), 8)
		key := fmt.Sprintf("%+v", *r)
		if got[key] += sign; got[key] == 0 {
			delete(got, key)
		}
		n++
	})
	require.Equal(t, want, got)
	require.Equal(t, 3+8*2*3, n, "three rows of the order, and those of the eight after it, taken away and added")

	name := map[uint64]int{}
	events = nil
	for i := range 4 {
		var ids []string
		for j := range 10 {
			id := fmt.Sprintf("%d/%d", i, j)
			ids, name[event.Hash(id)] = append(ids, id), i
		}
		events = append(events, order(strconv.Itoa(i), 100+int64(i), ids...))
	}
	var had [4]int
	s.Each(lived(events), func(r *basket.Row, sign int) {
		if r.Kind == basket.SameCustomer && name[r.To[0]] == 3 {
			require.True(t, slices.IsSorted(r.From))
			for _, it := range r.From {
				had[name[it]]++
			}
		}
	})
	require.Equal(t, [4]int{4, 10, 10, 0}, had)
}

// A long ledger costs no more rows than a short one, also where the oldest order
// folds, and no memory.
func TestChangesOfLongLedgersAreSmall(t *testing.T) {
	for _, long := range []int64{20, 200, ledger.MaxOrders} {
		var events []event.Event
		for i := range long {
			events = append(events, order(strconv.FormatInt(i, 10), 1000+i*25, "a", "b", strconv.FormatInt(i%7, 10)))
			e := event.Event{ID: "v" + strconv.FormatInt(i, 10), Type: event.ProductViewed, Time: i * 60_000, Items: []event.Item{{ID: strconv.FormatInt(i, 10)}}}
			events = append(events, e)
		}
		grown := func(more event.Event) (*ledger.Ledger, *ledger.Ledger) {
			return lived(events), lived(append(slices.Clone(events), more))
		}
		s, n := source(50*time.Hour), 0
		count := func(*basket.Row, int) { n++ }
		before, after := grown(order("new", 1000+long*25, "a", "z"))
		s.Orders(before, after, count)
		require.LessOrEqual(t, n, 3+2*3*9, "%d orders", long)
		require.GreaterOrEqual(t, n, 3)
		if long < ledger.MaxOrders {
			require.Equal(t, 3, n, "nothing folds")
		}
		require.Zero(t, testing.AllocsPerRun(10, func() { s.Orders(before, after, count) }))

		view := event.Event{ID: "v", Type: event.ProductViewed, Time: long * 60_000, Items: []event.Item{{ID: "z"}}}
		before, after = grown(view)
		n = 0
		s.Views(before.Views, after.Views, count)
		require.Equal(t, 2, n, "the row of the new view, and that which began with the oldest, which makes room")
		require.Zero(t, testing.AllocsPerRun(10, func() { s.Views(before.Views, after.Views, count) }))
	}
}
