package state

import "sync/atomic"

// budget is the memory that the hot sets of a store share. A set may take what
// the others leave; once the whole is used, it may still grow up to an even
// share, and those above theirs shrink the next time their owner works. So the
// bound can be passed for a while, by what partitions at rest hold above their
// share, and by changes that are not committed yet.
type budget struct {
	limit int64
	used  atomic.Int64
	sets  atomic.Int64
}

func (b *budget) share() int64 { return b.limit / max(1, b.sets.Load()) }

// allows reports whether a set that holds own bytes may take n more.
func (b *budget) allows(own, n int64) bool {
	return b.used.Load()+n <= b.limit || own+n <= b.share()
}

// exceeded reports whether a set that holds own bytes has to shrink.
func (b *budget) exceeded(own int64) bool {
	return b.used.Load() > b.limit && own > b.share()
}
