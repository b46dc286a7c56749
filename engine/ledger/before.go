package ledger

// Before makes dst the facts as they stood at an instant t (Unix ms), as far as
// l still knows them: what happened later is dropped, and a register that has
// been overwritten since is unknown (0). The week of t counts as a whole, what
// happened in it after t included. Not undone are folding, updates that
// are joined with their order, cart lines that a later order cleared, and an
// erasure: before that nothing is known. dst must not be l; the items of its
// orders are l's memory and hold until l changes.
func (l *Ledger) Before(t int64, r *Rules, dst *Ledger) {
	dst.Reset()
	if l.First == 0 || l.First > t {
		return
	}
	dst.First, dst.Erased, dst.Fold, dst.MarkFold = l.First, l.Erased, l.Fold, l.MarkFold
	dst.Orders = upTo(dst.Orders, l.Orders, t, func(o *Order) int64 { return o.Placed })
	for i := range dst.Orders {
		dst.Orders[i].Revised = min(dst.Orders[i].Revised, t)
	}
	dst.Pending = upTo(dst.Pending, l.Pending, t, (*Order).said)
	dst.Adjustments = upTo(dst.Adjustments, l.Adjustments, t, func(a *Adjustment) int64 { return a.Time })
	dst.Views = upTo(dst.Views, l.Views, t, func(v *View) int64 { return v.Time })
	dst.Cart = upTo(dst.Cart, l.Cart, t, func(c *CartLine) int64 { return c.Time })
	dst.Marks = upTo(dst.Marks, l.Marks, t, func(m *Mark) int64 { return m.Time })
	dst.Consents = upTo(dst.Consents, l.Consents, t, func(c *Consent) int64 { return c.Time })
	dst.CartCleared = known(l.CartCleared, t)
	if n := len(dst.Orders); n > 0 {
		dst.CartCleared = max(dst.CartCleared, dst.Orders[n-1].Placed)
	}
	dst.Sent, dst.Opened, dst.Clicked = known(l.Sent, t), known(l.Opened, t), known(l.Clicked, t)
	if dst.SurveyTime = known(l.SurveyTime, t); dst.SurveyTime != 0 {
		dst.SurveyRating = l.SurveyRating
	}
	dst.weeksUpTo(l, Week(r.Calendar.Day(t)))
	if dst.Last = l.Last; l.Last > t {
		dst.Last = dst.latestFact()
		if dst.Visited != 0 { // seen at some time of that week
			dst.Last = max(dst.Last, min(t, r.Calendar.Start(Monday(dst.Week))))
		}
	}
}

// upTo appends what happened by t.
func upTo[T any](dst, src []T, t int64, when func(*T) int64) []T {
	for i := range src {
		if when(&src[i]) <= t {
			dst = append(dst, src[i])
		}
	}
	return dst
}

// known is a register's time, or 0 where it is later than t.
func known(reg, t int64) int64 {
	if reg > t {
		return 0
	}
	return reg
}

// latestFact is the time of the latest fact that is still told apart.
func (l *Ledger) latestFact() int64 {
	t := max(l.First, l.Erased, l.CartCleared, l.Sent, l.Opened, l.Clicked, l.SurveyTime)
	for i := range l.Orders {
		t = max(t, l.Orders[i].Placed, l.Orders[i].Revised)
	}
	for i := range l.Pending {
		t = max(t, l.Pending[i].said())
	}
	for i := range l.Adjustments {
		t = max(t, l.Adjustments[i].Time)
	}
	for i := range l.Views {
		t = max(t, l.Views[i].Time)
	}
	for i := range l.Cart {
		t = max(t, l.Cart[i].Time)
	}
	for i := range l.Marks {
		t = max(t, l.Marks[i].Time)
	}
	for i := range l.Consents {
		t = max(t, l.Consents[i].Time)
	}
	return t
}
