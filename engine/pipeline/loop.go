package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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
	// Share opens the log that the application's instances share. nil: there is
	// this process alone, and no log.
	Share func(ctx context.Context) (SharedLog, error)
	Cfg   LoopConfig
	Now   func() time.Time // the wall clock
	Log   *slog.Logger

	began      time.Time // when Run was called, or went on after a session
	committed  bool      // something has been since
	lastCommit time.Time
	lastSaid   time.Time // when the progress of restores was logged
	lastEnds   time.Time // when the broker was last asked where partitions end
}

const (
	backoffLeast = 100 * time.Millisecond
	backoffMost  = 10 * time.Second

	pollMost   = 8_000    // records of one poll
	outputMost = 64 << 20 // bytes of output at which a transaction ends

	endsEvery  = time.Second     // how often the broker is asked where partitions end
	endsWithin = 2 * time.Second // how long it may take to answer
	sayEvery   = 5 * time.Second
	quietFor   = time.Second // no record of a partition for so long: what is left may be control records
)

// errNotCommitted ends a transaction that is not to be, or was not, committed: the
// group has given partitions to somebody else, or may have.
var errNotCommitted = errors.New("the transaction was aborted: the group is rebalancing")

// Run works until ctx ends, opening session after session, and returns nil
// then, or the error that makes going on useless. Between two sessions it
// waits, the longer the more of them failed in a row.
func (l *Loop) Run(ctx context.Context) error {
	if l.Share != nil {
		l.Core.apart()
	}
	defer l.leave()
	wait := backoffLeast
	for {
		began := l.Now()
		l.began, l.committed = began, false
		err := l.join(ctx)
		if err == nil {
			err = l.session(ctx)
		}
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrFatal) {
			return err
		}
		if errors.Is(err, errApart) && !l.forget(ctx) {
			return nil
		}
		if l.Now().Sub(began) > time.Minute {
			wait = backoffLeast
		}
		l.Log.Warn("session ended; opening another", "error", err, "wait", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait + rand.N(wait)):
		}
		wait = min(2*wait, backoffMost)
	}
}

// forget gives the shared log back and what was learned of it up, once nothing in the
// background works on that any more. It is false where ctx ends before.
func (l *Loop) forget(ctx context.Context) bool {
	l.Core.apart()
	idle := make(chan struct{})
	go func() {
		l.Core.background.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		l.leave()
		return true
	case <-ctx.Done():
		return false
	}
}

// join opens the shared log and learns what is in it, unless that has been done.
func (l *Loop) join(ctx context.Context) error {
	if l.Share == nil || l.Core.shared.log != nil {
		return nil
	}
	log, err := l.Share(ctx)
	if err != nil {
		return err
	}
	if err := l.Core.Join(ctx, log); err != nil {
		l.Core.shared.log = nil
		log.Close() // also where the core has not taken it yet
		return err
	}
	l.Log.Info("what all instances share is read", "seconds", l.since())
	return nil
}

// since is how many seconds the session, with all that comes before it, has taken so
// far.
func (l *Loop) since() float64 { return math.Round(1e3*l.Now().Sub(l.began).Seconds()) / 1e3 }

// leave gives the shared log back.
func (l *Loop) leave() {
	if log := l.Core.shared.log; log != nil {
		l.Core.shared.log = nil
		log.Close()
	}
}

// session lives until ctx ends (nil) or something fails.
func (l *Loop) session(ctx context.Context) error {
	s, err := l.Open(ctx, l.Core)
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
		l.sayProgress()
	}
	return nil
}

// sayProgress logs now and then how far restores have come.
func (l *Loop) sayProgress() {
	now := l.Now()
	if now.Sub(l.lastSaid) < sayEvery {
		return
	}
	l.lastSaid = now
	for _, r := range l.Core.restores() {
		l.Log.Info("restoring", "partition", r.Partition, "records", r.Records, "percent", int(100*r.Done), "seconds_left", int(r.SecondsLeft))
	}
}

// transaction carries one through. Where it is not committed, what it did is
// forgotten. After an error the session is done.
func (l *Loop) transaction(ctx context.Context, s Session) error {
	if err := s.Begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := l.collect(ctx, s)
	if err == nil {
		err = l.Core.Finish(l.Now().UnixMilli())
	}
	if err == nil {
		err = l.end(ctx, s)
	} else {
		l.Core.countAbort()
		// To end it spares the successor the wait for its time-out.
		if _, _, endErr := s.End(ctx, false, nil); endErr != nil {
			return fmt.Errorf("%w (because of: %w)", endErr, err)
		}
	}
	if errors.Is(err, errNotCommitted) && !errors.Is(err, errApart) && !errors.Is(err, ErrFatal) {
		l.Core.rollback()
		return nil
	}
	return err
}

// collect polls and applies until the commit is due.
func (l *Loop) collect(ctx context.Context, s Session) error {
	due := l.lastCommit.Add(l.Cfg.CommitInterval)
	left := l.Cfg.MaxRecords
	for {
		wait := due.Sub(l.Now())
		if wait <= 0 {
			if wait = l.Cfg.CommitInterval; l.Core.touched() || l.Core.timersDue() {
				return nil
			}
		}
		pctx, cancel := context.WithTimeout(ctx, wait)
		batches, err := s.Poll(pctx, min(left, pollMost))
		cancel()
		if err != nil {
			return err
		}
		if err := l.Core.Sync(s.Assigned()); err != nil {
			return err
		}
		n, err := l.Core.Process(batches, l.Now().UnixMilli())
		if err != nil {
			return err
		}
		l.askEnds(ctx, s)
		left -= n
		if ctx.Err() != nil || left <= 0 || len(batches) == 0 || !l.Now().Before(due) || l.Core.outputBytes() > outputMost {
			return nil
		}
	}
}

// askEnds learns now and then where the partitions end, so that the clock of one
// that is at its end can follow the wall clock.
func (l *Loop) askEnds(ctx context.Context, s Session) {
	now := l.Now()
	if now.Sub(l.lastEnds) < endsEvery {
		return
	}
	l.lastEnds = now
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	at := l.Core.quiet(now.Add(-quietFor).UnixMilli())
	ends, err := s.Ends(ctx, at)
	if err != nil {
		l.Log.Debug("the input's ends are not known; clocks wait", "error", err)
		return
	}
	l.Core.observeEnds(ends, at, now.UnixMilli())
}

func (l *Loop) end(ctx context.Context, s Session) error {
	began := l.Now()
	c := l.Core
	worked := c.touched()
	c.committing <- struct{}{}
	defer func() { <-c.committing }()
	if err := c.commit(func() (map[int32]int64, error) {
		c.eachOutput(s.Produce)
		committed, positions, err := s.End(ctx, true, c.next())
		if err == nil && !committed {
			err = errNotCommitted
		}
		if err != nil {
			c.countAbort()
		}
		return positions, err
	}); err != nil {
		return err
	}
	l.lastCommit = l.Now()
	if worked && !l.committed {
		l.committed = true
		l.Log.Info("the first transaction is committed", "seconds", l.since())
	}
	c.observeCommit(l.lastCommit.Sub(began))
	c.considerFit()
	c.considerSnapshot()
	return nil
}
