package ledger

import "encoding/binary"

// rest writes the sections that most customers do not have.
func (w *writer) rest(l *Ledger, has uint64) {
	if has&hasCart != 0 {
		w.uvarint(uint64(len(l.Cart)))
		for i := range l.Cart {
			w.hash8(l.Cart[i].Item)
			w.byte(byte(bit(l.Cart[i].Removed, 1)))
			w.ago(l.Cart[i].Time)
		}
	}
	if has&hasCleared != 0 {
		w.ago(l.CartCleared)
	}
	if has&hasMessages != 0 {
		w.byte(byte(bit(l.Sent != 0, 1) | bit(l.Opened != 0, 2) | bit(l.Clicked != 0, 4)))
		for _, t := range [...]int64{l.Sent, l.Opened, l.Clicked} {
			if t != 0 {
				w.ago(t)
			}
		}
	}
	if has&hasSurvey != 0 {
		w.ago(l.SurveyTime)
		w.byte(byte(l.SurveyRating))
	}
	if has&hasAdjustments != 0 {
		w.adjustments(l.Adjustments)
	}
	if has&hasMarks != 0 {
		w.marks(l)
	}
	if has&hasConsents != 0 {
		w.uvarint(uint64(len(l.Consents)))
		for i := range l.Consents {
			w.channel(l.Consents[i].Channel)
			w.byte(byte(bit(l.Consents[i].Granted, 1)))
			w.ago(l.Consents[i].Time)
		}
	}
	if has&hasFold != 0 {
		w.fold(&l.Fold)
	}
	if has&hasErased != 0 {
		w.ago(l.Erased)
	}
}

func (w *writer) adjustments(as []Adjustment) {
	w.uvarint(uint64(len(as)))
	for i := range as {
		a := &as[i]
		w.hash6(a.Order)
		w.hash6(a.Event)
		w.byte(byte(a.Kind)<<1 | byte(bit(a.Amount != 0, 1)))
		w.ago(a.Time)
		if a.Amount != 0 {
			w.money(a.Amount)
		}
	}
}

func (w *writer) marks(l *Ledger) {
	w.uvarint(uint64(len(l.Marks)))
	for i := range l.Marks {
		m := &l.Marks[i]
		w.byte(byte(m.Kind))
		w.ago(m.Time)
		binary.LittleEndian.PutUint32(w.b[w.at:], m.Hash)
		w.at += 4
	}
	var folded byte
	for k, n := range l.MarkFold {
		folded |= byte(bit(n != 0, 1<<k))
	}
	w.byte(folded)
	for _, n := range l.MarkFold {
		if n != 0 {
			w.uvarint(uint64(n))
		}
	}
}

func (w *writer) fold(f *Fold) {
	w.uvarint(uint64(f.Orders))
	w.uvarint(uint64(f.Occasions))
	w.signed(int64(f.FirstDay))
	w.uvarint(uint64(f.LastDay - f.FirstDay))
	w.uvarint(uint64(f.LnGaps))
	w.money(f.Amount)
	w.money(f.Discount)
	w.money(f.Returned)
	w.money(f.Cost)
	w.money(f.CostedNet)
	w.uvarint(uint64(f.Orphans))
}
