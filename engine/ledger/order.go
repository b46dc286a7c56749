package ledger

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

// find is the index of the retained order with a hash, or −1. The latest are
// looked at first: most of what is said of orders is said of these.
func (l *Ledger) find(hash uint64) int {
	for i := len(l.Orders) - 1; i >= 0; i-- {
		if l.Orders[i].Hash == hash {
			return i
		}
	}
	return -1
}

// insert puts an order in its place by (Placed, Hash).
func (l *Ledger) insert(o Order) {
	at := len(l.Orders)
	for at > 0 && older(o.Placed, o.Hash, l.Orders[at-1].Placed, l.Orders[at-1].Hash) {
		at--
	}
	l.Orders = slices.Insert(l.Orders, at, o)
}

// place joins an order_completed.
func (l *Ledger) place(e *event.Event, r *Rules, eff *Effect) {
	t, hash := e.Time, OrderKey(e)
	i := l.find(hash)
	if i < 0 {
		if eff.Late && l.Fold.Orders > 0 && len(l.Orders) > 0 && older(t, hash, l.Orders[0].Placed, l.Orders[0].Hash) {
			return // of the folded ones, most likely
		}
		l.insert(l.read(e, r))
		eff.orders()
		return
	}
	o := &l.Orders[i]
	if settled := t < l.Last-r.Lateness; t > o.Placed && settled || t == o.Placed && o.Revised != 0 {
		return
	}
	p := l.read(e, r)
	switch {
	case t > o.Placed:
		if !l.wait(p) {
			l.unread(&p)
			return
		}
	case t == o.Placed:
		if compareContent(&p, o) >= 0 {
			l.unread(&p)
			return
		}
		*o = p
	default:
		was := *o
		l.Orders = slices.Delete(l.Orders, i, i+1)
		if was.Revised != 0 { // whoever came so late brings no content
			p = was
			p.Placed = t
		} else if was.Placed >= l.Last-r.Lateness {
			l.wait(was)
		}
		l.insert(p)
	}
	eff.orders()
}

// revise joins an order_updated.
func (l *Ledger) revise(e *event.Event, r *Rules, eff *Effect) {
	t, hash, h := e.Time, OrderKey(e), l.Last-r.Lateness
	i := l.find(hash)
	known := i >= 0 && l.Orders[i].Placed <= t+r.Lateness
	if !known && (t+r.Lateness < h || eff.Late && i < 0 && l.forgot(t)) {
		return
	}
	p := l.read(e, r)
	p.Placed, p.Revised = 0, t
	var changed bool
	if known && t < h && l.Orders[i].Placed < h {
		changed = l.Orders[i].take(&p)
	} else {
		changed = l.wait(p)
	}
	if !changed {
		l.unread(&p)
		return
	}
	eff.orders()
}

// forgot says whether something late, said at t of an unknown order, may have
// been said of a folded one already.
func (l *Ledger) forgot(t int64) bool {
	return l.Fold.Orders > 0 && len(l.Orders) >= MaxOrders && t <= l.Orders[MaxOrders-1].Placed
}

// take gives o the content of an update, if that is the latest.
func (o *Order) take(update *Order) bool {
	if update.Revised < o.Revised || update.Revised == o.Revised && compareContent(update, o) <= 0 {
		return false
	}
	placed := o.Placed
	*o = *update
	o.Placed = placed
	return true
}

// said is when a pending statement was made.
func (o *Order) said() int64 { return max(o.Placed, o.Revised) }

func comparePending(a, b *Order) int {
	if c := cmp.Or(cmp.Compare(a.Hash, b.Hash), cmp.Compare(a.said(), b.said())); c != 0 {
		return c
	}
	return cmp.Compare(a.Revised, b.Revised) // a placing has none
}

