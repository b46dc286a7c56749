package state

// NextDue is the earliest timer due at clock or before, in the order of
// (due, key), the overlay's included. It stays until its key is put with
// another due time. key holds until the next call of NextDue. An error means
// that the disk could not be read.
func (t *Table) NextDue(clock int64) (key []byte, due int64, ok bool, err error) {
	tm := &t.timers
	for {
		if len(tm.heap) == 0 {
			if tm.all || tm.horizonDue > clock {
				return nil, 0, false, nil
			}
			if err := t.loadTimers(); err != nil {
				return nil, 0, false, err
			}
			continue
		}
		top := tm.heap[0]
		if top.due > clock {
			return nil, 0, false, nil
		}
		present, err := t.presentDue(tm.keyOf(top))
		if err != nil {
			return nil, 0, false, err
		}
		if present == top.due {
			t.dueKey = append(t.dueKey[:0], tm.keyOf(top)...)
			return t.dueKey, top.due, true, nil
		}
		tm.pop()
	}
}

// presentDue is the due time of key, 0 for none, from disk if need be.
func (t *Table) presentDue(key []byte) (int64, error) {
	r := t.hot.find(key)
	if r == 0 {
		if t.hot.complete {
			return 0, nil
		}
		var err error
		if r, err = t.load(key); err != nil {
			return 0, err
		}
	}
	return t.dueOf(r), nil
}

// loadTimers moves the horizon on by a batch of the index. The heap is empty.
func (t *Table) loadTimers() error {
	tm := &t.timers
	fromDue, fromKey := tm.horizonDue, append([]byte(nil), tm.horizonKey...)
	// The first key after (horizonDue, horizonKey) is that with a zero behind.
	from := append(appendTimer(nil, t.partition, fromDue, fromKey), 0)
	tm.keys, tm.used = tm.keys[:0], 0
	n := 0
	err := t.store.iterate(from, spaceEnd(spaceTimer, t.partition), func(k, _ []byte) (bool, error) {
		due, key, err := splitTimer(k)
		if err != nil {
			return false, err
		}
		tm.push(due, key)
		tm.horizonDue, tm.horizonKey = due, append(tm.horizonKey[:0], key...)
		n++
		return n < tm.batch, nil
	})
	if err != nil {
		tm.heap, tm.keys, tm.used = tm.heap[:0], tm.keys[:0], 0
		tm.horizonDue, tm.horizonKey = fromDue, append(tm.horizonKey[:0], fromKey...)
		return err
	}
	tm.all = n < tm.batch
	before := timers{horizonDue: fromDue, horizonKey: fromKey}
	for i := range t.overlay.changes {
		c := &t.overlay.changes[i]
		if c.due == 0 || c.due == c.committedDue {
			continue // none, or read from the index just now
		}
		if key := entryKey(t.hot.arena.at(c.ref)); !before.covers(c.due, key) && tm.covers(c.due, key) {
			tm.push(c.due, key)
		}
	}
	tm.setLimit()
	return nil
}

// pruneTimers drops what is known to be stale without reading from disk.
func (t *Table) pruneTimers() {
	t.timers.rebuild(func(due int64, key []byte) bool {
		r := t.hot.find(key)
		if r == 0 {
			return !t.hot.complete
		}
		return t.dueOf(r) == due
	})
}
