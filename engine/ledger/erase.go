package ledger

import "slices"

// erase drops what is known up to an instant. What was folded is older than
// every erasure that comes in time.
func (l *Ledger) erase(t int64, r *Rules, eff *Effect) {
	l.Erased, l.First = t, t
	l.Fold, l.MarkFold = Fold{}, [numMarks]int64{}
	for _, reg := range []*int64{&l.CartCleared, &l.Sent, &l.Opened, &l.Clicked} {
		if *reg <= t {
			*reg = 0
		}
	}
	if l.SurveyTime <= t {
		l.SurveyTime, l.SurveyRating = 0, 0
	}
	l.eraseWeeks(Week(r.Calendar.Day(t)))
	l.Pending = slices.DeleteFunc(l.Pending, func(p Order) bool { return p.said() <= t })
	l.Orders = slices.DeleteFunc(l.Orders, func(o Order) bool { return o.Placed <= t })
	for i := range l.Orders {
		if o := &l.Orders[i]; o.Revised != 0 && o.Revised <= t { // its placing's content is gone long since
			*o = Order{Hash: o.Hash, Placed: o.Placed}
		}
	}
	l.Adjustments = slices.DeleteFunc(l.Adjustments, func(a Adjustment) bool { return a.Time <= t })
	l.Views = slices.DeleteFunc(l.Views, func(v View) bool { return v.Time <= t })
	l.Cart = slices.DeleteFunc(l.Cart, func(c CartLine) bool { return c.Time <= t })
	l.Marks = slices.DeleteFunc(l.Marks, func(m Mark) bool { return m.Time <= t })
	l.Consents = slices.DeleteFunc(l.Consents, func(c Consent) bool { return c.Time <= t })
	for i := 0; i < len(l.Pending); i++ {
		if p := &l.Pending[i]; p.Placed != 0 && l.find(p.Hash) < 0 {
			l.promote(p.Hash)
			i--
		}
	}
	eff.orders()
}
