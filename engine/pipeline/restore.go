package pipeline

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/state"
)

// Restore brings the store's partition up to the group's committed offset, from
// the changelog where the store is behind, and returns the offset to go on
// from. The state is the authority:
//
//   - the store has seen up to committed: nothing to do.
//   - the store is behind (a kill lost its unflushed tail, or the disk): the
//     tail is replayed.
//   - the store and the changelog are ahead (the group's offsets were lost or
//     set back): go on from the state's own offset, so nothing counts twice.
//   - both are behind committed: refused, for what lies between is lost.
//
// It implements RestoreFunc.
func (c *Core) Restore(ctx context.Context, partition int32, committed int64, log ChangelogReader) (int64, error) {
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	c.stale(partition)
	pos, have, err := c.position(partition)
	if err != nil {
		return 0, err
	}
	if have && pos.Next == committed {
		return committed, nil
	}
	began := c.now()
	r := &restorer{core: c, partition: partition, pos: pos, have: have}
	end, err := log.Read(ctx, partition, pos.Changelog, r.transaction)
	if err != nil {
		return 0, fmt.Errorf("changelog: %w", err)
	}
	if err := r.close(end); err != nil {
		return 0, err
	}
	c.observeRecovery(r.records, c.now().Sub(began))
	if r.have && r.pos.Next >= committed {
		return r.pos.Next, nil
	}
	if !r.have && committed <= 0 {
		return committed, nil
	}
	return 0, fmt.Errorf("%w: the group has committed offset %d, but state and changelog know the input only up to %d: "+
		"the changelog was deleted or belongs to another app_id; restore the topic, or start over with a new app_id",
		ErrFatal, committed, r.pos.Next)
}

// restorer applies whole transactions to the store.
type restorer struct {
	core      *Core
	partition int32
	pos       Position
	have      bool
	records   int
	moved     bool
}

func (r *restorer) transaction(recs []LogRecord) error {
	b := r.core.store.NewBatch()
	for _, rec := range recs {
		r.records++
		if len(rec.Key) == 0 {
			return fmt.Errorf("record without a key at offset %d", rec.Offset)
		}
		if rec.Key[0] == positionKey {
			pos, err := DecodePosition(rec.Value)
			if err != nil {
				return fmt.Errorf("offset %d: %w", rec.Offset, err)
			}
			r.pos, r.have = pos, true
			continue
		}
		if err := r.put(b, rec); err != nil {
			return fmt.Errorf("offset %d: %w", rec.Offset, err)
		}
	}
	r.pos.Changelog = recs[len(recs)-1].Offset + 1
	r.moved = true
	if r.have {
		b.SetPosition(r.partition, r.pos.Append(nil))
	}
	return b.Commit()
}

func (r *restorer) put(b *state.Batch, rec LogRecord) error {
	if rec.Value == nil {
		return b.Put(r.partition, rec.Key, nil, 0)
	}
	val, due, err := splitLogValue(rec.Value)
	if err != nil {
		return err
	}
	return b.Put(r.partition, rec.Key, val, due)
}

// close notes how far the changelog was read, so that the next restore does not
// read its last control records again.
func (r *restorer) close(end int64) error {
	if !r.have || end <= r.pos.Changelog {
		return nil
	}
	r.pos.Changelog = end
	b := r.core.store.NewBatch()
	b.SetPosition(r.partition, r.pos.Append(nil))
	return b.Commit()
}

// positionLogKey is the changelog's key of a partition's commit record.
func positionLogKey(partition int32) []byte {
	return binary.BigEndian.AppendUint32([]byte{positionKey}, uint32(partition))
}

func (c *Core) observeRecovery(records int, took time.Duration) {
	c.statsMu.Lock()
	defer c.statsMu.Unlock()
	c.stats.Recoveries++
	c.stats.RecoveredRecs += uint64(records)
	c.stats.RecoverySecs = took.Seconds()
}
