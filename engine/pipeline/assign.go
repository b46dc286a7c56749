package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Sync opens shards for the partitions assigned, and closes those that are no
// longer ours, or were restored since they were opened. What the open transaction
// has done in one of these cannot be committed: errNotCommitted.
func (c *Core) Sync(assigned []int32) error {
	changed := false
	for p, s := range c.shards {
		if slices.Contains(assigned, p) && !c.isRestored(p) {
			continue
		}
		if s.touched {
			return errNotCommitted
		}
		c.closeShard(p)
		changed = true
	}
	for _, p := range assigned {
		if c.shards[p] == nil {
			if err := c.openShard(p); err != nil {
				return fmt.Errorf("open partition %d: %w", p, err)
			}
			changed = true
		}
	}
	if changed {
		c.reassigned()
	}
	return nil
}

// reassigned tells queries which partitions are open.
func (c *Core) reassigned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision++
	c.ours = slices.Sorted(maps.Keys(c.shards))
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

// openShard makes a shard of the store's partition.
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
	c.shards[p] = newShard(c, p, table, dec, pos)
	c.mu.Lock()
	c.clocks[p] = place{Position: pos}
	if p == 0 {
		c.learning.last = fitting{} // whoever had it may have asked, and not come to the end
	}
	c.mu.Unlock()
	c.publisher.succeed(func(item basket.Ref) bool { return c.tells(item) == p })
	c.settle(p)
	c.gatherContacts(c.shards[p])
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

func (c *Core) closeShard(p int32) {
	s := c.shards[p]
	s.closed.Store(true)
	s.table.Abort()
	s.table.Close()
	delete(c.shards, p)
}

// closeAll forgets all shards; the store stays, and what is shared.
func (c *Core) closeAll() {
	for p := range c.shards {
		c.closeShard(p)
	}
	c.reassigned()
	c.publisher.rollback()
	c.statsMu.Lock()
	c.placeStats(0)
	c.statsMu.Unlock()
	c.mu.Lock()
	c.openedAt = time.Time{}
	c.learning.forget()
	c.mu.Unlock()
}

// rollback forgets what the transaction did, which was not committed. The records
// come again.
func (c *Core) rollback() {
	for _, s := range c.shards {
		if s.touched {
			s.rollback()
		}
	}
	c.publisher.rollback()
}

// quiet is where those open partitions stand that have given no record since an instant
// in Unix ms.
func (c *Core) quiet(since int64) map[int32]int64 {
	at := make(map[int32]int64, len(c.shards))
	for p, s := range c.shards {
		if s.gaveAt <= since {
			at[p] = s.pos.Next
		}
	}
	return at
}

// observeEnds takes the broker's word on where its partitions end, and where those go on
// that have no record before that.
func (c *Core) observeEnds(ends, at map[int32]int64, wall int64) {
	for p, s := range c.shards {
		if end, ok := ends[p]; ok {
			s.end, s.endAt = end, wall
		}
		if next := at[p]; next > s.pos.Next {
			s.pos.Next, s.touched = next, true // so that nobody takes what is deleted there for unread
		}
	}
	c.statsMu.Lock()
	c.placeStats(wall)
	c.statsMu.Unlock()
}
