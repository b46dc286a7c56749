package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// LoopConfig says how the loop cuts the stream into transactions.
type LoopConfig struct {
	CommitInterval time.Duration `yaml:"commit_interval" doc:"least time between two commits under load; a quiet stream commits at once; 1ms to 10s"`
	MaxRecords     int           `yaml:"max_records" doc:"most records of one transaction; 1 to 1000000"`
}

// DefaultLoopConfig commits ten times a second under load.
func DefaultLoopConfig() LoopConfig {
	return LoopConfig{CommitInterval: 100 * time.Millisecond, MaxRecords: 50_000}
}

// Validate reports every fault.
func (c *LoopConfig) Validate() error {
	var errs []error
	if c.CommitInterval < time.Millisecond || c.CommitInterval > 10*time.Second {
		errs = append(errs, fmt.Errorf("commit_interval: %s is outside 1ms to 10s", c.CommitInterval))
	}
	if c.MaxRecords < 1 || c.MaxRecords > 1_000_000 {
		errs = append(errs, fmt.Errorf("max_records: %d is outside 1 to 1000000", c.MaxRecords))
	}
	return errors.Join(errs...)
}

// ErrFatal wraps an error that a new session would meet again: the loop stops.
var ErrFatal = errors.New("cannot go on")

// Loop carries records from sessions through a Core, a transaction at a time:
// poll, apply, produce, end, and only then let the store have it.
//
// Whatever goes wrong in between, the store holds what was committed and the
// broker knows what was: a dead session's successor compares the two and reads
// the difference back from the changelog.
type Loop struct {
	Core *Core
	Open OpenFunc
	Cfg  LoopConfig
	Now  func() time.Time // the wall clock
	Log  *slog.Logger

	lastCommit time.Time
}

const (
	backoffLeast = 100 * time.Millisecond
	backoffMost  = 10 * time.Second
)

// Run works until ctx ends, opening session after session, and returns nil
// then, or the error that makes going on useless. Between two sessions it
// waits, the longer the more of them failed in a row.
func (l *Loop) Run(ctx context.Context) error {
	wait := backoffLeast
	for {
		began := l.Now()
		err := l.session(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrFatal) {
			return err
		}
		if l.Now().Sub(began) > time.Minute {
			wait = backoffLeast
		}
		l.Log.Error("session ended; opening another", "error", err, "wait", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait + rand.N(wait)):
		}
		wait = min(2*wait, backoffMost)
	}
}

// session lives until ctx ends (nil) or something fails.
func (l *Loop) session(ctx context.Context) error {
	s, err := l.Open(ctx, l.Core.Restore)
	if err != nil {
		return err
	}
	l.Core.sessionOpened()
	defer l.Core.closeAll()
	defer s.Close()
	for ctx.Err() == nil {
		if err := l.transaction(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loop) transaction(ctx context.Context, s Session) error {
	if err := s.Begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	ok, err := l.collect(ctx, s)
	if err != nil {
		// Nothing of it may be committed; ending it spares the successor's wait.
		_, _, endErr := s.End(ctx, false, nil)
		l.Core.abort()
		return errors.Join(err, endErr)
	}
	if ok {
		if err := l.Core.Finish(l.Now().UnixMilli()); err != nil {
			_, _, endErr := s.End(ctx, false, nil)
			l.Core.abort()
			return errors.Join(err, endErr)
		}
		l.Core.eachOutput(s.Produce)
	}
	return l.end(ctx, s, ok)
}

// collect polls and applies until the commit is due. It returns false when the
// session handed out a partition that it has lost since: nothing may be
// committed then.
func (l *Loop) collect(ctx context.Context, s Session) (bool, error) {
	due := l.lastCommit.Add(l.Cfg.CommitInterval)
	left := l.Cfg.MaxRecords
	for {
		now := l.Now()
		wait := due.Sub(now)
		if wait <= 0 {
			wait = l.Cfg.CommitInterval
			if l.Core.touched() {
				return true, nil
			}
		}
		pctx, cancel := context.WithTimeout(ctx, wait)
		batches, err := s.Poll(pctx, left)
		cancel()
		if err != nil {
			return false, err
		}
		if err := l.Core.Sync(s.Assigned()); err != nil {
			return false, err
		}
		n, ok, err := l.Core.Process(batches, l.Now().UnixMilli())
		if err != nil || !ok {
			return ok, err
		}
		left -= n
		switch now = l.Now(); {
		case ctx.Err() != nil, left <= 0, len(batches) == 0, !now.Before(due):
			return true, nil
		}
	}
}

func (l *Loop) end(ctx context.Context, s Session, commit bool) error {
	began := l.Now()
	c := l.Core
	// A partition that comes back to us is restored only once what is committed
	// of it is in the store.
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	committed, positions, err := s.End(ctx, commit, c.next())
	if err != nil {
		c.abort()
		return err
	}
	if !committed {
		c.abort()
		l.lastCommit = l.Now()
		return nil
	}
	if err := c.commit(positions, l.Now()); err != nil {
		return fmt.Errorf("%w: write to the store after the commit: %w", ErrFatal, err)
	}
	l.lastCommit = l.Now()
	c.observeCommit(l.lastCommit.Sub(began))
	return nil
}
