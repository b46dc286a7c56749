package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"golang.org/x/sync/errgroup"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const (
	sharedHold  = 8 << 20                // bytes that wait for a Poll, beyond which nothing more is fetched
	sharedFetch = 2 << 20                // bytes of one fetch, about
	sharedRetry = 200 * time.Millisecond // between a failure and the next attempt
	tellAfter   = 5                      // failures in a row: a leader that moves is none to tell of
)

// begin reads on from some offsets.
func (s *Shared) begin(at map[int32]int64) {
	s.next = maps.Clone(at)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stop, s.done = cancel, done
	go func() {
		defer close(done)
		s.follow(ctx)
	}()
}

// halt ends the reading, and forgets what waits for a Poll.
func (s *Shared) halt() {
	if s.stop != nil {
		s.stop()
		<-s.done
		s.stop = nil
	}
	s.moved, s.queue, s.held, s.failed = map[int32]int64{}, nil, 0, nil
}

// follow reads until ctx ends or something is wrong that does not pass.
func (s *Shared) follow(ctx context.Context) {
	failures := 0
	for {
		some, err := s.round(ctx)
		if ctx.Err() != nil {
			return
		}
		if err := s.lasting(err); err != nil {
			s.mu.Lock()
			s.failed = err
			s.mu.Unlock()
			return
		}
		if failures++; some {
			failures = 1
		}
		if failures == tellAfter {
			s.log.Warn("the shared log could not be read; it is tried again", "topic", s.pairs.topic, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sharedRetry):
		}
	}
}

// lasting is what Poll says of an error that does not pass by itself.
func (s *Shared) lasting(err error) error {
	switch {
	case errors.Is(err, errRecreated):
		return fmt.Errorf("%w: %w while this process ran: stop all instances, and start with a new app_id", pipeline.ErrFatal, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("%w: the right to read topic %q is missing: %w", pipeline.ErrFatal, s.pairs.topic, err)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fmt.Errorf("this process has stood still for so long that the shared log goes on without what it has not read; "+
			"it begins anew with the latest snapshot: %w", err)
	}
	return nil
}

// round reads from every leader until one of them fails, and says whether one has
// answered.
func (s *Shared) round(ctx context.Context) (some bool, err error) {
	leaders, err := s.pairs.leaders(ctx)
	if err != nil {
		return false, err
	}
	var answered atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	for leader, parts := range leaders {
		group.Go(func() error {
			for {
				from, err := s.want(ctx, parts)
				if err != nil {
					return err
				}
				got, err := s.pairs.fetch(ctx, leader, from, fetchWait)
				s.take(got)
				if err != nil {
					return err
				}
				answered.Store(true)
			}
		})
	}
	err = group.Wait()
	return answered.Load(), err
}

// want is what to fetch next of some partitions, once there is room for it.
func (s *Shared) want(ctx context.Context, parts []int32) (map[int32]int64, error) {
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.room.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.held > sharedHold && ctx.Err() == nil {
		s.room.Wait()
	}
	from := make(map[int32]int64, len(parts))
	for _, p := range parts {
		from[p] = s.next[p]
	}
	return from, ctx.Err()
}

// take queues what came.
func (s *Shared) take(got []fetched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range got {
		for _, r := range f.records {
			s.queue = append(s.queue, pipeline.SharedRecord{Partition: f.partition, Offset: r.Offset, Value: r.Value})
			s.held += len(r.Value) + 64
		}
		if f.next > s.next[f.partition] {
			s.next[f.partition], s.moved[f.partition] = f.next, f.next
		}
	}
}
