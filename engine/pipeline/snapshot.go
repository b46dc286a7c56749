package pipeline

import (
	"context"
	"maps"
	"time"
)

const (
	// A snapshot is due when what came on the log since the latest one has as many
	// bytes as a quarter of that one, and this many at least: so a process that
	// begins reads little more than a snapshot, and what is written for them is a
	// few times the log.
	leastLog      = 8 << 20
	snapshotShare = 4

	saveWithin = 2 * time.Minute // while one is made nothing is counted
	saveAgain  = time.Minute     // after one that failed
)

// considerSnapshot makes one in the background where it is due and the first
// partition is ours: one instance is enough.
func (c *Core) considerSnapshot() {
	s := &c.shared
	if s.log == nil || c.shards[0] == nil || !s.counting.TryLock() {
		return
	}
	if s.bytes < max(c.leastLog, s.size/snapshotShare) || c.now().Before(s.rest) {
		s.counting.Unlock()
		return
	}
	log, at := s.log, maps.Clone(s.at)
	c.background.Go(func() {
		ctx, cancel := context.WithTimeout(c.life, saveWithin)
		defer cancel()
		size := int64(0)
		err := log.Save(ctx, at, func(emit func([]byte) error) error {
			return c.save(func(part []byte) error {
				size += int64(len(part))
				return emit(part)
			})
		})
		if err == nil {
			s.bytes, s.size = 0, size
		} else {
			s.rest = c.now().Add(saveAgain)
		}
		c.observeSnapshot(size, err)
		s.counting.Unlock()
	})
}

func (c *Core) observeSnapshot(size int64, err error) {
	c.statsMu.Lock()
	defer c.statsMu.Unlock()
	if err != nil {
		c.stats.SnapshotsFailed++
		return
	}
	c.stats.Snapshots++
	c.stats.SnapshotBytes = size
}

// save emits all that is shared, in parts. Nobody moves the counts meanwhile.
func (c *Core) save(emit func(part []byte) error) error {
	c.mu.RLock()
	places := maps.Clone(c.clocks)
	models := c.enc.AppendModels(nil, c.models.Load().Learned())
	c.mu.RUnlock()
	var part, scratch []byte
	add := func(tag byte, b []byte) error {
		if len(part) > 0 && len(part)+len(b) > sharedMost {
			if err := emit(part); err != nil {
				return err
			}
			part = part[:0]
		}
		part = appendSection(part, tag, b)
		return nil
	}
	for p, at := range places {
		scratch = appendPlace(scratch[:0], p, at.Position, at.exhausted)
		if err := add(placeSection, scratch); err != nil {
			return err
		}
	}
	if err := add(modelsSection, models); err != nil {
		return err
	}
	if err := add(shiftSection, c.agg.Append(nil)); err != nil {
		return err
	}
	if err := c.counts.Save(sharedMost/2, func(b []byte) error { return add(countsSection, b) }); err != nil {
		return err
	}
	if err := c.dict.Save(sharedMost/2, func(b []byte) error { return add(itemsSection, b) }); err != nil {
		return err
	}
	return emit(part)
}

// Shared emits what is true of all customers as it is here, in the parts of a
// snapshot, for whoever compares it with other instances' or with the ledgers. A
// part's bytes hold until emit returns.
func (c *Core) Shared(emit func(part []byte) error) error {
	c.shared.counting.Lock()
	defer c.shared.counting.Unlock()
	return c.save(emit)
}

// restoreSection takes a section of a snapshot in. c.mu is held.
func (c *Core) restoreSection(tag byte, b []byte) error {
	switch tag {
	case countsSection:
		done, err := c.counts.Load(b)
		c.shared.whole = c.shared.whole || done
		return err
	case itemsSection:
		return c.dict.Load(b)
	}
	return c.takeSection(0, tag, b)
}
