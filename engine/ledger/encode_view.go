package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// views writes the latest first: the times between them are the shortest then,
// and most views follow one of their own session.
func (w *writer) views(views []View) {
	b, at := w.b, putUvarint(w.b, w.at, uint64(len(views)))
	last, session := w.last, uint32(0)
	for i := len(views) - 1; i >= 0; i-- {
		v := &views[i]
		at = putUvarint(b, at, scaledTime(uint64(last-v.Time))<<1|bit(v.Session != session, 1))
		binary.LittleEndian.PutUint64(b[at:], v.Item)
		at += 8
		if v.Session != session {
			binary.LittleEndian.PutUint32(b[at:], v.Session)
			at += 4
		}
		last, session = v.Time, v.Session
	}
	w.at = at
}

// views reads what views wrote.
func (d *decoder) views() {
	l := d.l
	n := d.count(MaxViews, minView)
	l.Views = slices.Grow(l.Views, n)[:n]
	at, last, session := d.at, l.Last, uint32(0)
	for i := n - 1; i >= 0; i-- {
		v := &l.Views[i]
		if len(d.b)-at < minView {
			d.fail()
			return
		}
		head, size := uvarintOf(binary.LittleEndian.Uint64(d.b[at:]))
		at += size
		t, ok := elapsedOf(head >> 1)
		if last -= t; !ok || last < l.First || len(d.b)-at < 8 {
			d.fail()
			return
		}
		v.Item, v.Time = binary.LittleEndian.Uint64(d.b[at:]), last
		at += 8
		if head&1 != 0 {
			if len(d.b)-at < 4 || binary.LittleEndian.Uint32(d.b[at:]) == session {
				d.fail()
				return
			}
			session = binary.LittleEndian.Uint32(d.b[at:])
			at += 4
		}
		v.Session = session
		if i+1 < n && !older(v.Time, v.Item, l.Views[i+1].Time, l.Views[i+1].Item) {
			d.fail()
			return
		}
	}
	d.at = at
}

// lastViews reads the views of versions 1 and 2: of each item the latest, of no
// session that is known.
func (d *decoder) lastViews() {
	l := d.l
	n := d.count(4, minView)
	l.Views = slices.Grow(l.Views, n)[:n]
	for i := range l.Views {
		l.Views[i] = View{Item: d.hash8(), Time: d.ago()}
		if i > 0 && l.Views[i].Item <= l.Views[i-1].Item {
			d.fail()
			return
		}
	}
	slices.SortFunc(l.Views, func(a, b View) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Item, b.Item)) })
}
