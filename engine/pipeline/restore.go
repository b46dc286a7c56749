package pipeline

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/state"
)

// ErrForeign says that the state is of another cluster or application. It is of no
// use here, and perhaps somebody else's.
var ErrForeign = errors.New("the state directory belongs to another cluster or app_id")

// errAnew is of a topic whose offsets do not mean what they meant.
var errAnew = errors.New("the input topic or the changelog was deleted and made anew, or input.topic is another one: offsets begin again, so the state does not fit; " +
	"restore the topics, or start over with a new app_id and an empty state.dir")

// errBlank is of an application that has state, and nothing that is true of all its
// customers.
var errBlank = errors.New("there is state, but neither a snapshot nor a record of the log that all instances share: their topics (.pairs, .population) were deleted; " +
	"bring them back from a backup, or stop all instances and run \"dangol rebuild\", which counts again from the changelog")

// blank says that the shared log has told of no partition.
func (c *Core) blank() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.partitionCount > 0 && len(c.clocks) == 0
}

// known says whether state of an identity is of an assignment's.
func (a *Assignment) known(identity uint64) error {
	switch {
	case identity>>32 != a.Identity>>32:
		return ErrForeign
	case identity != a.Identity:
		return errAnew
	}
	return nil
}

// Restore brings the store's partition up to the group's committed offset, from
// the changelog where the store is behind, and returns the offset to go on
// from. The state is the authority:
//
//   - the store is behind (a kill lost its unflushed tail, or the disk): the
//     tail is replayed. Whether it is, the offsets do not tell, for timers
//     change the state and leave them as they are; so the changelog is always
//     read from where the store stands.
//   - the store and the changelog are ahead (the group's offsets were lost or
//     set back): go on from the state's own offset, so nothing counts twice.
//   - both are behind the group: refused, for what lies between is lost.
//   - all are behind what the input still has: its retention was shorter than a standstill.
//     Refused, or gone on without, as Assignment.Skip says.
//
// It implements Keeper.
func (c *Core) Restore(ctx context.Context, a Assignment, log ChangelogReader) (int64, error) {
	under := c.beginRestore(ctx, a.Partition)
	start, err := c.restore(ctx, a, log, under)
	if err != nil {
		c.settle(a.Partition)
		return 0, err
	}
	return start, nil
}

func (c *Core) restore(ctx context.Context, a Assignment, log ChangelogReader, under *restoring) (int64, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := c.barrier(ctx); err != nil {
		return 0, err
	}
	c.stale(a)
	if err := c.closed(ctx, a.Partition); err != nil {
		return 0, err
	}
	r, err := c.newRestorer(&a)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFatal, err)
	}
	c.readFrom(under, r.pos.Changelog)
	start, err := r.run(ctx, &a, log, under)
	if err != nil {
		return 0, err
	}
	if r.records > 0 {
		c.observeRecovery(r.records, c.now().Sub(under.began))
	}
	return start, nil
}

// newRestorer begins where the store stands.
func (c *Core) newRestorer(a *Assignment) (*restorer, error) {
	pos, have, err := c.position(a.Partition)
	if err == nil && have {
		err = a.known(pos.Identity)
	}
	if err == nil && have && pos.Next > 0 && c.blank() {
		err = errBlank
	}
	if err != nil {
		return nil, fmt.Errorf("state of partition %d: %w", a.Partition, err)
	}
	pos.Identity = a.Identity
	return &restorer{core: c, partition: a.Partition, pos: pos, have: have}, nil
}

