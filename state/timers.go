package state

import (
	"bytes"
	"cmp"
	"slices"
)

// timers holds the timers up to a horizon, a (due, key), in a heap; those
// beyond are in Pebble's index and in the overlay. Its invariant: every present
// timer up to the horizon is in the heap. The reverse does not hold: an entry
// whose key has another due time by now is stale, and is dropped when it comes
// to the top.
type timers struct {
	heap []timer
	keys []byte // what heap entries point into; grows until the next rebuild
	used int    // bytes of keys that heap entries use

	horizonDue int64
	horizonKey []byte
	all        bool // the horizon is behind everything

	batch int // entries to load at once
	limit int // of the heap's length, beyond which it is rebuilt
}

// timer is a heap entry: key is where its key begins in keys, above its length
// in the low 16 bits.
type timer struct {
	due int64
	key uint64
}

// slackKeys is how many bytes of dropped keys are no reason to rebuild.
const slackKeys = 1 << 16

func (tm *timers) keyOf(e timer) []byte {
	at := e.key >> 16
	return tm.keys[at : at+e.key&0xffff]
}

func (tm *timers) less(a, b timer) bool {
	if a.due != b.due {
		return a.due < b.due
	}
	return bytes.Compare(tm.keyOf(a), tm.keyOf(b)) < 0
}

// covers reports whether (due, key) is up to the horizon.
func (tm *timers) covers(due int64, key []byte) bool {
	if tm.all || due != tm.horizonDue {
		return tm.all || due < tm.horizonDue
	}
	return bytes.Compare(key, tm.horizonKey) <= 0
}

// add enters a timer if it is up to the horizon, and reports whether the heap
// has become too long.
func (tm *timers) add(due int64, key []byte) (long bool) {
	if tm.covers(due, key) {
		tm.push(due, key)
	}
	return tm.long()
}

func (tm *timers) long() bool {
	return len(tm.heap) > tm.limit || len(tm.keys) > 2*tm.used+slackKeys
}

func (tm *timers) push(due int64, key []byte) {
	e := timer{due: due, key: uint64(len(tm.keys))<<16 | uint64(len(key))}
	tm.keys = append(tm.keys, key...)
	tm.used += len(key)
	tm.heap = append(tm.heap, e)
	i := len(tm.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !tm.less(e, tm.heap[parent]) {
			break
		}
		tm.heap[i] = tm.heap[parent]
		i = parent
	}
	tm.heap[i] = e
}

func (tm *timers) pop() {
	tm.used -= len(tm.keyOf(tm.heap[0]))
	last := len(tm.heap) - 1
	e := tm.heap[last]
	tm.heap = tm.heap[:last]
	if last == 0 {
		tm.keys = tm.keys[:0]
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && tm.less(tm.heap[child+1], tm.heap[child]) {
			child++
		}
		if !tm.less(tm.heap[child], e) {
			break
		}
		tm.heap[i] = tm.heap[child]
		i = child
	}
	tm.heap[i] = e
}

// setLimit allows for as many stale entries as there are others.
func (tm *timers) setLimit() { tm.limit = 2 * max(len(tm.heap), tm.batch) }

// rebuild drops the entries that keep refuses and those that are there twice.
// Where more than two batches are left, the horizon moves back to the end of
// the first: what is beyond is on disk or in the overlay.
func (tm *timers) rebuild(keep func(due int64, key []byte) bool) {
	slices.SortFunc(tm.heap, func(a, b timer) int {
		if a.due != b.due {
			return cmp.Compare(a.due, b.due)
		}
		return bytes.Compare(tm.keyOf(a), tm.keyOf(b))
	})
	old := *tm
	tm.heap, tm.keys, tm.used = tm.heap[:0], make([]byte, 0, old.used), 0
	for _, e := range old.heap {
		key := old.keyOf(e)
		if n := len(tm.heap); n > 0 && tm.heap[n-1].due == e.due && bytes.Equal(tm.keyOf(tm.heap[n-1]), key) {
			continue
		}
		if !keep(e.due, key) {
			continue
		}
		if len(tm.heap) == 2*tm.batch {
			tm.cut(tm.batch)
			break
		}
		tm.push(e.due, key) // the last of a sorted heap stays where it is
	}
	tm.setLimit()
}

// cut keeps the first n entries of a sorted heap and puts the horizon at the
// last of them.
func (tm *timers) cut(n int) {
	tm.heap = tm.heap[:n]
	last := tm.heap[n-1]
	tm.horizonDue, tm.all = last.due, false
	tm.horizonKey = append(tm.horizonKey[:0], tm.keyOf(last)...)
	end := int(last.key>>16) + len(tm.keyOf(last))
	tm.keys, tm.used = tm.keys[:end], end
}
