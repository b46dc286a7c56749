package state

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// compactions holds Pebble's compactions back until begin.
type compactions struct {
	// Of Pebble's own scheduler, the one that can be made outside: without the
	// ticker that looks whether more is allowed. What allows more is a flush, which
	// is heard, or the end of a compaction, when it looks by itself.
	*pebble.ConcurrencyLimitScheduler
	open atomic.Bool
}

func newCompactions() *compactions {
	return &compactions{ConcurrencyLimitScheduler: pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()}
}

// begin starts what has waited for Open.
func (c *compactions) begin() {
	c.open.Store(true)
	c.grant()
}

// TrySchedule is Pebble asking whether it may compact now. Refused, it waits for
// a grant.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !c.open.Load() {
		return false, nil
	}
	return c.ConcurrencyLimitScheduler.TrySchedule()
}

// UpdateGetAllowedWithoutPermission is Pebble telling, with its lock held, that
// a flush may have changed how many compactions are allowed.
func (c *compactions) UpdateGetAllowedWithoutPermission() { go c.grant() }

// grant starts compactions that wait, as many as are allowed: that is what the
// scheduler does when one is done.
func (c *compactions) grant() {
	if ok, handle := c.TrySchedule(); ok {
		handle.Done()
	}
}
