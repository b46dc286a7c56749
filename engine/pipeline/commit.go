package pipeline

import (
	"errors"
	"fmt"
	"sync"
)

func (c *Core) eachOutput(produce func([]Output)) {
	for _, s := range c.shards {
		if s.touched {
			produce(s.out.outputs())
		}
	}
}

// outputBytes is how much the open transaction has to say so far.
func (c *Core) outputBytes() int {
	n := 0
	for _, s := range c.shards {
		n += len(s.out.arena)
	}
	return n
}

func (c *Core) touched() bool {
	for _, s := range c.shards {
		if s.touched {
			return true
		}
	}
	return false
}

// next is the input offset to go on from, of each partition that was touched.
func (c *Core) next() map[int32]int64 {
	next := map[int32]int64{}
	for p, s := range c.shards {
		if s.touched {
			next[p] = s.pos.Next
		}
	}
	return next
}

// commit lets end end the transaction, and beside it takes in what came on the
// shared log. Then the store has the transaction, and the models move. changelog
// holds the offset after the last record of each partition that was touched.
func (c *Core) commit(end func() (changelog map[int32]int64, err error)) error {
	worked := c.touched()
	var pulled sync.WaitGroup
	var pullErr error
	if c.shared.log != nil {
		pulled.Go(func() { pullErr = c.pull() })
		defer pulled.Wait()
	}
	changelog, err := end()
	ended := c.now()
	pulled.Wait()
	if err != nil {
		return errors.Join(err, pullErr)
	}
	if worked {
		if err := c.write(changelog); err != nil {
			return fmt.Errorf("%w: write to the store after the commit: %w", ErrFatal, err)
		}
	}
	if worked && c.shared.log == nil {
		pullErr = c.takeOwn()
	}
	c.moveModels(worked)
	if !worked || pullErr != nil {
		return pullErr
	}
	for _, s := range c.shards {
		s.saved = s.pos
	}
	c.tallyUp(ended)
	for _, s := range c.shards {
		s.renewed()
		s.reset()
	}
	return nil
}

// takeOwn takes in what the transaction has said to all, where there is no log.
func (c *Core) takeOwn() error {
	var recs []SharedRecord
	for p, s := range c.shards {
		for _, o := range s.out.outputs() {
			if o.To == Pairs {
				recs = append(recs, SharedRecord{Partition: p, Value: o.Value})
			}
		}
	}
	return c.take(recs)
}

// write puts what the transaction changed into the store, and beside that moves
// what knows of customers.
func (c *Core) write(changelog map[int32]int64) error {
	var settled sync.WaitGroup
	settled.Go(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.shards {
			s.settle()
		}
	})
	defer settled.Wait()
	b := c.store.NewBatch()
	for p, s := range c.shards {
		if s.touched {
			s.pos.Changelog = changelog[p]
			b.AddTable(s.table, s.pos.Append(nil))
		}
	}
	return b.Commit()
}

// moveModels tells queries what was committed. Clocks go on where nothing
// happens, too.
func (c *Core) moveModels(worked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := uint64(0)
	for p, s := range c.shards {
		events += s.tally.events
		c.clocks[p] = place{s.pos, s.exhausted()}
	}
	if worked {
		c.learning.told(c.shards[0] != nil)
	}
	if worked || c.shared.fresh {
		c.shared.fresh, c.busyAt = false, c.now()
	}
	if c.busyAt != c.restAt && c.shared.counting.TryLock() { // while a snapshot is made the counts rest
		if c.atRest() { // all is said
			c.restAt = c.busyAt
			c.counts.Settle()
		}
		c.publish()
		c.shared.counting.Unlock()
	}
	if events > 0 {
		c.revision++
	}
}
