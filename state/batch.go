package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Batch commits what was put into any number of partitions, together with their
// positions, as one: after a crash all of it is there or none. One goroutine
// uses a Batch; it may be used again after Commit.
type Batch struct {
	store     *Store
	tables    []*Table
	positions []position
	restored  restored

	pb     *pebble.Batch
	timers []timerWrite
}

type position struct {
	partition int32
	record    []byte
}

// timerWrite is a change of the timer index. They are gathered, because the
// memtable takes them faster in their own order than in that of the keys.
type timerWrite struct {
	due    int64
	key    []byte
	delete bool
}

// maxBatch is where Commit gives up; Pebble panics at 4 GiB.
const maxBatch = 2 << 30

// keepBatch is the memory that a Batch keeps from one commit to the next.
const keepBatch = 16 << 20

// NewBatch makes an empty batch.
func (s *Store) NewBatch() *Batch {
	return &Batch{store: s}
}

// AddTable adds the overlay of t and, unless position is nil, the commit record
// of its partition. The owner of t must rest until Commit has returned.
// position must not change until then either.
func (b *Batch) AddTable(t *Table, position []byte) {
	b.tables = append(b.tables, t)
	b.SetPosition(t.partition, position)
}

// SetPosition sets the commit record of a partition. nil leaves it as it is.
func (b *Batch) SetPosition(partition int32, record []byte) {
	if record != nil {
		b.positions = append(b.positions, position{partition, record})
	}
}

// Commit writes the batch. After success the tables' overlays are what is
// committed. After an error nothing was written and the tables are as before.
// In both cases the batch is empty. Batches of different partitions are made side by
// side, and written one at a time.
func (b *Batch) Commit() error {
	defer b.reset()
	if err := b.store.enter(); err != nil {
		return err
	}
	defer b.store.leave()
	b.store.opening.RLock()
	defer b.store.opening.RUnlock()
	if b.pb == nil {
		b.pb = b.store.db.NewBatch(pebble.WithMaxRetainedSizeBytes(keepBatch))
	}
	if err := b.build(); err != nil {
		return fmt.Errorf("commit state: %w", err)
	}
	if !b.pb.Empty() {
		if err := b.store.apply(b.pb); err != nil {
			return fmt.Errorf("commit state: %w", err)
		}
	}
	for _, t := range b.tables {
		t.accept()
	}
	return nil
}

func (b *Batch) reset() {
	if b.pb != nil {
		b.pb.Reset()
	}
	clear(b.tables)
	clear(b.positions)
	b.tables, b.positions = b.tables[:0], b.positions[:0]
	b.restored.reset()
}

// build writes everything into the Pebble batch.
func (b *Batch) build() error {
	for _, t := range b.tables {
		if t.store != b.store {
			return errors.New("a table of another store")
		}
		if err := b.writeTable(t); err != nil {
			return fmt.Errorf("partition %d: %w", t.partition, err)
		}
	}
	if err := b.writeRestored(); err != nil {
		return err
	}
	for _, p := range b.positions {
		if err := checkPartition(p.partition); err != nil {
			return err
		}
		if err := b.pb.Set(appendSpace(nil, spacePosition, p.partition), p.record, nil); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) writeTable(t *Table) error {
	var err error
	t.eachChange(func(key, val []byte, c *change) {
		if err == nil {
			err = b.write(t.partition, key, val, c)
		}
	})
	if err = errors.Join(err, b.writeTimers(t.partition)); err != nil {
		return err
	}
	if t.count != t.committed {
		return b.writeCount(t.partition, t.count)
	}
	return nil
}

// write writes one changed key, and notes what becomes of its timer.
func (b *Batch) write(partition int32, key, val []byte, c *change) error {
	if b.pb.Len() > maxBatch {
		return fmt.Errorf("more than %d GiB in one batch: commit smaller transactions", maxBatch>>30)
	}
	if c.due != c.committedDue {
		if c.committedDue != 0 {
			b.timers = append(b.timers, timerWrite{due: c.committedDue, key: key, delete: true})
		}
		if c.due != 0 {
			b.timers = append(b.timers, timerWrite{due: c.due, key: key})
		}
	}
	if val == nil {
		if !c.existed {
			return nil
		}
		op := b.pb.DeleteDeferred(spaceLen + len(key))
		appendData(op.Key[:0], partition, key)
		return op.Finish()
	}
	var due [binary.MaxVarintLen64]byte
	n := binary.PutVarint(due[:], c.due)
	op := b.pb.SetDeferred(spaceLen+len(key), n+len(val))
	appendData(op.Key[:0], partition, key)
	copy(op.Value[copy(op.Value, due[:n]):], val)
	return op.Finish()
}

// writeTimers writes the gathered timers of a partition and forgets them.
func (b *Batch) writeTimers(partition int32) error {
	slices.SortFunc(b.timers, func(x, y timerWrite) int {
		if x.due != y.due {
			return cmp.Compare(x.due, y.due)
		}
		return bytes.Compare(x.key, y.key)
	})
	defer func() {
		clear(b.timers)
		b.timers = b.timers[:0]
	}()
	for _, w := range b.timers {
		var op *pebble.DeferredBatchOp
		if w.delete {
			op = b.pb.DeleteDeferred(timerLen + len(w.key))
		} else {
			op = b.pb.SetDeferred(timerLen+len(w.key), 0)
		}
		appendTimer(op.Key[:0], partition, w.due, w.key)
		if err := op.Finish(); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) writeCount(partition int32, n int) error {
	return b.pb.Set(appendSpace(nil, spaceCount, partition), binary.AppendUvarint(nil, uint64(n)), nil)
}
