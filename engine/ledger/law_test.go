package ledger

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// world says what random events look like.
type world struct {
	events   int
	orders   int   // distinct order ids
	span     int   // distinct instants
	step     int64 // ms between them
	lateness int64
	erase    bool // one erasure, besides those among types
	zone     *time.Location
	types    []event.Type
}

const worldStart = 1_700_000_000_123

func (w *world) rules() Rules {
	return Rules{Lateness: w.lateness, Calendar: NewCalendar(w.zone)}
}

// make draws the events. Ids, order ids and instants are few, so that they meet.
func (w *world) make(rng *rand.Rand) []event.Event {
	channels := []string{"", "app", "web", "shop", strings.Repeat("long", 20), "c1", "c2", "c3", "c4", "c5", "c6"}
	events := make([]event.Event, w.events)
	for i := range events {
		e := event.Event{
			Type:      w.types[rng.IntN(len(w.types))],
			Time:      worldStart + int64(rng.IntN(w.span))*w.step,
			OrderID:   fmt.Sprint("o", rng.IntN(w.orders)),
			Channel:   channels[rng.IntN(len(channels))],
			Granted:   rng.IntN(2) == 0,
			SessionID: []string{"", "s1", "s2", "s3"}[rng.IntN(4)],
			Rating:    int8(rng.IntN(11)),
		}
		if rng.IntN(3) > 0 {
			e.ID = fmt.Sprint("e", rng.IntN(w.events))
		}
		if rng.IntN(20) == 0 {
			e.OrderID = ""
		}
		if e.Type == event.ErasureRequested && rng.IntN(8) > 0 {
			e.Type = event.OrderCompleted
		}
		if e.HasAmount = rng.IntN(3) > 0; e.HasAmount {
			e.Amount = event.Micro(rng.IntN(9)) * 4_990_000
		}
		if rng.IntN(3) == 0 {
			e.Discount = event.Micro(rng.IntN(9)) * 1_000_001
		}
		for range rng.IntN(4) {
			it := event.Item{ID: fmt.Sprint("i", rng.IntN(30)), Quantity: event.Micro(rng.IntN(4)) * event.One / 2}
			if it.HasCost = rng.IntN(6) > 0; it.HasCost {
				it.Cost = event.Micro(rng.IntN(5)) * 1_000_002 // halves of it are whole
			}
			e.Items = append(e.Items, it)
		}
		if rng.IntN(4) == 0 {
			e.Coupon = "SPRING"
		}
		events[i] = e
	}
	if w.erase {
		events[0].Type = event.ErasureRequested
	}
	return events
}

// arrival draws an order in which every event, and every repeat, is in time: one
// that is delayed by no more than the lateness meets no event later than that.
func (w *world) arrival(rng *rand.Rand, events []event.Event, repeats int) []event.Event {
	type delivery struct {
		at int64
		e  event.Event
	}
	var ds []delivery
	for _, e := range events {
		ds = append(ds, delivery{e.Time + rng.Int64N(w.lateness+1), e})
	}
	for range repeats {
		e := events[rng.IntN(len(events))]
		ds = append(ds, delivery{e.Time + rng.Int64N(w.lateness+1), e})
	}
	rng.Shuffle(len(ds), func(i, j int) { ds[i], ds[j] = ds[j], ds[i] })
	slices.SortStableFunc(ds, func(a, b delivery) int { return int(min(1, max(-1, a.at-b.at))) })
	var arrived []event.Event
	for _, d := range ds {
		arrived = append(arrived, d.e)
	}
	return arrived
}

// run applies events, sends the facts through their bytes now and then, and
// checks each Effect against the bytes. bounded: a hard bound was reached.
func run(t require.TestingT, events []event.Event, r *Rules, rng *rand.Rand, checked bool) (facts []byte, bounded bool) {
	l := new(Ledger)
	var before, after []byte
	before = l.AppendFacts(nil)
	for i := range events {
		last := l.Last
		e := events[i]
		eff := l.Apply(&e, r)
		if checked {
			after = l.AppendFacts(after[:0])
			require.Equal(t, !bytes.Equal(before, after), eff.Changed, "event %d: %+v %+v\n%+v", i, e, eff, l)
			require.Equal(t, e.Time < last-r.Lateness && e.Type != event.ItemUpdated, eff.Late)
			require.True(t, eff.Changed || !eff.Scores && !eff.Orders && !eff.Week)
			before, after = after, before
		}
		bounded = bounded || len(l.Pending) >= MaxPending || len(l.Orders) >= HardOrders ||
			len(l.Adjustments) >= MaxAdjustments || len(l.Marks) >= HardMarks
		if rng.IntN(8) == 0 {
			m := new(Ledger)
			after = l.AppendFacts(after[:0])
			require.NoError(t, DecodeFacts(after, m, nil), "%+v", l)
			require.True(t, bytes.Equal(after, m.AppendFacts(nil)))
			l = m
		}
	}
	return l.AppendFacts(nil), bounded
}

