package state

import (
	"math"
	"sync/atomic"
)

// Table is the owner's view of one partition: what is committed, and over it
// what changed since. One goroutine owns it. The goroutine that commits may
// call Dirty, Abort and, through a Batch, write it, while the owner rests.
//
// After an error of Get, Put or NextDue the overlay holds what was put before;
// the owner aborts, because it does not know what it did not read.
type Table struct {
	store     *Store
	partition int32
	hot       *hotSet
	overlay   overlay
	timers    timers

	count     int // keys, with the overlay
	committed int // keys, without

	hits, misses uint64
	stats        tableStats

	keyBuf []byte // the key in Pebble's layout
	dueKey []byte // what NextDue returned
}

// tableStats is what a Table tells Store.Metrics, at every commit and abort.
type tableStats struct {
	hits, misses, evictions, entries, timers atomic.Int64
}

func (t *Table) publish() {
	t.stats.hits.Store(int64(t.hits))
	t.stats.misses.Store(int64(t.misses))
	t.stats.evictions.Store(int64(t.hot.evictions))
	t.stats.entries.Store(int64(t.hot.index.count))
	t.stats.timers.Store(int64(len(t.timers.heap)))
}

// Partition is the partition that t views.
func (t *Table) Partition() int32 { return t.partition }

// Len is the number of keys, with the overlay.
func (t *Table) Len() int { return t.count }

// Get is the present value of key, the overlay's before the committed one.
// val lies in the table's memory: it holds until the next call on t, and must
// not be written to. An error means that the disk could not be read.
func (t *Table) Get(key []byte) (val []byte, ok bool, err error) {
	if r := t.hot.find(key); r != 0 {
		t.hits++
		b := t.hot.arena.at(r)
		if has(b, absent) {
			return nil, false, nil
		}
		if !has(b, referenced) {
			b[0] |= referenced
		}
		return entryVal(b), true, nil
	}
	if t.hot.complete {
		return nil, false, nil
	}
	r, err := t.load(key)
	if err != nil {
		return nil, false, err
	}
	b := t.hot.arena.at(r)
	if has(b, absent) {
		return nil, false, nil
	}
	return entryVal(b), true, nil
}

// Touch brings the memory of the keys' entries near the processor. Called for a
// handful of keys that are needed next, it lets their ways through a large
// memory overlap; it returns a number that only keeps the reads from being left
// out.
func (t *Table) Touch(keys [][]byte) (sum byte) {
	for _, key := range keys {
		if r := t.hot.find(key); r != 0 {
			b := t.hot.arena.at(r)
			sum += b[headerLen+keyLen(b)+valLen(b)-1]
		}
	}
	return sum
}

// load brings a key that is not in memory there, as an absent entry if it does
// not exist.
func (t *Table) load(key []byte) (ref, error) {
	if err := checkEntry(key, nil); err != nil {
		return 0, err
	}
	t.misses++
	t.keyBuf = appendData(t.keyBuf[:0], t.partition, key)
	var r ref
	found, err := t.store.view(t.keyBuf, func(stored []byte) error {
		due, val, err := splitValue(stored)
		if err != nil {
			return err
		}
		r, err = t.hot.insert(key, val, 0, due)
		return err
	})
	if err == nil && !found {
		r, err = t.hot.insert(key, nil, absent, 0)
	}
	return r, err
}

// Put sets the value of key and its due time: Unix milliseconds or any other
// number that orders, 0 for no timer. A nil val deletes the key; an empty one
// is a value. val may be what Get returned for the same key.
func (t *Table) Put(key, val []byte, due int64) error {
	if err := checkEntry(key, val); err != nil {
		return err
	}
	if val == nil {
		due = 0
	}
	r, err := t.change(key)
	if err != nil {
		return err
	}
	i := word(t.hot.arena.at(r))
	if r, err = t.hot.replace(r, val); err != nil {
		return err
	}
	c := &t.overlay.changes[i]
	c.ref = r
	b := t.hot.arena.at(r)
	if !has(b, absent) {
		t.count--
	}
	b[0] |= absent
	if val != nil {
		t.count++
		b[0] &^= absent
	}
	if due != c.due {
		c.due = due
		if due != 0 && t.timers.add(due, key) {
			t.pruneTimers()
		}
	}
	return nil
}

// change is the block of key, made dirty.
func (t *Table) change(key []byte) (ref, error) {
	r := t.hot.find(key)
	if r == 0 {
		var err error
		if t.hot.complete {
			r, err = t.hot.insert(key, nil, absent, 0)
		} else {
			r, err = t.load(key)
		}
		if err != nil {
			return 0, err
		}
	}
	b := t.hot.arena.at(r)
	if !has(b, dirty) {
		i := t.overlay.add(change{ref: r, existed: !has(b, absent), due: word(b), committedDue: word(b)})
		b[0] |= dirty
		setWord(b, int64(i))
	}
	return r, nil
}

// dueOf is the present due time of the entry at r, 0 for none.
func (t *Table) dueOf(r ref) int64 {
	b := t.hot.arena.at(r)
	switch {
	case has(b, absent):
		return 0
	case has(b, dirty):
		return t.overlay.changes[word(b)].due
	}
	return word(b)
}

// EarliestDue is a time before which NextDue has nothing, math.MaxInt64 if
// there are no timers. It costs nothing; ask it for every event.
func (t *Table) EarliestDue() int64 {
	switch tm := &t.timers; {
	case len(tm.heap) > 0:
		return tm.heap[0].due
	case tm.all:
		return math.MaxInt64
	default:
		return tm.horizonDue
	}
}

// Close gives the table's memory back and drops its overlay. The table must
// not be used afterwards.
func (t *Table) Close() {
	t.store.forget(t)
	t.hot.close()
	t.overlay, t.timers = overlay{}, timers{}
}
