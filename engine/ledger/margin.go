package ledger

import (
	"math"
	"math/bits"

	"github.com/dangol-dev/dangol/engine/event"
)

// costOf is Σ cost × quantity of an order's lines, held at the limit of int64,
// and whether every line carries a cost. Numbers below zero, which the decoder
// refuses, count as zero.
func costOf(items []event.Item) (sum event.Micro, costed bool) {
	for i := range items {
		it := &items[i]
		if !it.HasCost {
			return 0, false
		}
		sum = sum.Add(scale(max(0, it.Cost), max(0, it.Quantity), event.One))
	}
	return sum, len(items) > 0
}

// costKept is the part of the order's cost that belongs to what was kept of its
// net: what is given back takes its share of the cost with it. What was given
// away cost what it cost, unless that was given back, too.
func (o *Order) costKept(kept event.Micro, sum *tally) event.Micro {
	net := o.net()
	switch {
	case net == 0 && (sum.whole || sum.returned > 0):
		return 0
	case net == kept:
		return o.Cost
	}
	return scale(o.Cost, kept, net)
}

// scale is v·a/b rounded half up, held at the limit of int64; v, a ≥ 0, b > 0.
func scale(v, a, b event.Micro) event.Micro {
	if a == b {
		return v
	}
	hi, lo := bits.Mul64(uint64(v), uint64(a))
	lo, carry := bits.Add64(lo, uint64(b)/2, 0)
	hi += carry
	if hi >= uint64(b) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(b))
	return event.Micro(min(q, math.MaxInt64))
}