func diff(want, got *Ledger) string {
	return cmp.Diff(want, got, cmpopts.IgnoreUnexported(Ledger{}), cmpopts.EquateEmpty())
}

func drawWorld(t *rapid.T) world {
	w := world{
		events: rapid.IntRange(1, 80).Draw(t, "events"),
		orders: rapid.SampledFrom([]int{1, 3, 20}).Draw(t, "orders"),
		span:   rapid.SampledFrom([]int{1, 10, 100}).Draw(t, "span"),
		step:   rapid.SampledFrom([]int64{1, 1000, 3_600_000, 40_000_000}).Draw(t, "step"),
		types:  event.Types(),
	}
	w.lateness = w.step * int64(rapid.SampledFrom([]int{0, 1, 4, 30, 200}).Draw(t, "lateness"))
	w.zone = time.UTC
	if rapid.Bool().Draw(t, "zone") {
		w.zone = time.FixedZone("", -5*3600)
	}
	return w
}

// drawBusy is a world of many orders, so that they fold, and of what is said of
// them around that instant.
func drawBusy(t *rapid.T) world {
	w := world{
		events: rapid.IntRange(300, 900).Draw(t, "events"),
		orders: rapid.SampledFrom([]int{300, 500, 2000}).Draw(t, "orders"),
		span:   rapid.SampledFrom([]int{40, 600, 5000}).Draw(t, "span"),
		step:   rapid.SampledFrom([]int64{1, 3_600_000}).Draw(t, "step"),
	}
	for range 6 {
		w.types = append(w.types, event.OrderCompleted)
	}
	w.types = append(w.types, event.OrderUpdated, event.OrderRefunded, event.OrderCancelled)
	if rapid.Bool().Draw(t, "others") {
		w.types = append(w.types, event.ComplaintRaised, event.ReferralMade, event.ProductViewed)
	}
	w.erase = rapid.IntRange(0, 3).Draw(t, "erase") == 0
	w.lateness = w.step * int64(rapid.SampledFrom([]int{0, 1, 4, 30, 200}).Draw(t, "lateness"))
	if rapid.IntRange(0, 3).Draw(t, "dense") == 0 { // 256 orders within the lateness
		w.events, w.orders, w.span, w.lateness = 900, 2000, 150, 70*w.step
	}
	return w
}

func law(t *rapid.T, w world) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	events, r := w.make(rng), w.rules()
	want := reference(events, &r)
	bytes := want.AppendFacts(nil)
	for range 3 {
		got, bounded := run(t, w.arrival(rng, events, rng.IntN(len(events)+1)), &r, rng, false)
		if string(got) == string(bytes) {
			continue
		}
		if bounded {
			t.Skip("beyond a hard bound, where the law bends")
		}
		var l Ledger
		require.NoError(t, DecodeFacts(got, &l, nil))
		require.Empty(t, diff(want, &l), "facts differ (- reference, + applied)")
		require.Equal(t, bytes, got)
	}
}

// The order law: whatever the arrival order, the batching and the repeats, the
// facts are those of the reference, which knows no arrival order at all.
func TestOrderLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { law(t, drawWorld(t)) })
}

func TestOrderLawFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { law(t, drawBusy(t)) })
}

// Many rare events and orphans, so that their bounds are reached.
func TestOrderLawBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawBusy(t)
		w.events, w.orders = 400, 3000
		w.types = []event.Type{
			event.OrderRefunded, event.OrderCancelled, event.ComplaintRaised, event.ProductShared, event.ProductAdded,
			event.OrderRefunded, event.OrderCompleted,
		}
		w.lateness = min(w.lateness, w.step*int64(w.span)/20) // at most 256 marks may be unsettled
		law(t, w)
	})
}

// The sets that keep the latest: views, the cart, consents.
func TestOrderLawLatest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.types = []event.Type{event.ProductViewed, event.ProductAdded, event.ProductRemoved, event.ConsentUpdated}
		w.erase = rapid.IntRange(0, 3).Draw(t, "erase") == 0
		law(t, w)
	})
}

// Effect.Changed says whether the bytes differ, for events of any lateness too.
func TestEffectIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		switch rapid.IntRange(0, 5).Draw(t, "sort") {
		case 0:
			w = drawBusy(t)
			w.events = 400
		case 1:
			w.types = []event.Type{event.ProductAdded, event.ProductRemoved, event.ConsentUpdated, event.ProductShared}
		case 2: // orphans
			w.events, w.orders, w.lateness = 200, 200, 0
			w.types = []event.Type{event.OrderRefunded, event.OrderRefunded, event.OrderCompleted}
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		events, r := w.make(rng), w.rules()
		inTime := w.arrival(rng, events, 20)
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		run(t, append(inTime, events...), &r, rng, true)
	})
}
