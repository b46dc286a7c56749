package kafka

import (
	"context"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const (
	lookEvery   = 3 * time.Second // how often the group is looked at, besides after each rebalance
	followAgain = 5 * time.Second // after a follower failed
)

// lookAround tells watch that the group may have changed.
func (s *Session) lookAround() {
	select {
	case s.look <- struct{}{}:
	default:
	}
}

// watch keeps a follower of each partition that this instance is a standby of.
func (s *Session) watch() {
	following := map[int32]*task{}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-s.look:
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(s.life, rollWithin)
		now, err := s.members.refresh(ctx, 0)
		cancel()
		if err != nil {
			s.log.Debug("the group's members are not known; standbys stay as they are", "error", err)
			continue
		}
		s.follow(following, now)
	}
}

// follow starts and ends followers as the group's members now demand.
func (s *Session) follow(following map[int32]*task, now roll) {
	var wanted []int32
	for _, m := range now.members {
		if m.Instance == s.cfg.Instance {
			wanted = m.Standby
		}
	}
	held := s.held()
	s.mu.Lock()
	defer s.mu.Unlock()
	// What is ours, or the pipeline may still be writing, nobody follows.
	wanted = slices.DeleteFunc(slices.Clone(wanted), func(p int32) bool {
		_, holds := held[p]
		return s.parts[p] != nil || holds || slices.Contains(s.handed, p)
	})
	for p, t := range following {
		if s.tasks[p] != t {
			delete(following, p) // the partition came to us
		} else if !slices.Contains(wanted, p) {
			t.cancel()
			delete(following, p)
		}
	}
	for _, p := range wanted {
		if following[p] == nil {
			following[p] = s.work(p, func(ctx context.Context) { s.keepUp(ctx, p) })
		}
	}
}

// keepUp follows a partition until ctx ends. What goes wrong is said once: a
// partition that is not followed is restored when it comes.
func (s *Session) keepUp(ctx context.Context, p int32) {
	a := pipeline.Assignment{Partition: p, Committed: -1, Identity: s.id}
	said := false
	for ctx.Err() == nil {
		err := s.keeper.Follow(ctx, a, s.changelog)
		if err != nil && ctx.Err() == nil && !said {
			said = true
			s.log.Warn("a standby falls behind; it is tried again", "partition", p, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(followAgain):
		}
	}
}
