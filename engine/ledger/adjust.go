package ledger

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

func compareAdjustments(a, b Adjustment) int {
	if c := cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Time, b.Time)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Amount, b.Amount))
}

// same says whether two adjustments come from one event id about one order. Of
// these, only the first in the list counts.
func (a *Adjustment) same(b *Adjustment) bool { return a.Order == b.Order && a.Event == b.Event }

// of says whether a speaks of an order placed at an instant: it may come, by
// its own clock, before the order by the allowed lateness.
func (a *Adjustment) of(placed int64, r *Rules) bool { return placed <= a.Time+r.Lateness }

// adjust joins an order_refunded or an order_cancelled.
func (l *Ledger) adjust(e *event.Event, r *Rules, eff *Effect) {
	a := Adjustment{Order: OrderKey(e), Event: e.IDHash() & mask48, Time: e.Time, Kind: Cancelled, Amount: max(0, e.Amount)}
	if e.Type == event.OrderRefunded {
		a.Kind = Refunded
		if !e.HasAmount {
			a.Kind = RefundedWholly
		}
	}
	if !e.HasAmount {
		a.Amount = 0
	}
	at, found := slices.BinarySearchFunc(l.Adjustments, a, compareAdjustments)
	if found || eff.Late && l.repeated(&a, at, r) {
		return
	}
	l.Adjustments = slices.Insert(l.Adjustments, at, a)
	eff.orders()
}

// repeated says whether a late adjustment, to be inserted at an index, is a
// repeat of one known, or must be taken for one of what was let go.
func (l *Ledger) repeated(a *Adjustment, at int, r *Rules) bool {
	i := l.find(a.Order)
	if i >= 0 && a.of(l.Orders[i].Placed, r) {
		return l.repeats(a, at, l.Orders[i].Placed, r)
	}
	if i < 0 && l.forgot(a.Time) {
		return true
	}
	h := l.Last - r.Lateness
	if a.Time+r.Lateness >= h {
		return false
	}
	orphans := 0
	for j := range l.Adjustments {
		if b := &l.Adjustments[j]; l.orphan(b, h, r) {
			if !a.before(b) {
				return false
			}
			orphans++
		}
	}
	return orphans >= MaxOrphans
}

// repeats says whether one of the adjustments just before an index is of the
// same event and counts for an order placed at an instant.
func (l *Ledger) repeats(a *Adjustment, at int, placed int64, r *Rules) bool {
	for at--; at >= 0 && l.Adjustments[at].same(a); at-- {
		if l.Adjustments[at].of(placed, r) {
			return true
		}
	}
	return false
}

// orphan says whether no order of a is known and none can come in time.
func (l *Ledger) orphan(a *Adjustment, h int64, r *Rules) bool {
	if a.Time+r.Lateness >= h {
		return false
	}
	i := l.find(a.Order)
	return i < 0 || !a.of(l.Orders[i].Placed, r)
}

// before orders adjustments by (Time, Order, Event), the order in which they go.
func (a *Adjustment) before(b *Adjustment) bool {
	if a.Time != b.Time {
		return a.Time < b.Time
	}
	return compareAdjustments(*a, *b) < 0
}

// adjusting are the adjustments that name an order.
func (l *Ledger) adjusting(hash uint64) []Adjustment {
	if len(l.Adjustments) == 0 {
		return nil
	}
	from, _ := slices.BinarySearchFunc(l.Adjustments, hash, func(a Adjustment, hash uint64) int { return cmp.Compare(a.Order, hash) })
	to := from
	for to < len(l.Adjustments) && l.Adjustments[to].Order == hash {
		to++
	}
	return l.Adjustments[from:to]
}

// tally is what became of an order.
type tally struct {
	returned         event.Micro // Σ of the refunds that named an amount
	whole, cancelled bool
}

// tally adds up the adjustments of an order until an instant.
func (l *Ledger) tally(o *Order, until int64, r *Rules) tally {
	var sum tally
	as := l.adjusting(o.Hash)
	for i, counted := 0, -1; i < len(as); i++ {
		a := &as[i]
		if a.Time > until || !a.of(o.Placed, r) || counted >= 0 && as[counted].same(a) {
			continue
		}
		counted = i
		switch a.Kind {
		case Refunded:
			sum.returned = sum.returned.Add(a.Amount)
		case RefundedWholly:
			sum.whole = true
		case Cancelled:
			sum.cancelled = true
		}
	}
	return sum
}

// settleAdjustments drops settled repeats and lets the oldest orphans go. One
// becomes an orphan when the horizon passes its patience, so there are new ones
// only where that happened since before, or where something late came: what the
// folding of its order leaves over was said after F, so it has not been passed.
func (l *Ledger) settleAdjustments(before, h int64, r *Rules, eff *Effect) {
	crossed := eff.Late
	for i := 0; i < len(l.Adjustments); i++ {
		a := &l.Adjustments[i]
		if t := a.Time + r.Lateness; t < h && t >= before {
			crossed = true
		}
		if i == 0 || a.Time >= h || !a.same(&l.Adjustments[i-1]) {
			continue
		}
		if o := l.find(a.Order); o >= 0 && l.repeats(a, i, l.Orders[o].Placed, r) {
			l.Adjustments = slices.Delete(l.Adjustments, i, i+1)
			eff.Changed = true
			i--
		}
	}
	if crossed && len(l.Adjustments) > MaxOrphans {
		l.dropOrphans(h, r, eff)
	}
	for len(l.Adjustments) > MaxAdjustments {
		l.lose(l.oldest(func(*Adjustment) bool { return true }), eff)
	}
}

// dropOrphans lets all but the MaxOrphans latest orphans go.
func (l *Ledger) dropOrphans(h int64, r *Rules, eff *Effect) {
	n := 0
	for i := range l.Adjustments {
		if l.orphan(&l.Adjustments[i], h, r) {
			n++
		}
	}
	for ; n > MaxOrphans; n-- {
		l.lose(l.oldest(func(a *Adjustment) bool { return l.orphan(a, h, r) }), eff)
	}
}

// oldest is the index of the oldest adjustment among those that a condition takes.
func (l *Ledger) oldest(among func(*Adjustment) bool) int {
	m := -1
	for i := range l.Adjustments {
		if a := &l.Adjustments[i]; (m < 0 || a.before(&l.Adjustments[m])) && among(a) {
			m = i
		}
	}
	return m
}

// lose counts an adjustment off the list, against the folded orders: it speaks
// of one of these, or of an order that never came.
func (l *Ledger) lose(i int, eff *Effect) {
	if a := &l.Adjustments[i]; a.Kind == Refunded || a.Kind == Cancelled {
		l.Fold.Returned = l.Fold.Returned.Add(a.Amount)
	}
	l.Fold.Orphans++
	l.Adjustments = slices.Delete(l.Adjustments, i, i+1)
	eff.orders()
}
