package basket

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var rules = ledger.Rules{Lateness: time.Hour.Milliseconds(), Calendar: ledger.NewCalendar(time.UTC)}

// acts draws what happens to a few orders of a customer, some of it late.
func acts() *rapid.Generator[event.Event] {
	return rapid.Custom(func(t *rapid.T) event.Event {
		e := event.Event{
			Type: rapid.SampledFrom([]event.Type{
				event.OrderCompleted, event.OrderCompleted, event.OrderCompleted, event.OrderUpdated,
				event.OrderRefunded, event.OrderCancelled, event.ErasureRequested,
			}).Draw(t, "type"),
			Time:    rapid.Int64Range(1, 8).Draw(t, "time") * 20 * time.Minute.Milliseconds(),
			OrderID: strconv.Itoa(rapid.IntRange(1, 6).Draw(t, "order")),
			Amount:  10 * event.One, HasAmount: true,
		}
		e.ID = strconv.Itoa(rapid.IntRange(1, 1000).Draw(t, "id"))
		switch e.Type {
		case event.OrderRefunded:
			e.Amount = event.Micro(rapid.Int64Range(1, 10).Draw(t, "back")) * event.One
			e.HasAmount = rapid.Bool().Draw(t, "part")
		case event.OrderCompleted, event.OrderUpdated:
			for _, it := range baskets(6).Draw(t, "items") {
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

func TestDeltaLeadsFromOneLedgersCountsToTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(acts(), 1, 30).Draw(t, "events")
		from := rapid.IntRange(0, len(events)).Draw(t, "from")
		before, after := lived(events[:from]), lived(events)
		c, want := New(DefaultConfig()), New(DefaultConfig())
		Each(before, &rules, c.Apply)
		Delta(before, after, &rules, c.Apply)
		Each(after, &rules, want.Apply)
		require.Equal(t, read(want), read(c))
		Delta(after, &ledger.Ledger{}, &rules, c.Apply)
		require.Equal(t, read(New(DefaultConfig())), read(c))
		Delta(after, after, &rules, func(items []uint64, sign int) { t.Fatalf("%+d %v", sign, items) })
	})
}

func TestWhichOrdersAreBaskets(t *testing.T) {
	placed := event.Event{
		ID: "e", Type: event.OrderCompleted, Time: 1000, OrderID: "o", Amount: 10 * event.One, HasAmount: true,
		Discount: event.One, Items: []event.Item{{ID: "A"}, {ID: "B"}},
	}
	later := func(kind event.Type, amount event.Micro) event.Event {
		return event.Event{
			ID: amount.String(), Type: kind, Time: 2000, OrderID: "o", Amount: amount * event.One, HasAmount: amount > 0,
		}
	}
	count := func(events ...event.Event) (n int) {
		Each(lived(append([]event.Event{placed}, events...)), &rules, func(items []uint64, sign int) {
			require.Len(t, items, 2)
			require.Equal(t, 1, sign)
			n++
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

func TestDeltaDoesNotAllocate(t *testing.T) {
	before := &ledger.Ledger{Orders: []ledger.Order{{Hash: 1, Placed: 1, Items: []uint64{1, 2}}}}
	after := &ledger.Ledger{Orders: append(slices.Clone(before.Orders), ledger.Order{Hash: 2, Placed: 2, Items: []uint64{3, 4}})}
	c := New(DefaultConfig())
	apply := c.Apply
	Delta(before, after, &rules, apply)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		Delta(before, after, &rules, apply)
		Delta(after, before, &rules, apply)
	}))
}
