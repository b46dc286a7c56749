package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
)

// shared is what this process has of the shared log: what is true of all
// customers, of every instance's partitions. All of it is sums and joins, so it
// makes no difference in which order partitions' records come, and all instances
// come to the same.
//
// Counts, population, items and models move by the log alone, by its own
// transactions as by others'; so a transaction that is not committed leaves
// nothing to be taken back.
type shared struct {
	log  SharedLog
	rows basket.Rows // of the records under way
	at   map[int32]int64

	fresh bool // something came, and the models do not know yet
	heard bool // of items, in the records under way

	counting sync.Mutex // held while a snapshot is made, and while counts move; guards what follows
	bytes    int64      // applied since the latest snapshot
	size     int64      // of the latest snapshot
	rest     time.Time  // no other snapshot before
	whole    bool       // the counts of a snapshot were read to their end
}

// Join brings what is true of all customers up to date from the log, once, before
// the first session: from its latest snapshot to its end. It goes on from there
// beside the transactions.
func (c *Core) Join(ctx context.Context, log SharedLog) error {
	c.mu.Lock()
	c.resetShared()
	c.mu.Unlock()
	began, parts := c.now(), 0
	at, err := log.Load(ctx, func(part []byte) error {
		parts++
		c.mu.Lock()
		defer c.mu.Unlock()
		c.shared.size += int64(len(part))
		return eachSection(part, c.restoreSection)
	})
	if err == nil && parts > 0 && !c.shared.whole {
		err = errShared
	}
	if errors.Is(err, basket.ErrCounts) {
		err = fmt.Errorf("%w: %w (for that, stop all instances and run \"dangol rebuild\")", ErrFatal, err)
	}
	if err != nil {
		return fmt.Errorf("snapshot of counts and population: %w", err)
	}
	ends, err := log.Ends(ctx)
	if err != nil {
		return fmt.Errorf("end of the shared log: %w", err)
	}
	c.shared.log, c.shared.at = log, at
	for !reached(c.shared.at, ends) {
		if err := c.pull(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pullEvery):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dict.Each(func(it *basket.Item) { c.publisher.restore(c.counts.Know(event.Hash(it.ID))) })
	c.publish()
	c.joined, c.partitionCount = true, int32(len(at))
	c.statsMu.Lock()
	c.stats.JoinSeconds = c.now().Sub(began).Seconds()
	c.statsMu.Unlock()
	return nil
}

// apart says that what is shared is not known yet.
func (c *Core) apart() {
	c.mu.Lock()
	c.joined = false
	c.mu.Unlock()
}

// errApart says that the shared log cannot be followed from where it was: what is
// shared is to be learned anew.
var errApart = errors.New("shared log")

const pullEvery = 2 * time.Millisecond

func reached(at, ends map[int32]int64) bool {
	for p, end := range ends {
		if at[p] < end {
			return false
		}
	}
	return true
}

// pull applies what has come on the shared log. While a snapshot is made it waits.
func (c *Core) pull() error {
	if !c.shared.counting.TryLock() {
		return nil
	}
	defer c.shared.counting.Unlock()
	recs, at, err := c.shared.log.Poll()
	if err != nil {
		return fmt.Errorf("%w: %w", errApart, err)
	}
	for p, o := range at {
		c.shared.at[p] = o
	}
	if len(recs) == 0 {
		return nil
	}
	return c.take(recs)
}

// take applies records of the shared log.
func (c *Core) take(recs []SharedRecord) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shared.rows.Reset()
	for i := range recs {
		c.shared.bytes += int64(len(recs[i].Value))
		if err := eachSection(recs[i].Value, func(tag byte, b []byte) error { return c.takeSection(recs[i].Partition, tag, b) }); err != nil {
			return fmt.Errorf("%w: shared log, partition %d, offset %d: %w", ErrFatal, recs[i].Partition, recs[i].Offset, err)
		}
	}
	c.count(&c.shared.rows)
	c.shared.fresh = true
	if c.shared.heard {
		c.shared.heard = false
		for _, s := range c.shards {
			s.met.forget()
		}
	}
	return nil
}

// takeSection applies a section but for its rows, which are gathered. c.mu is
// held.
func (c *Core) takeSection(p int32, tag byte, b []byte) error {
	switch tag {
	case rowsSection:
		return c.shared.rows.Decode(b)
	case shiftSection:
		return c.agg.Decode(b)
	case itemSection:
		it, err := basket.DecodeItem(b)
		if err != nil {
			return err
		}
		c.learnItem(it)
		return nil
	case placeSection:
		p, at, err := readPlace(b)
		if err != nil {
			return err
		}
		c.goneTo(p, at)
		return nil
	case modelsSection:
		return c.adopt(b)
	case surveySection:
		return c.takeQuestion(b)
	case answerSection:
		return c.takeAnswer(p, b)
	}
	return fmt.Errorf("%w: section %q is not known here: where a later version writes it, upgrade this instance", errShared, tag)
}

// goneTo notes how far a partition has come. c.mu is held.
func (c *Core) goneTo(p int32, at place) {
	if old := c.clocks[p]; at.Next >= old.Next && at.Clock >= old.Clock {
		c.clocks[p] = at
	}
}

// learnItem takes in what was heard of an item. c.mu is held.
func (c *Core) learnItem(it basket.Item) {
	c.dict.Restore(it)
	c.shared.heard = true
	if e := c.dict.Get(event.Hash(it.ID)); it.Priced != 0 && e != nil {
		c.trends.Load().Price(c.counts.Ref(event.Hash(it.ID)), e.Price.Float())
	}
}

// count moves the co-occurrence counts, the kinds of evidence side by side. c.mu
// is held.
func (c *Core) count(rows *basket.Rows) {
	c.counts.Meet(rows)
	c.publisher.want(c.counts, rows.Items(basket.SameOrder))
	var kinds sync.WaitGroup
	for k := range basket.Kind(basket.NumKinds) {
		kinds.Go(func() { c.counts.ApplyKind(k, rows, +1) })
	}
	kinds.Wait()
}
