package basket

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// Delta calls emit with every basket that a customer's change adds (sign +1)
// or takes away (−1): the difference of the orders in the two ledgers. An
// order is a basket while it has items and has been neither cancelled nor
// wholly refunded. What emit is given aliases the ledgers. Delta does not
// allocate, and costs a step an order.
func Delta(before, after *ledger.Ledger, emit func(items []uint64, sign int)) {
	b, a := before.Orders, after.Orders
	// Both are sorted by (Placed, Hash). An order that was moved is taken away
	// at its old place and added at its new one: the counts come out the same.
	for len(b) > 0 || len(a) > 0 {
		order := 0
		switch {
		case len(b) == 0:
			order = 1
		case len(a) == 0:
			order = -1
		default:
			order = compare(&b[0], &a[0])
		}
		var was, is []uint64
		if order <= 0 {
			was, b = of(before, &b[0]), b[1:]
		}
		if order >= 0 {
			is, a = of(after, &a[0]), a[1:]
		}
		if slices.Equal(was, is) {
			continue
		}
		if len(was) > 0 {
			emit(was, -1)
		}
		if len(is) > 0 {
			emit(is, +1)
		}
	}
}

// Each calls emit with every basket of a ledger, for building counts anew.
func Each(l *ledger.Ledger, emit func(items []uint64, sign int)) {
	for i := range l.Orders {
		if is := Of(l, i); len(is) > 0 {
			emit(is, +1)
		}
	}
}

func compare(a, b *ledger.Order) int {
	switch {
	case a.Placed != b.Placed && a.Placed < b.Placed, a.Placed == b.Placed && a.Hash < b.Hash:
		return -1
	case a.Placed == b.Placed && a.Hash == b.Hash:
		return 0
	}
	return 1
}

// Of is the basket of l.Orders[i]: nil where the order counts for none. It
// aliases the ledger.
func Of(l *ledger.Ledger, i int) []uint64 { return of(l, &l.Orders[i]) }

func of(l *ledger.Ledger, o *ledger.Order) []uint64 {
	if o.Placed == 0 || len(o.Items) == 0 {
		return nil
	}
	var back int64
	for i := range l.Adjustments {
		ad := &l.Adjustments[i]
		if ad.Order != o.Hash {
			continue
		}
		if ad.Kind != ledger.Refunded {
			return nil
		}
		back += int64(ad.Amount)
	}
	if net := int64(o.Amount.Sub(o.Discount)); back > 0 && back >= net {
		return nil
	}
	return o.Items
}
