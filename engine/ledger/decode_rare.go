package ledger

import (
	"cmp"
	"slices"
)

// rest reads the sections that most customers do not have.
func (d *decoder) rest(has uint64) {
	l := d.l
	if has&hasCart != 0 {
		d.cart()
	}
	if has&hasCleared != 0 {
		l.CartCleared = d.ago()
	}
	if has&hasMessages != 0 {
		which := d.byte()
		for i, reg := range [...]*int64{&l.Sent, &l.Opened, &l.Clicked} {
			if which>>i&1 != 0 {
				*reg = d.ago()
			}
		}
		if which == 0 || which > 7 {
			d.fail()
		}
	}
	if has&hasSurvey != 0 {
		l.SurveyTime, l.SurveyRating = d.ago(), int8(d.byte())
	}
	if has&hasAdjustments != 0 {
		d.adjustments()
	}
	if has&hasMarks != 0 {
		d.marks()
	}
	if has&hasConsents != 0 {
		d.consents()
	}
	if has&hasFold != 0 {
		d.fold()
	}
	if has&hasErased != 0 {
		l.Erased = d.ago()
	}
}

func (d *decoder) cart() {
	l := d.l
	n := d.count(MaxCart, 10)
	l.Cart = slices.Grow(l.Cart, n)[:n]
	for i := range l.Cart {
		l.Cart[i] = CartLine{Item: d.hash8(), Removed: d.flag(), Time: d.ago()}
		if i > 0 && l.Cart[i].Item <= l.Cart[i-1].Item {
			d.fail()
			return
		}
	}
}

func (d *decoder) flag() bool {
	b := d.byte()
	if b > 1 {
		d.fail()
	}
	return b == 1
}

func (d *decoder) adjustments() {
	l := d.l
	n := d.count(MaxAdjustments, 14)
	l.Adjustments = slices.Grow(l.Adjustments, n)[:n]
	for i := range l.Adjustments {
		a := &l.Adjustments[i]
		a.Order, a.Event = d.hash6(), d.hash6()
		head := d.byte()
		a.Kind, a.Time, a.Amount = AdjustmentKind(head>>1), d.ago(), 0
		if head&1 != 0 {
			a.Amount = d.money()
		}
		if a.Kind < Refunded || a.Kind > Cancelled || i > 0 && compareAdjustments(l.Adjustments[i-1], *a) >= 0 {
			d.fail()
			return
		}
	}
}

func (d *decoder) marks() {
	l := d.l
	n := d.count(HardMarks, 6)
	l.Marks = slices.Grow(l.Marks, n)[:n]
	for i := range l.Marks {
		m := &l.Marks[i]
		m.Kind, m.Time, m.Hash = MarkKind(d.byte()), d.ago(), d.hash4()
		if m.Kind < Complaint || m.Kind >= numMarks || i > 0 && compareMarks(l.Marks[i-1], *m) >= 0 {
			d.fail()
			return
		}
	}
	folded := d.byte()
	for k := range l.MarkFold {
		if folded>>k&1 != 0 {
			l.MarkFold[k] = d.number()
		}
	}
	if folded >= 1<<numMarks || folded&1 != 0 {
		d.fail()
	}
}

func (d *decoder) consents() {
	l := d.l
	n := d.count(MaxConsents, 3)
	l.Consents = slices.Grow(l.Consents, n)[:n]
	for i := range l.Consents {
		c := &l.Consents[i]
		c.Channel, c.Granted, c.Time = d.channel(), d.flag(), d.ago()
		if i > 0 && cmp.Compare(l.Consents[i-1].Channel, c.Channel) >= 0 {
			d.fail()
			return
		}
	}
}

func (d *decoder) fold() {
	f := &d.l.Fold
	f.Orders, f.Occasions = d.number(), d.number()
	first := d.signed()
	last := first + int64(min(d.uvarint(), 1<<32))
	if first < -1 || last > lastTime/dayMs {
		d.fail()
		return
	}
	f.FirstDay, f.LastDay = int32(first), int32(last)
	f.LnGaps = d.number()
	f.Amount, f.Discount, f.Returned = d.money(), d.money(), d.money()
	f.Orphans = d.number()
}
