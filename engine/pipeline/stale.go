package pipeline

import (
	"maps"
	"slices"
)

// Where sessions work without transactions, one that was away may write to the
// changelog behind its successor's back. Readers know that such a value does not
// count, but compaction does not: it would keep it and drop the one that does. So
// the keys are remembered, and the partition's next transaction writes them again.

// noteStale remembers a key of the changelog whose latest value there does not count.
func (c *Core) noteStale(p int32, key []byte) {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	if c.stales[p] == nil {
		c.stales[p] = map[string]bool{}
	}
	c.stales[p][string(key)] = true
}

// renew has the open transaction, if it is to say anything of the partition, write
// again what was found stale.
func (s *shard) renew() error {
	if !s.touched {
		return nil
	}
	s.core.assignMu.Lock()
	keys := slices.Sorted(maps.Keys(s.core.stales[s.part]))
	s.core.assignMu.Unlock()
	for _, key := range keys {
		if err := s.table.Renew([]byte(key)); err != nil {
			return err
		}
	}
	return nil
}

// renewed forgets what the transaction just committed has written again.
func (s *shard) renewed() {
	if s.touched {
		s.core.assignMu.Lock()
		delete(s.core.stales, s.part)
		s.core.assignMu.Unlock()
	}
}
