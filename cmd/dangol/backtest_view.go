package main

import (
	"context"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/bench/quality"
	"github.com/dangol-dev/dangol/engine/event"
)

// Bounds of what is judged of looks.
const (
	listed    = 20        // items of a list
	mostLooks = 1_000_000 // after the cut
	mostSteps = 5_000_000 // before it, that the simpler way learns from
)

// visitor is where a customer's session stands.
type visitor struct {
	session string
	at      int64
	item    uint64 // looked at last
	open    int    // the session's place in looks.sessions
}

// continues says whether a look is of the session, and brings it up to date.
func (v *visitor) continues(ev *event.Event, gap int64) bool {
	same := v.at != 0 && (v.session == ev.SessionID && ev.SessionID != "" || (v.session == "" || ev.SessionID == "") && ev.Time-v.at <= gap)
	v.at = ev.Time
	if v.session != ev.SessionID {
		v.session = strings.Clone(ev.SessionID)
	}
	return same
}

// looks are the sessions after the cut: items, the latest last.
type looks struct {
	sessions [][]uint64
	visitors map[string]*visitor
	n        int
}

func (l *looks) add(ev *event.Event, gap int64) {
	if l.n >= mostLooks {
		return
	}
	if l.visitors == nil {
		l.visitors = map[string]*visitor{}
	}
	v := l.visitors[ev.CustomerID]
	if v == nil {
		v = &visitor{}
		l.visitors[strings.Clone(ev.CustomerID)] = v
	}
	if !v.continues(ev, gap) {
		v.open = len(l.sessions)
		l.sessions = append(l.sessions, nil)
	}
	for i := range ev.Items {
		l.sessions[v.open] = append(l.sessions[v.open], event.Hash(ev.Items[i].ID))
		l.n++
	}
}

// markov is the simpler way: what was most often looked at right after an item,
// and what was looked at most.
type markov struct {
	next     map[uint64]map[uint64]int
	counts   map[uint64]int
	visitors map[string]*visitor
	n        int
}

func (m *markov) see(ev *event.Event, gap int64) {
	if m.n >= mostSteps {
		return
	}
	if m.next == nil {
		m.next, m.counts, m.visitors = map[uint64]map[uint64]int{}, map[uint64]int{}, map[string]*visitor{}
	}
	v := m.visitors[ev.CustomerID]
	if v == nil {
		v = &visitor{}
		m.visitors[strings.Clone(ev.CustomerID)] = v
	}
	same := v.continues(ev, gap)
	for i := range ev.Items {
		item := event.Hash(ev.Items[i].ID)
		if same {
			if m.next[v.item] == nil {
				m.next[v.item] = map[uint64]int{}
			}
			m.next[v.item][item]++
		}
		m.counts[item]++
		m.n++
		v.item, same = item, true
	}
}

// first are the items of most counts.
func first(counts map[uint64]int, n int) []uint64 {
	items := ranked(counts)
	return items[:min(n, len(items))]
}

// nextViews judges how the looks after the cut were foretold; nil: there were
// none. An item never looked at before the cut cannot be, and is left out.
func (t *trial) nextViews(ctx context.Context) (*quality.NextView, error) {
	foretell, err := t.history.core.NextViews(ctx, t.cut)
	if err != nil {
		return nil, err
	}
	n := &quality.NextView{Models: []quality.Clicker{{Name: "dangol"}, {Name: "the last look alone (Markov)"}, {Name: "most looked at"}}}
	popular := first(t.looked.counts, listed)
	for _, session := range t.looks.sessions {
		session = slices.DeleteFunc(session, func(item uint64) bool { return t.looked.counts[item] == 0 })
		for i := 1; i < len(session); i++ {
			lists := [][]uint64{foretell(session[:i], listed), first(t.looked.next[session[i-1]], listed), popular}
			places := make([]int, len(lists))
			for k, list := range lists {
				places[k] = slices.Index(list, session[i]) + 1
			}
			n.Look(places...)
		}
	}
	if n.Views == 0 {
		return nil, nil
	}
	n.Close()
	return n, nil
}
