package pipeline

import (
	"fmt"
	"sync"

	"github.com/dangol-dev/dangol/engine/basket"
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

// commit lets end end the transaction, and beside it moves the counts, which takes
// about as long; where it is not committed, they move back. Then the store has the
// transaction, and the models move. changelog holds the offset after the last
// record of each partition that was touched.
func (c *Core) commit(end func() (changelog map[int32]int64, err error)) error {
	worked := c.touched()
	var counted sync.WaitGroup
	counted.Go(func() { c.count(+1) })
	changelog, err := end()
	ended := c.now()
	counted.Wait()
	if err != nil {
		c.count(-1)
		return err
	}
	if worked {
		if err := c.write(changelog); err != nil {
			return fmt.Errorf("%w: write to the store after the commit: %w", ErrFatal, err)
		}
	}
	c.moveModels(worked)
	if !worked {
		return nil
	}
	for _, s := range c.shards {
		s.saved = s.pos
	}
	c.tallyUp(ended)
	for _, s := range c.shards {
		s.reset()
	}
	return nil
}

// count moves the co-occurrence counts by what the transaction changed (+1), or
// back (−1): the kinds of evidence side by side.
func (c *Core) count(sign int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.shards {
		c.counts.Meet(&s.lines)
		c.publisher.want(c.counts, s.lines.Items(basket.SameOrder))
	}
	var kinds sync.WaitGroup
	for k := range basket.Kind(basket.NumKinds) {
		kinds.Go(func() {
			for _, s := range c.shards {
				c.counts.ApplyKind(k, &s.lines, sign)
			}
		})
	}
	kinds.Wait()
}

// write puts what the transaction changed into the store, and beside that moves
// what knows of customers.
func (c *Core) write(changelog map[int32]int64) error {
	var settled sync.WaitGroup
	settled.Go(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.shards {
			s.settle(c.agg)
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
		c.clocks[p] = s.pos
	}
	c.adopt()
	if worked {
		clear(c.unsaved)
		c.publish()
	}
	if events > 0 {
		c.revision++
	}
}
