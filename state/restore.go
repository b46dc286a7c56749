package state

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// restored gathers what is put into partitions without a table: entries in the
// order they came, their bytes in one buffer.
type restored struct {
	bytes   []byte
	entries []restoredEntry
}

type restoredEntry struct {
	partition int32
	delete    bool
	at        int // of the key in bytes; the value follows
	key, val  int // lengths
	due       int64
}

func (r *restored) reset() {
	if cap(r.bytes) > keepBatch {
		*r = restored{}
	}
	r.bytes, r.entries = r.bytes[:0], r.entries[:0]
}

func (r *restored) keyOf(e restoredEntry) []byte { return r.bytes[e.at : e.at+e.key] }

func (r *restored) valOf(e restoredEntry) []byte {
	if e.delete {
		return nil
	}
	return r.bytes[e.at+e.key : e.at+e.key+e.val]
}

// Put puts a key into a partition that has no open table, as a restore does.
// The last value of a key counts; nil deletes it. Its bytes are copied.
func (b *Batch) Put(partition int32, key, val []byte, due int64) error {
	if err := checkPartition(partition); err != nil {
		return err
	}
	if err := checkEntry(key, val); err != nil {
		return err
	}
	if val == nil {
		due = 0
	}
	r := &b.restored
	r.entries = append(r.entries, restoredEntry{partition, val == nil, len(r.bytes), len(key), len(val), due})
	r.bytes = append(append(r.bytes, key...), val...)
	return nil
}

// writeRestored writes what Put gathered, partition by partition in key order.
func (b *Batch) writeRestored() error {
	r := &b.restored
	slices.SortStableFunc(r.entries, func(x, y restoredEntry) int {
		if x.partition != y.partition {
			return cmp.Compare(x.partition, y.partition)
		}
		return bytes.Compare(r.keyOf(x), r.keyOf(y))
	})
	for from := 0; from < len(r.entries); {
		to := from
		for to < len(r.entries) && r.entries[to].partition == r.entries[from].partition {
			to++
		}
		if err := b.restorePartition(r.entries[from].partition, r.entries[from:to]); err != nil {
			return fmt.Errorf("partition %d: %w", r.entries[from].partition, err)
		}
		from = to
	}
	return nil
}

func (b *Batch) restorePartition(partition int32, entries []restoredEntry) error {
	b.store.mu.Lock()
	_, open := b.store.tables[partition]
	b.store.mu.Unlock()
	if open {
		return fmt.Errorf("its table is open; put into the table")
	}
	before, err := b.store.count(partition)
	if err != nil {
		return err
	}
	count := before
	var k []byte
	for i, e := range entries {
		key, val := b.restored.keyOf(e), b.restored.valOf(e)
		if i+1 < len(entries) && bytes.Equal(key, b.restored.keyOf(entries[i+1])) {
			continue // a later one counts
		}
		c := change{due: e.due}
		k = appendData(k[:0], partition, key)
		c.existed, err = b.store.view(k, func(stored []byte) (err error) {
			c.committedDue, _, err = splitValue(stored)
			return err
		})
		if err != nil {
			return err
		}
		if c.existed {
			count--
		}
		if val != nil {
			count++
		}
		if err := b.write(partition, key, val, &c); err != nil {
			return err
		}
	}
	if err := b.writeTimers(partition); err != nil {
		return err
	}
	if count != before {
		return b.writeCount(partition, count)
	}
	return nil
}
