package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/nextbest"
)

func (c *Core) sessionOpened() {
	c.mu.Lock()
	c.openedAt = c.now()
	c.mu.Unlock()
	c.statsMu.Lock()
	c.stats.Sessions++
	c.statsMu.Unlock()
}

// tallyUp brings the committed transaction into the statistics.
func (c *Core) tallyUp(now time.Time) {
	c.statsMu.Lock()
	defer c.statsMu.Unlock()
	wall := now.UnixMilli()
	c.stats.Commits++
	for _, s := range c.shards {
		s.tally.into(&c.stats, wall)
		if n := len(s.tally.latency); n > 0 {
			s.doneAt = s.tally.latency[n-1].at
		}
	}
	c.placeStats(wall)
}

// placeStats brings the positions in the statistics up to date. statsMu is held.
func (c *Core) placeStats(wall int64) {
	c.stats.Partitions = c.stats.Partitions[:0]
	for _, s := range c.shards {
		p := PartitionStats{
			Partition: s.part, NextOffset: s.saved.Next, Lag: max(s.end-s.saved.Next, 0),
			Watermark: max(watermark(s.saved.MaxTime, s.rules.Lateness), 0), Clock: s.pos.Clock,
		}
		if p.Lag > 0 && s.doneAt != 0 {
			p.LagSeconds = max(float64(wall-s.doneAt)/1e3, 0)
		}
		c.stats.Partitions = append(c.stats.Partitions, p)
	}
}

func (c *Core) countAbort() {
	c.statsMu.Lock()
	c.stats.Aborts++
	c.statsMu.Unlock()
}

func (c *Core) observeCommit(took time.Duration) {
	c.statsMu.Lock()
	c.stats.CommitSeconds += took.Seconds()
	c.stats.LastCommit = took.Seconds()
	c.statsMu.Unlock()
}

// Stats returns a copy of the counters. It serves many goroutines.
func (c *Core) Stats() Stats {
	c.statsMu.Lock()
	s := c.stats
	s.Rejects = maps.Clone(s.Rejects)
	s.Partitions = slices.Clone(s.Partitions)
	c.statsMu.Unlock()
	slices.SortFunc(s.Partitions, func(a, b PartitionStats) int { return int(a.Partition - b.Partition) })
	c.mu.RLock()
	p := c.agg.Population(0, c.models.Load().Cuts)
	s.Customers, s.Buyers = p.Customers, p.Buyers
	s.Learned = c.models.Load().Learned()
	s.Fits = FitStats{Failed: c.learning.failed, Seconds: c.learning.seconds}
	s.Verdict = c.lessons.verdict
	c.basketStats(&s)
	c.mu.RUnlock()
	m := c.store.Metrics()
	s.HotBytes, s.HotHits, s.HotMisses = m.HotBytes, uint64(m.HotHits), uint64(m.HotMisses)
	s.StateBytes = m.DiskBytes
	s.Restoring, s.Standby = c.restores(), c.standbys()
	return s
}

// basketStats takes the figures of items and counts. c.mu is held.
func (c *Core) basketStats(s *Stats) {
	s.Items, s.ItemCollisions = c.dict.Len(), c.dict.Collisions()
	s.Pairs, s.Triples, s.CountsBytes = c.counts.Pairs(), c.counts.Triples(), c.counts.Bytes()
	s.Dropped, s.GiantBaskets = c.counts.Dropped(), c.counts.Giants()
}

// Judged is how well one way to offer foretold one part of the orders' items.
type Judged struct {
	By   string // dangol, favourites, popularity
	Part string // all, new, repeated
	nextbest.Hits
}

// Judged tells the verdict by name: every way and part, also before an order was
// judged. Orders is the same for every way.
func (s *Stats) Judged() []Judged {
	var all []Judged
	for way, by := range nextbest.JudgedNames {
		for part, name := range nextbest.PartNames {
			all = append(all, Judged{by, name, s.Verdict[way][part]})
		}
	}
	return all
}
