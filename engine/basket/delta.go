package basket

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// Delta calls emit with every basket that a customer's change adds (sign +1)
// or takes away (−1): the difference of the orders in the two ledgers. An
// order is a basket while it has items and has been neither cancelled nor
// wholly refunded (ledger.Sale.InBasket). What emit is given aliases the
// ledgers. Delta does not allocate, and costs a step an order.
func Delta(before, after *ledger.Ledger, r *ledger.Rules, emit func(items []uint64, sign int)) {
	b, a := walk{Sales: before.Sales(r)}, walk{Sales: after.Sales(r)}
	b.step()
	a.step()
	// Both walks are sorted by (Placed, Hash). An order that was moved is taken
	// away at its old place and added at its new one: the counts come out the
	// same.
	for b.on || a.on {
		order := compare(&b, &a)
		if order == 0 && slices.Equal(b.Items, a.Items) {
			b.step()
			a.step()
			continue
		}
		if order <= 0 {
			emit(b.Items, -1)
			b.step()
		}
		if order >= 0 {
			emit(a.Items, +1)
			a.step()
		}
	}
}

// Each calls emit with every basket of a ledger, for building counts anew.
func Each(l *ledger.Ledger, r *ledger.Rules, emit func(items []uint64, sign int)) {
	w := walk{Sales: l.Sales(r)}
	for w.step(); w.on; w.step() {
		emit(w.Items, +1)
	}
}

// walk stands at one basket of a ledger after the other.
type walk struct {
	ledger.Sales
	on bool // false: behind the last one
}

func (w *walk) step() {
	for w.on = w.Next(); w.on && !(w.InBasket && len(w.Items) > 0); {
		w.on = w.Next()
	}
}

// compare says which walk stands at the earlier basket: −1 a, +1 b, 0 both at
// the same. The end is later than everything.
func compare(a, b *walk) int {
	if a.on && b.on {
		return cmp.Or(cmp.Compare(a.Placed, b.Placed), cmp.Compare(a.Hash, b.Hash))
	}
	if a.on {
		return -1
	}
	return 1
}
