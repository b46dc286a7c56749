package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// change is what the overlay knows of a key beyond its entry in the hot set.
type change struct {
	ref          ref
	existed      bool  // committed before
	due          int64 // now
	committedDue int64 // 0: none
}

// overlay lists what was put since the last commit or abort. The entries
// themselves are in the hot set, marked dirty.
type overlay struct {
	changes []change
	order   []ordered // of changes by key, while sorted
	sorted  bool
}

// ordered is a change in the order of keys. lead is the first part of the key
// in which the keys differ, so that most comparisons look no further.
type ordered struct {
	lead   uint64
	change uint32
}

// keepChanges bounds the memory that is kept between transactions.
const keepChanges = 1 << 16

func (o *overlay) add(c change) int {
	o.sorted = false
	o.changes = append(o.changes, c)
	return len(o.changes) - 1
}

func (o *overlay) reset() {
	if cap(o.changes) > keepChanges {
		*o = overlay{}
		return
	}
	o.changes, o.order, o.sorted = o.changes[:0], o.order[:0], false
}

// sort brings the overlay into the order of keys.
func (t *Table) sort() {
	o := &t.overlay
	if o.sorted {
		return
	}
	key := func(i uint32) []byte { return entryKey(t.hot.arena.at(o.changes[i].ref)) }
	same := 0 // bytes that all keys begin with
	if len(o.changes) > 0 {
		first := key(0)
		same = len(first)
		for i := range o.changes {
			same = min(same, commonPrefix(first[:same], key(uint32(i))))
		}
	}
	o.order = o.order[:0]
	for i := range o.changes {
		o.order = append(o.order, ordered{lead: lead(key(uint32(i))[same:]), change: uint32(i)})
	}
	slices.SortFunc(o.order, func(a, b ordered) int {
		if a.lead != b.lead {
			return cmp.Compare(a.lead, b.lead)
		}
		return bytes.Compare(key(a.change), key(b.change))
	})
	o.sorted = true
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// lead is the first eight bytes of b, zeroes where it ends: it orders as b
// does, equal ones aside.
func lead(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var full [8]byte
	copy(full[:], b)
	return binary.BigEndian.Uint64(full[:])
}

// Dirty calls fn with everything put since the last commit or abort, in the
// order of keys. val is nil for a key that was deleted. key and val hold during
// the call; fn must not call t.
func (t *Table) Dirty(fn func(key, val []byte, due int64)) {
	t.eachChange(func(key, val []byte, c *change) { fn(key, val, c.due) })
}

func (t *Table) eachChange(fn func(key, val []byte, c *change)) {
	t.sort()
	for _, o := range t.overlay.order {
		c := &t.overlay.changes[o.change]
		b := t.hot.arena.at(c.ref)
		if has(b, absent) {
			fn(entryKey(b), nil, c)
			continue
		}
		fn(entryKey(b), entryVal(b), c)
	}
}

// accept makes the overlay what is committed. The batch calls it once Pebble
// has it.
func (t *Table) accept() {
	for i := range t.overlay.changes {
		c := &t.overlay.changes[i]
		b := t.hot.arena.at(c.ref)
		if has(b, absent) {
			t.hot.remove(c.ref)
			continue
		}
		b[0] &^= dirty
		setWord(b, c.due)
	}
	t.committed = t.count
	t.settle()
}

// Abort drops the overlay: t is again what is committed.
func (t *Table) Abort() {
	for i := range t.overlay.changes {
		c := &t.overlay.changes[i]
		key := entryKey(t.hot.arena.at(c.ref))
		if c.due != c.committedDue && c.committedDue != 0 {
			// Its heap entry may have been dropped as stale.
			t.timers.add(c.committedDue, key)
		}
		if c.existed {
			t.revert(c)
			continue
		}
		t.hot.remove(c.ref)
	}
	t.count = t.committed
	t.settle()
	if t.timers.long() {
		t.pruneTimers()
	}
}

// revert brings the committed value of a changed entry back. An entry that
// cannot be read is forgotten: whoever needs it meets the error.
func (t *Table) revert(c *change) {
	b := t.hot.arena.at(c.ref)
	t.keyBuf = appendData(t.keyBuf[:0], t.partition, entryKey(b))
	found, err := t.store.view(t.keyBuf, func(stored []byte) error {
		_, val, err := splitValue(stored)
		if err != nil {
			return err
		}
		c.ref, err = t.hot.replace(c.ref, val)
		return err
	})
	if err != nil || !found {
		t.hot.complete = false
		t.hot.remove(c.ref)
		return
	}
	b = t.hot.arena.at(c.ref)
	b[0] &^= dirty | absent
	setWord(b, c.committedDue)
}

// settle ends a transaction.
func (t *Table) settle() {
	t.overlay.reset()
	t.hot.retryAt = 0
	t.hot.trim()
	t.publish()
}
