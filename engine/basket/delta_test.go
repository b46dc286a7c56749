package basket

import (
	"cmp"
	"slices"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// ledgers draws a customer whose orders have few hashes and times, so that two
// of them overlap.
func ledgers() *rapid.Generator[*ledger.Ledger] {
	return rapid.Custom(func(t *rapid.T) *ledger.Ledger {
		l := &ledger.Ledger{}
		for _, h := range rapid.SliceOfNDistinct(rapid.Uint64Range(1, 12), 0, 8, rapid.ID).Draw(t, "orders") {
			l.Orders = append(l.Orders, ledger.Order{
				Hash: h, Placed: rapid.Int64Range(0, 3).Draw(t, "placed"), Amount: 10 * event.One,
				Items: baskets(6).Draw(t, "basket"),
			})
		}
		slices.SortFunc(l.Orders, func(a, b ledger.Order) int {
			return cmp.Or(cmp.Compare(a.Placed, b.Placed), cmp.Compare(a.Hash, b.Hash))
		})
		for i := range rapid.IntRange(0, 4).Draw(t, "adjustments") {
			l.Adjustments = append(l.Adjustments, ledger.Adjustment{
				Order: rapid.Uint64Range(1, 12).Draw(t, "order"), Event: uint64(i), Time: 5,
				Kind:   rapid.SampledFrom([]ledger.AdjustmentKind{ledger.Refunded, ledger.RefundedWholly, ledger.Cancelled}).Draw(t, "kind"),
				Amount: event.Micro(rapid.Int64Range(1, 10).Draw(t, "back")) * event.One,
			})
		}
		slices.SortFunc(l.Adjustments, func(a, b ledger.Adjustment) int {
			return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Event, b.Event))
		})
		return l
	})
}

func TestDeltaLeadsFromOneLedgersCountsToTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := ledgers().Draw(t, "before"), ledgers().Draw(t, "after")
		if rapid.Bool().Draw(t, "near") { // mostly one order differs
			after = &ledger.Ledger{Orders: slices.Clone(before.Orders), Adjustments: after.Adjustments}
		}
		c, want := New(DefaultConfig()), New(DefaultConfig())
		Each(before, c.Apply)
		Delta(before, after, c.Apply)
		Each(after, want.Apply)
		require.Equal(t, read(want), read(c))
	})
}

func TestDeltaOfTheSameIsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledgers().Draw(t, "ledger")
		Delta(l, l, func(items []uint64, sign int) { t.Fatalf("%+d %v", sign, items) })
	})
}

func TestWhichOrdersAreBaskets(t *testing.T) {
	order := func(adjust ...ledger.Adjustment) *ledger.Ledger {
		return &ledger.Ledger{
			Orders:      []ledger.Order{{Hash: 7, Placed: 1, Amount: 10 * event.One, Discount: event.One, Items: []uint64{1, 2}}},
			Adjustments: adjust,
		}
	}
	count := func(l *ledger.Ledger) (n int) {
		Each(l, func([]uint64, int) { n++ })
		return n
	}
	back := func(kind ledger.AdjustmentKind, amount event.Micro) ledger.Adjustment {
		return ledger.Adjustment{Order: 7, Time: 2, Kind: kind, Amount: amount * event.One}
	}
	require.Equal(t, 1, count(order()))
	require.Equal(t, 1, count(order(back(ledger.Refunded, 8))), "some of it was kept")
	require.Zero(t, count(order(back(ledger.Refunded, 4), back(ledger.Refunded, 5))), "all that was paid was given back")
	require.Zero(t, count(order(back(ledger.RefundedWholly, 0))))
	require.Zero(t, count(order(back(ledger.Cancelled, 0))))
	unplaced := order()
	unplaced.Orders[0].Placed = 0
	require.Zero(t, count(unplaced), "only updates of it are known")
	other := order(ledger.Adjustment{Order: 8, Kind: ledger.Cancelled})
	require.Equal(t, 1, count(other))
}

func TestDeltaDoesNotAllocate(t *testing.T) {
	before := &ledger.Ledger{Orders: []ledger.Order{{Hash: 1, Placed: 1, Items: []uint64{1, 2}}}}
	after := &ledger.Ledger{Orders: append(slices.Clone(before.Orders), ledger.Order{Hash: 2, Placed: 2, Items: []uint64{3, 4}})}
	c := New(DefaultConfig())
	apply := c.Apply
	Delta(before, after, apply)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		Delta(before, after, apply)
		Delta(after, before, apply)
	}))
}
