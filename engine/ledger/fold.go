package ledger

import (
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

// foldOrders folds the orders at the head of the list whose instant F the
// horizon has passed, and says whether there were any. The orders after a
// retained one are all retained, and those placed before the horizon are all
// known, so F < h does not depend on what is still to come.
func (l *Ledger) foldOrders(h int64, r *Rules) bool {
	n := 0
	for ; len(l.Orders)-n > MaxOrders; n++ {
		o := l.Orders[n]
		until := max(l.Orders[n+MaxOrders].Placed, o.Placed+r.Lateness)
		if len(l.Orders)-n > HardOrders {
			until = never
		} else if until >= h {
			break
		}
		l.foldOrder(&o, until, r)
		l.promote(o.Hash)
	}
	l.Orders = slices.Delete(l.Orders, 0, n)
	return n > 0
}

// foldOrder adds an order, with what was said of it until an instant, to the
// sums, and drops the statements.
func (l *Ledger) foldOrder(o *Order, until int64, r *Rules) {
	sum := l.tally(o, until, r)
	c := *l.content(o, until, r)
	if len(l.Pending) > 0 {
		l.Pending = slices.DeleteFunc(l.Pending, func(p Order) bool { return p.Hash == o.Hash && p.said() <= until })
	}
	if len(l.Adjustments) > 0 {
		l.Adjustments = slices.DeleteFunc(l.Adjustments, func(a Adjustment) bool {
			return a.Order == o.Hash && a.Time <= until && a.of(o.Placed, r)
		})
	}
	if sum.cancelled {
		return
	}
	f, net := &l.Fold, c.net()
	f.Orders++
	f.Amount = f.Amount.Add(c.Amount)
	f.Discount = f.Discount.Add(min(c.Discount, c.Amount))
	if sum.whole {
		sum.returned = net
	}
	returned := min(sum.returned, net)
	f.Returned = f.Returned.Add(returned)
	if c.Costed {
		f.Cost = f.Cost.Add(c.costKept(net-returned, &sum))
		f.CostedNet = f.CostedNet.Add(net - returned)
	}
	f.occasion(r.Calendar.Day(o.Placed))
}

// occasion adds a purchase day; they come in ascending order.
func (f *Fold) occasion(day int32) {
	switch {
	case f.Occasions == 0:
		f.FirstDay = day
	case day <= f.LastDay:
		return
	default:
		f.LnGaps += lnGap(day - f.LastDay)
	}
	f.LastDay = day
	f.Occasions++
}

// lnGap is ln(days) in 1e-9, an integer so that sums do not depend on their order.
func lnGap(days int32) int64 { return int64(math.Round(math.Log(float64(days)) * 1e9)) }

// net is what the customer paid before refunds, at least 0.
func (o *Order) net() event.Micro { return max(0, o.Amount.Sub(o.Discount)) }

// promote makes the earliest waiting placing of a hash an order: the one it
// would have been a repeat of is gone.
func (l *Ledger) promote(hash uint64) {
	for i := range l.Pending {
		if p := l.Pending[i]; p.Hash == hash && p.Placed != 0 {
			l.Pending = slices.Delete(l.Pending, i, i+1)
			l.insert(p)
			return
		}
	}
}

// settlePending lets go of what need not wait any longer: placings that repeat
// an order, updates that nothing can come between any more, and updates whose
// order never came.
func (l *Ledger) settlePending(h int64, r *Rules, eff *Effect) {
	n := len(l.Pending)
	l.Pending = slices.DeleteFunc(l.Pending, func(p Order) bool { return l.settled(&p, h, r) })
	for len(l.Pending) > MaxPending {
		m := l.oldestPending()
		l.settled(&l.Pending[m], never, r)
		l.Pending = slices.Delete(l.Pending, m, m+1)
		eff.orders()
	}
	if len(l.Pending) != n {
		eff.Changed = true
	}
}

// settled says whether a pending statement is done with at a horizon; an update
// is joined with its order then.
func (l *Ledger) settled(p *Order, h int64, r *Rules) bool {
	if p.said() >= h || p.Placed != 0 {
		return p.said() < h
	}
	i := l.find(p.Hash)
	if i < 0 || l.Orders[i].Placed > p.Revised+r.Lateness {
		return p.Revised+r.Lateness < h
	}
	if l.Orders[i].Placed >= h {
		return false
	}
	l.Orders[i].take(p)
	return true
}
