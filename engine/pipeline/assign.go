package pipeline

import "fmt"

// Sync opens shards for the partitions assigned. One that is open and no longer
// ours, or was restored since, ends the session: the group will not let this
// transaction commit, and the next session opens everything anew.
func (c *Core) Sync(assigned []int32) error {
	want := make(map[int32]bool, len(assigned))
	for _, p := range assigned {
		want[p] = true
	}
	for p := range c.shards {
		if !want[p] || c.isRestored(p) {
			return errNotCommitted
		}
	}
	opened := false
	for _, p := range assigned {
		if c.shards[p] == nil {
			if err := c.openShard(p); err != nil {
				return fmt.Errorf("open partition %d: %w", p, err)
			}
			opened = true
		}
	}
	if opened {
		c.mu.Lock()
		c.counts.Settle()
		c.mu.Unlock()
	}
	if len(assigned) > 0 && len(c.shards) == len(assigned) {
		c.setReady(nil)
	}
	return nil
}

func (c *Core) setReady(err error) {
	c.mu.Lock()
	c.ready = err
	c.mu.Unlock()
}

func (c *Core) isRestored(p int32) bool {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	return c.restored[p]
}

// stale notes that the store's partition changes under an open shard.
func (c *Core) stale(a Assignment) {
	c.assignMu.Lock()
	c.restored[a.Partition] = true
	c.given[a.Partition] = a
	c.assignMu.Unlock()
}

// openShard makes a shard of the store's partition and adds its customers to
// the models.
func (c *Core) openShard(p int32) error {
	c.assignMu.Lock()
	delete(c.restored, p)
	a := c.given[p]
	c.assignMu.Unlock()
	pos, have, err := c.position(p)
	if err != nil {
		return err
	}
	if !have {
		pos = Position{Next: max(a.Start, 0), Identity: a.Identity}
	}
	table, err := c.store.Table(p)
	if err != nil {
		return err
	}
	dec, err := c.newDecoder()
	if err != nil {
		table.Close()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := newShard(c, p, table, dec, pos)
	if err := c.absorb(p); err != nil {
		table.Close()
		return err
	}
	c.shards[p] = s
	c.clocks[p] = pos
	c.reassigned()
	c.publish()
	return nil
}

func (c *Core) position(p int32) (Position, bool, error) {
	b, ok, err := c.store.Position(p)
	if err != nil || !ok {
		return Position{}, false, err
	}
	pos, err := DecodePosition(b)
	return pos, err == nil, err
}

// closeAll forgets all shards; the store stays.
func (c *Core) closeAll() {
	c.setReady(ErrNotReady)
	for p, s := range c.shards {
		s.table.Abort()
		s.table.Close()
		delete(c.shards, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resetModels()
	c.clocks = map[int32]Position{}
	clear(c.unsaved)
}

// observeEnds takes the broker's word on where its partitions end. idle says
// that polls have given nothing for a while.
func (c *Core) observeEnds(ends map[int32]int64, idle bool, wall int64) {
	for p, s := range c.shards {
		if end, ok := ends[p]; ok {
			s.end, s.endAt, s.idle = end, wall, idle
		}
	}
	c.statsMu.Lock()
	c.placeStats(wall)
	c.statsMu.Unlock()
}
