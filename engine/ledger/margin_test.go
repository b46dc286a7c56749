package ledger

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

const mostMicro = event.Micro(1<<63 - 1)

// micro draws small and large amounts, and the limit.
func micro() *rapid.Generator[event.Micro] {
	return rapid.OneOf(
		rapid.Map(rapid.Int64Range(0, 3), func(v int64) event.Micro { return event.Micro(v) }),
		rapid.Map(rapid.Int64Min(0), func(v int64) event.Micro { return event.Micro(v) }),
		rapid.Just(mostMicro),
	)
}

func TestScaleAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, a, b := micro().Draw(t, "v"), micro().Draw(t, "a"), max(1, micro().Draw(t, "b"))
		want := new(big.Int).Mul(big.NewInt(int64(v)), big.NewInt(int64(a)))
		want.Add(want, big.NewInt(int64(b)/2))
		want.Div(want, big.NewInt(int64(b)))
		if !want.IsInt64() {
			want.SetInt64(int64(mostMicro))
		}
		require.Equal(t, want.Int64(), int64(scale(v, a, b)))
	})
}

// The margin is never more than what was kept, never less than −cost, and that
// of the whole order where nothing was given back.
func TestMarginBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Order{Amount: micro().Draw(t, "amount"), Discount: micro().Draw(t, "discount"), Cost: micro().Draw(t, "cost"), Costed: true}
		net := o.net()
		require.Equal(t, o.Cost, o.costKept(net, &tally{}))
		returned := micro().Draw(t, "returned")
		kept := max(0, net.Sub(returned))
		cost := o.costKept(kept, &tally{returned: returned})
		require.True(t, 0 <= cost && cost <= o.Cost)
		require.Equal(t, refCostKept(&o, kept, returned > 0), cost)
		if returned > 0 && kept == 0 {
			require.Zero(t, cost, "what was all given back cost nothing")
		}
	})
}

func TestCostOf(t *testing.T) {
	line := func(cost, quantity event.Micro) event.Item {
		return event.Item{ID: "a", Cost: cost, HasCost: true, Quantity: quantity}
	}
	for _, c := range []struct {
		name   string
		items  []event.Item
		sum    event.Micro
		costed bool
	}{
		{"no lines", nil, 0, false},
		{"a line without", []event.Item{line(3, event.One), {ID: "b", Quantity: event.One}}, 0, false},
		{"free", []event.Item{line(0, event.One)}, 0, true},
		{"the same article twice", []event.Item{line(3_000_000, event.One), line(2_500_000, 2*event.One)}, 8_000_000, true},
		{"half of a thing, rounded up", []event.Item{line(3, event.One/2)}, 2, true},
		{"a line beyond the limit", []event.Item{line(mostMicro, 2*event.One)}, mostMicro, true},
		{"a sum beyond the limit", []event.Item{line(mostMicro, event.One), line(mostMicro, event.One)}, mostMicro, true},
		{"below zero", []event.Item{line(-5, event.One), line(5, -event.One)}, 0, true},
	} {
		sum, costed := costOf(c.items)
		require.Equal(t, c.sum, sum, c.name)
		require.Equal(t, c.costed, costed, c.name)
	}
}

// refCostKept is the cost of what was kept, by fractions.
func refCostKept(o *Order, kept event.Micro, returned bool) event.Micro {
	net := max(0, o.Amount-o.Discount)
	if net == 0 && returned {
		return 0
	}
	if net == 0 {
		return o.Cost
	}
	share := new(big.Rat).Mul(big.NewRat(int64(o.Cost), 1), big.NewRat(int64(kept), int64(net)))
	share.Add(share, big.NewRat(1, 2))
	return event.Micro(new(big.Int).Div(share.Num(), share.Denom()).Int64())
}
