package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

func compareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Hash, b.Hash))
}

// mark adds a rare event to the set.
func (l *Ledger) mark(kind MarkKind, e *event.Event, eff *Effect) {
	m := Mark{kind, e.Time, uint32(e.IDHash())}
	at, found := slices.BinarySearchFunc(l.Marks, m, compareMarks)
	if found || at == 0 && eff.Late && l.MarkFold != [numMarks]int64{} {
		return
	}
	l.Marks = slices.Insert(l.Marks, at, m)
	eff.scores()
}

// foldMarks counts those marks off the list which MaxMarks later ones follow
// before the horizon.
func (l *Ledger) foldMarks(h int64, eff *Effect) {
	n := 0
	for left := len(l.Marks); left > MaxMarks; left-- {
		if l.Marks[n+MaxMarks].Time >= h && left <= HardMarks {
			break
		}
		l.MarkFold[l.Marks[n].Kind]++
		n++
	}
	if n > 0 {
		l.Marks = slices.Delete(l.Marks, 0, n)
		eff.scores()
	}
}

// Count is the number of marks of a kind, folded ones included.
func (l *Ledger) Count(kind MarkKind) int64 {
	n := l.MarkFold[kind]
	for i := range l.Marks {
		if l.Marks[i].Kind == kind {
			n++
		}
	}
	return n
}

// consent keeps the latest word on each channel, a withdrawal before a grant of
// the same instant, of the MaxConsents channels latest by (Time, Channel).
func (l *Ledger) consent(c Consent, r *Rules, eff *Effect) {
	c.Channel = l.channel(c.Channel, r)
	at, found := slices.BinarySearchFunc(l.Consents, c.Channel, func(x Consent, name string) int { return strings.Compare(x.Channel, name) })
	if found {
		if x := &l.Consents[at]; c.beats(x) {
			*x = c
			eff.scores()
		}
		return
	}
	if len(l.Consents) >= MaxConsents {
		m := 0
		for i := range l.Consents {
			if l.Consents[i].olderThan(&l.Consents[m]) {
				m = i
			}
		}
		if c.olderThan(&l.Consents[m]) {
			return
		}
		l.Consents = slices.Delete(l.Consents, m, m+1)
		if m < at {
			at--
		}
	}
	l.Consents = slices.Insert(l.Consents, at, c)
	eff.scores()
}

// beats says whether c speaks instead of x.
func (c *Consent) beats(x *Consent) bool {
	return c.Time > x.Time || c.Time == x.Time && x.Granted && !c.Granted
}

func (c *Consent) olderThan(x *Consent) bool {
	return c.Time < x.Time || c.Time == x.Time && c.Channel < x.Channel
}

// Consented says whether the customer agreed to be reached on a channel, and
// whether anything is known about that: the latest word on the channel or on
// all of them ("") counts.
func (l *Ledger) Consented(channel string) (granted, known bool) {
	var last *Consent
	for i := range l.Consents {
		if c := &l.Consents[i]; (c.Channel == channel || c.Channel == "") && (last == nil || c.beats(last)) {
			last = c
		}
	}
	return last != nil && last.Granted, last != nil
}
