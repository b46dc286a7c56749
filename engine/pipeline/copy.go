package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// StandbyStats is a partition of another instance that this one keeps a copy of.
type StandbyStats struct {
	Partition  int32
	NextOffset int64 // of the input, as far as the copy knows
	Clock      int64 // Unix ms
}

// follow notes how far the copy of another's partition has come.
func (c *Core) follow(p int32, pos Position) {
	c.assignMu.Lock()
	c.followed[p] = pos
	c.assignMu.Unlock()
}

func (c *Core) unfollow(p int32) {
	c.assignMu.Lock()
	delete(c.followed, p)
	c.assignMu.Unlock()
}

func (c *Core) standbys() []StandbyStats {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	var all []StandbyStats
	for p, pos := range c.followed {
		all = append(all, StandbyStats{p, pos.Next, pos.Clock})
	}
	slices.SortFunc(all, func(a, b StandbyStats) int { return cmp.Compare(a.Partition, b.Partition) })
	return all
}

// Held are the partitions that are open here.
func (c *Core) Held() []int32 { return c.partitions() }

// Copy computes the document of a customer from a copy of another instance's
// partition. age is how far the copy is behind what its owner has told of on the
// shared log. ErrNotFound: no copy has the customer.
func (c *Core) Copy(_ context.Context, id string) (doc *score.Scores, age time.Duration, err error) {
	c.assignMu.Lock()
	copies := maps.Clone(c.followed)
	c.assignMu.Unlock()
	var led ledger.Ledger
	var em score.Emission
	p, err := c.find(id, slices.Sorted(maps.Keys(copies)), &led, &em)
	if err != nil {
		return nil, 0, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	now := c.clocks[p]
	if now.Next > copies[p].Next {
		age = time.Duration(max(now.Clock-copies[p].Clock, 0)) * time.Millisecond
	}
	doc, err = c.document(id, &led, &em, max(now.Clock, copies[p].Clock))
	return doc, age, err
}
