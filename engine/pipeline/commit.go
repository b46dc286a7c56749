package pipeline

import "time"

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

// commit lets the store have the transaction, and then the models.
func (c *Core) commit(changelog map[int32]int64, now time.Time) error {
	worked := c.touched()
	if worked {
		b := c.store.NewBatch()
		for p, s := range c.shards {
			if s.touched {
				s.pos.Changelog = changelog[p]
				b.AddTable(s.table, s.pos.Append(nil))
			}
		}
		if err := b.Commit(); err != nil {
			return err
		}
	}
	c.moveModels(worked)
	if !worked {
		return nil
	}
	for _, s := range c.shards {
		s.saved = s.pos
	}
	c.tallyUp(now)
	for _, s := range c.shards {
		s.reset()
	}
	return nil
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
		s.settle(c.agg, c.counts)
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
