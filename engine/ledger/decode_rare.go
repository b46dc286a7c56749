package ledger

import (
	"cmp"
	"math/bits"
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

// more reads what few orders have.
func (d *decoder) more(o *Order) {
	b := d.byte()
	if b == 0 || b > 3 {
		d.fail()
		return
	}
	if o.Coupon, o.Costed = b&1 != 0, b&2 != 0; o.Costed {
		o.Cost = d.money()
	}
}

// days reads the visited days of version 1 as weeks.
func (d *decoder) days() {
	l := d.l
	off := d.signed()
	if off > 1 || off < -1-l.Last/dayMs {
		d.fail()
		return
	}
	days, n := uint64(1), d.byte()
	if n > 8 {
		d.fail()
	} else if n == 8 {
		if days = d.hash8(); days&1 == 0 || bits.OnesCount64(days) < 9 {
			d.fail()
		}
		n = 0
	}
	for previous := byte(0); n > 0; n-- {
		b := d.byte()
		if b <= previous || b >= 64 {
			d.fail()
			return
		}
		days |= 1 << b
		previous = b
	}
	day := int32(l.Last/dayMs + off)
	l.Week = Week(day)
	for ; days != 0; days &= days - 1 {
		if week := Week(day - int32(bits.TrailingZeros64(days))); week >= 0 {
			l.Visited |= 1 << uint(l.Week-week)
		}
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
	if d.version != factsVersion1 {
		f.Cost, f.CostedNet = d.money(), d.money()
	}
	f.Orphans = d.number()
}
