package state

import (
	"fmt"
	"math"
)

// fill brings a new table to what is committed.
func (t *Table) fill() error {
	count, err := t.store.count(t.partition)
	if err != nil {
		return err
	}
	t.count, t.committed = count, count
	if err := t.preload(); err != nil {
		return err
	}
	t.timers = timers{horizonDue: math.MinInt64, batch: t.store.tuning.timerBatch}
	if err := t.loadTimers(); err != nil {
		return err
	}
	t.publish()
	return nil
}

// preload reads the partition in key order while its part of the budget lasts.
// Where all fits, the table is complete and never asks the disk again.
func (t *Table) preload() error {
	stored, err := t.store.Partitions()
	if err != nil {
		return err
	}
	b := t.hot.budget
	// The other partitions are likely to be opened next.
	part := b.limit / max(b.sets.Load(), int64(len(stored)))
	n, whole := 0, true
	from, to := appendSpace(nil, spaceData, t.partition), spaceEnd(spaceData, t.partition)
	err = t.store.iterate(from, to, func(k, v []byte) (bool, error) {
		next := max(t.hot.arena.chunkBytes(), int64(len(k)+len(v)+headerLen)) + t.hot.index.bytes()
		if t.hot.own+next > part || b.used.Load()+next > b.limit {
			whole = false
			return false, nil
		}
		due, val, err := splitValue(v)
		if err != nil {
			return false, err
		}
		n++
		_, err = t.hot.insert(k[spaceLen:], val, 0, due)
		return true, err
	})
	if err != nil {
		return err
	}
	if whole && n != t.count {
		return fmt.Errorf("it has %d keys, its count says %d: %w", n, t.count, ErrDamaged)
	}
	t.hot.complete = whole && t.hot.evictions == 0
	return nil
}
