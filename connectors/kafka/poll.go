package kafka

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Poll implements pipeline.Session.
func (s *Session) Poll(ctx context.Context, most int) ([]pipeline.Batch, error) {
	if len(s.waiting.queues) == 0 {
		if err := s.fetch(ctx); err != nil {
			return nil, err
		}
	}
	s.activate()
	ours := s.active()
	s.waiting.keep(func(p int32) bool { _, ok := slices.BinarySearch(ours, p); return ok })
	s.mu.Lock()
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	share := max(1, most/runtime.GOMAXPROCS(0)) // something for each processor; of more partitions, their customers would not stay near it
	batches, polled := s.waiting.take(most, share, s.polled)
	s.polled = polled
	return batches, nil
}

// fetch takes what the client has, and waits for something if it has nothing, or
// until a partition is restored.
func (s *Session) fetch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.wakePoll = cancel
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if s.activate() {
		defer time.AfterFunc(soon, cancel).Stop()
	}
	fetches := s.group.PollFetches(ctx)
	fetches.EachError(func(t string, p int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) || errors.Is(e, context.Canceled) || s.seat().rejoins(e) {
			return
		}
		err = errors.Join(err, s.fatal(fmt.Errorf("fetch %s/%d: %w", t, p, e)))
	})
	if err == nil {
		s.waiting.fill(fetches, time.Now().UnixMilli())
	}
	return err
}

// wake ends a fetch that waits.
func (s *Session) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakePoll != nil {
		s.wakePoll()
	}
}