// wait keeps a statement until the horizon has passed it; of two of one sort
// and instant, the one that will count. It says whether anything changed.
func (l *Ledger) wait(p Order) bool {
	at, found := slices.BinarySearchFunc(l.Pending, &p, func(x Order, p *Order) int { return comparePending(&x, p) })
	if !found {
		if len(l.Pending) >= MaxPending && p.said() <= l.Pending[l.oldestPending()].said() {
			return false
		}
		l.Pending = slices.Insert(l.Pending, at, p)
		return true
	}
	c := compareContent(&p, &l.Pending[at])
	if p.Placed != 0 {
		c = -c
	}
	if c > 0 {
		l.Pending[at] = p
	}
	return c > 0
}

// oldestPending is the index of the earliest pending statement; there is one.
func (l *Ledger) oldestPending() int {
	m := 0
	for i := range l.Pending {
		if l.Pending[i].said() < l.Pending[m].said() {
			m = i
		}
	}
	return m
}

// waiting are the pending statements about one order.
func (l *Ledger) waiting(hash uint64) []Order {
	if len(l.Pending) == 0 {
		return nil
	}
	from, _ := slices.BinarySearchFunc(l.Pending, hash, func(x Order, hash uint64) int { return cmp.Compare(x.Hash, hash) })
	to := from
	for to < len(l.Pending) && l.Pending[to].Hash == hash {
		to++
	}
	return l.Pending[from:to]
}

// content is what counts of an order's content when all that was said by until
// is known: o itself or a pending update.
func (l *Ledger) content(o *Order, until int64, r *Rules) *Order {
	waiting := l.waiting(o.Hash)
	for i := len(waiting) - 1; i >= 0; i-- {
		p := &waiting[i]
		if p.Revised == 0 || p.Revised > until || o.Placed > p.Revised+r.Lateness {
			continue
		}
		if p.Revised >= o.Revised {
			return p
		}
		return o
	}
	return o
}

// compareContent orders contents, so that of two of one instant always the same
// one counts.
func compareContent(a, b *Order) int {
	return cmp.Or(
		cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Discount, b.Discount),
		cmp.Compare(a.Channel, b.Channel), slices.Compare(a.Items, b.Items),
		compareBool(a.Coupon, b.Coupon), compareBool(a.Costed, b.Costed), cmp.Compare(a.Cost, b.Cost),
	)
}

// compareBool puts false before true.
func compareBool(a, b bool) int { return cmp.Compare(bit(a, 1), bit(b, 1)) }

// read is what an order_completed or an order_updated says, in the ledger's own memory. Amounts
// below zero, which the decoder refuses, count as zero.
func (l *Ledger) read(e *event.Event, r *Rules) Order {
	items := l.carve(min(len(e.Items), MaxItems))[:0]
	for i := range e.Items {
		items = addItem(items, event.Hash(e.Items[i].ID))
	}
	cost, costed := costOf(e.Items)
	return Order{
		Hash: OrderKey(e), Placed: e.Time, Amount: max(0, e.Amount), Discount: max(0, e.Discount),
		Cost: cost, Costed: costed, Coupon: e.Coupon != "", Channel: l.channel(e.Channel, r), Items: items,
	}
}

// unread gives back the memory of what was read last.
func (l *Ledger) unread(o *Order) { l.arena = l.arena[:len(l.arena)-cap(o.Items)] }

// addItem inserts a hash into a sorted set which holds as many as its capacity,
// the lowest.
func addItem(items []uint64, hash uint64) []uint64 {
	at := len(items)
	for at > 0 && items[at-1] > hash {
		at--
	}
	if at > 0 && items[at-1] == hash {
		return items
	}
	if len(items) < cap(items) {
		items = items[:len(items)+1]
	} else if at == len(items) {
		return items
	}
	copy(items[at+1:], items[at:])
	items[at] = hash
	return items
}

// carve takes n words of the ledger's memory. When it is used up, a new piece
// is made; the old one lives on as long as an order's Items are in it.
func (l *Ledger) carve(n int) []uint64 {
	at := len(l.arena)
	if cap(l.arena)-at < n {
		live := 0
		for i := range l.Orders {
			live += len(l.Orders[i].Items)
		}
		l.arena, at = make([]uint64, 0, live+n+32), 0
	}
	l.arena = l.arena[:at+n]
	return l.arena[at : at+n : at+n]
}
