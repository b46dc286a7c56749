package ledger

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

// View is one look at one article.
type View struct {
	Item    uint64 // event.Hash of its id
	Time    int64
	Session uint32 // the low 32 bits of event.Hash of the session's id; 0: none was named
}

// sessionKey is the Session of a session's id.
func sessionKey(id string) uint32 {
	if id == "" {
		return 0
	}
	return uint32(event.Hash(id))
}

// SameSession says whether v and the view that comes next belong together: both
// name one session, or one of them names none and next follows within gap ms.
func (v *View) SameSession(next *View, gap int64) bool {
	if v.Session != 0 && next.Session != 0 {
		return v.Session == next.Session
	}
	return next.Time-v.Time <= gap
}

// view keeps the MaxViews latest by (Time, Item), and of those that differ only
// in their session the one with the greatest. Most come last.
func (l *Ledger) view(v View, eff *Effect) {
	at := len(l.Views)
	for at > 0 && older(v.Time, v.Item, l.Views[at-1].Time, l.Views[at-1].Item) {
		at--
	}
	if at > 0 {
		if x := &l.Views[at-1]; x.Time == v.Time && x.Item == v.Item {
			if v.Session > x.Session {
				x.Session, eff.Changed = v.Session, true
			}
			return
		}
	}
	switch {
	case len(l.Views) < MaxViews:
		l.Views = slices.Insert(l.Views, at, v)
	case at == 0:
		return
	default: // the oldest makes room
		copy(l.Views, l.Views[1:at])
		l.Views[at-1] = v
	}
	eff.Changed = true
}
