package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// RestoreStats is how far the restore of a partition has come.
type RestoreStats struct {
	Partition   int32
	Records     int     // of the changelog, read so far
	Done        float64 // share of the log, 0 to 1
	SecondsLeft float64 // at the pace so far; 0 while that is not known
}

// restoring is the restore of a partition that was assigned.
type restoring struct {
	began          time.Time
	from, at, upTo int64 // offsets in the changelog
	records        int
}

func (r *restoring) stats(p int32, now time.Time) RestoreStats {
	s := RestoreStats{Partition: p, Records: r.records}
	if r.upTo > r.from {
		s.Done = float64(r.at-r.from) / float64(r.upTo-r.from)
	}
	if s.Done > 0 {
		s.SecondsLeft = now.Sub(r.began).Seconds() * (1 - s.Done) / s.Done
	}
	return s
}

// restores are those under way, up to when the partition is opened, by partition.
func (c *Core) restores() []RestoreStats {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	now := c.now()
	var all []RestoreStats
	for p, r := range c.restoring {
		all = append(all, r.stats(p, now))
	}
	slices.SortFunc(all, func(a, b RestoreStats) int { return cmp.Compare(a.Partition, b.Partition) })
	return all
}

// Ready implements Query.
func (c *Core) Ready() error {
	if err := c.serves(); err != nil {
		return err
	}
	rs := c.restores()
	if len(rs) == 0 {
		return nil
	}
	records, left := 0, 0.0
	for _, r := range rs {
		records, left = records+r.Records, max(left, r.SecondsLeft)
	}
	return fmt.Errorf("%w: %d partitions are being restored, %d records read, about %.0f s left", ErrNotReady, len(rs), records, left)
}

// serves says why there is nothing yet to answer from.
func (c *Core) serves() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case !c.joined:
		return fmt.Errorf("%w: counts and population are being read", ErrNotReady)
	case len(c.ours) == 0 && (c.openedAt.IsZero() || c.now().Sub(c.openedAt) < unassigned):
		return fmt.Errorf("%w: no partition is assigned", ErrNotReady)
	}
	return nil
}

// unassigned is for how long a process without a partition may be one that has not
// been given any yet. After that it is one too many, and answers what it can.
const unassigned = 30 * time.Second

// beginRestore notes that a partition is being restored, or waits for that, until it
// is open, or taken away again.
func (c *Core) beginRestore(ctx context.Context, p int32) *restoring {
	r := &restoring{}
	c.assignMu.Lock()
	c.restoring[p] = r
	c.assignMu.Unlock()
	context.AfterFunc(ctx, func() {
		c.assignMu.Lock()
		defer c.assignMu.Unlock()
		if c.restoring[p] == r {
			delete(c.restoring, p)
		}
	})
	return r
}

// readFrom notes that the restore reads, from an offset of the changelog.
func (c *Core) readFrom(r *restoring, at int64) {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	r.began, r.from, r.at = c.now(), at, at
}

// readOn notes how far a restore has come.
func (c *Core) readOn(r *restoring, recs []LogRecord, upTo int64) {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	if r.upTo == 0 {
		r.from = max(r.from, recs[0].Offset) // where the log begins
	}
	r.at, r.upTo, r.records = recs[len(recs)-1].Offset+1, upTo, r.records+len(recs)
}

// settle notes that a partition is open, or that its restore was given up.
func (c *Core) settle(p int32) {
	c.assignMu.Lock()
	delete(c.restoring, p)
	c.assignMu.Unlock()
}

// closed waits until a partition that the group took and gave again is closed here.
func (c *Core) closed(ctx context.Context, p int32) error {
	for {
		c.mu.RLock()
		open := slices.Contains(c.ours, p)
		c.mu.RUnlock()
		if !open {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pullEvery):
		}
	}
}