// run reads the changelog to its end and says where the partition goes on.
func (r *restorer) run(ctx context.Context, a *Assignment, log ChangelogReader, under *restoring) (int64, error) {
	end, err := log.Read(ctx, a.Partition, r.pos.Changelog, func(recs []LogRecord, upTo int64) error {
		r.core.readOn(under, recs, upTo)
		return r.transaction(recs)
	})
	if err != nil {
		return 0, fmt.Errorf("changelog: %w", err)
	}
	if err := r.close(end); err != nil {
		return 0, err
	}
	if r.have && r.pos.Next < a.Kept && a.Committed <= a.Kept {
		if a.Skip == nil {
			return 0, fmt.Errorf("%w: the input has lost offsets %d to %d before they were read: its retention was shorter than the standstill, or somebody deleted records; "+
				"go on without them with input.deleted: skip", ErrFatal, r.pos.Next, a.Kept-1)
		}
		next := r.pos.Next
		if err := r.skip(a.Kept); err != nil {
			return 0, err
		}
		a.Skip(next, a.Kept-1)
	}
	switch {
	case r.have && r.pos.Next >= a.Committed:
		return r.pos.Next, nil
	case !r.have && a.Committed <= 0:
		return a.Start, nil
	}
	return 0, fmt.Errorf("%w: the group has committed offset %d, but state and changelog know the input only up to %d: "+
		"the changelog was deleted or belongs to another app_id; restore the topic, or start over with a new app_id",
		ErrFatal, a.Committed, r.pos.Next)
}

// Follow implements Keeper.
func (c *Core) Follow(ctx context.Context, a Assignment, log ChangelogReader) error {
	if err := c.closed(ctx, a.Partition); err != nil {
		return err
	}
	r, err := c.newRestorer(&a)
	if err != nil {
		return err
	}
	c.follow(a.Partition, r.pos)
	defer c.unfollow(a.Partition)
	if err := log.Follow(ctx, a.Partition, r.pos.Changelog, func(recs []LogRecord) error {
		err := r.transaction(recs)
		c.follow(a.Partition, r.pos)
		return err
	}); err != nil && ctx.Err() == nil {
		return fmt.Errorf("changelog: %w", err)
	}
	return nil
}

// barrier waits until no transaction is between its end and the store.
func (c *Core) barrier(ctx context.Context) error {
	select {
	case c.committing <- struct{}{}:
		<-c.committing
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// restorer applies whole transactions to the store.
type restorer struct {
	core      *Core
	partition int32
	pos       Position
	have      bool
	records   int
	stale     int64 // changelog offset from which something stale lies that is not written again yet; 0: none
}

func (r *restorer) transaction(recs []LogRecord) error {
	b := r.core.store.NewBatch()
	for _, rec := range recs {
		r.records++
		if len(rec.Key) == 0 {
			return fmt.Errorf("record without a key at offset %d", rec.Offset)
		}
		if rec.Stale {
			if rec.Key[0] != positionKey { // each transaction writes that one
				r.core.noteStale(r.partition, rec.Key)
				r.stale = cmp.Or(r.stale, max(r.pos.Changelog, 1))
			}
			continue
		}
		if IsCommit(rec.Key) {
			pos, err := DecodePosition(rec.Value)
			if err != nil {
				return fmt.Errorf("offset %d: %w", rec.Offset, err)
			}
			pos.Identity = r.pos.Identity
			r.pos, r.have = pos, true
			continue
		}
		if err := r.put(b, rec); err != nil {
			return fmt.Errorf("offset %d: %w", rec.Offset, err)
		}
	}
	r.pos.Changelog = recs[len(recs)-1].Offset + 1
	if r.have {
		r.save(b)
	}
	return b.Commit()
}

// save puts the position. Who dies before it has written what is stale again is to
// find it again.
func (r *restorer) save(b *state.Batch) {
	pos := r.pos
	if r.stale > 0 {
		pos.Changelog = r.stale
	}
	b.SetPosition(r.partition, pos.Append(nil))
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
	return r.keep()
}

// skip goes on at a later offset of the input. The changelog says so with the
// partition's next commit.
func (r *restorer) skip(to int64) error {
	r.pos.Next = to
	return r.keep()
}

// keep saves the position alone.
func (r *restorer) keep() error {
	b := r.core.store.NewBatch()
	r.save(b)
	return b.Commit()
}

// IsCommit says whether a changelog record's key is that of a partition's commit
// record, a transaction's last.
func IsCommit(key []byte) bool { return len(key) > 0 && key[0] == positionKey }

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
