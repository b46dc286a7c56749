package ledger

import (
	"cmp"
	"slices"
)

// cart keeps the latest word on each item, a removal before an addition of the
// same instant, of the MaxCart items latest by (Time, Item).
func (l *Ledger) cart(c CartLine, eff *Effect) {
	if c.Time <= l.CartCleared {
		return
	}
	at, found := slices.BinarySearchFunc(l.Cart, c.Item, func(x CartLine, item uint64) int { return cmp.Compare(x.Item, item) })
	if found {
		x := &l.Cart[at]
		if c.Time > x.Time || c.Time == x.Time && c.Removed && !x.Removed {
			*x = c
			eff.Changed = true
		}
		return
	}
	if len(l.Cart) >= MaxCart {
		m := 0
		for i := range l.Cart {
			if older(l.Cart[i].Time, l.Cart[i].Item, l.Cart[m].Time, l.Cart[m].Item) {
				m = i
			}
		}
		if older(c.Time, c.Item, l.Cart[m].Time, l.Cart[m].Item) {
			return
		}
		l.Cart = slices.Delete(l.Cart, m, m+1)
		if m < at {
			at--
		}
	}
	l.Cart = slices.Insert(l.Cart, at, c)
	eff.Changed = true
}

// clearCart drops the lines that an order bought.
func (l *Ledger) clearCart(t int64, eff *Effect) {
	if t <= l.CartCleared {
		return
	}
	l.CartCleared = t
	eff.scores()
	if len(l.Cart) > 0 {
		l.Cart = slices.DeleteFunc(l.Cart, func(c CartLine) bool { return c.Time <= t })
	}
}

// older orders facts by (time, hash).
func older(t int64, hash uint64, u int64, other uint64) bool {
	return t < u || t == u && hash < other
}
