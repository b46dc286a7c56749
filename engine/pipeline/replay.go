package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/dangol-dev/dangol/engine/event"
)

// Replay carries events in event-time order through a Core with no Kafka: one
// partition, time moved by the events alone.
type Replay struct {
	Core *Core
	// Output sees what would have been produced; nil: nobody does.
	Output func([]Output) error
	// Batch is the most events of one transaction; 0: 1,000. A transaction also
	// ends with its calendar day, so that the models are never older than that.
	Batch int
	// NoFits learns nothing on the way, for whom only the facts matter: what is
	// asked of an instant (EachCustomer, Examine, ModelsAt) is learned from them
	// alone, whatever was learned before.
	NoFits bool
}

// replayPartition is the one partition of a replay.
const replayPartition = 0

// Run applies what next yields, until it returns io.EOF, then moves the clock
// to asOf (Unix ms; 0: the newest event's time) and fires what is due by then.
// It returns the instant at which it stopped. Events further ahead of the wall
// clock than Config.FutureSkew are counted as rejects and left out.
func (r *Replay) Run(ctx context.Context, next func(*event.Event) error, asOf int64) (int64, error) {
	c := r.Core
	if err := c.Sync([]int32{replayPartition}); err != nil {
		return 0, err
	}
	s := c.shards[replayPartition]
	batch := r.Batch
	if batch == 0 {
		batch = 1_000
	}
	limit := c.now().Add(c.cfg.FutureSkew).UnixMilli()
	day := int32(math.MinInt32)
	for n := 0; ; {
		s.ev.Reset()
		err := next(s.ev)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if s.ev.Time > limit {
			s.tally.rejects[event.FutureTime]++
			s.touched = true
			continue
		}
		if c.began == 0 {
			c.began = s.ev.Time
		}
		if today := c.calendar.Day(s.ev.Time); n >= batch || today > day {
			if err := errors.Join(ctx.Err(), r.commit(ctx, fitGrowth)); err != nil {
				return 0, err
			}
			n, day = 0, today
		}
		n++
		s.touched = true
		s.pos.Next++
		if err := s.apply(); err != nil {
			return 0, err
		}
	}
	if asOf == 0 {
		asOf = s.pos.MaxTime
	}
	if s.pos.Clock < asOf {
		s.pos.Clock, s.touched = asOf, true
	}
	if err := r.commit(ctx, fitGrowth); err != nil {
		return asOf, err
	}
	return asOf, r.commit(ctx, 0) // and so the models are settled
}

// fitGrowth is by how much a history must have grown for another fit before its
// end.
const fitGrowth = 1.5

// commit fits where growth says so, ends a transaction, and goes on while timers
// are due.
func (r *Replay) commit(ctx context.Context, growth float64) error {
	c := r.Core
	if !r.NoFits {
		if err := c.fitNow(ctx, growth); err != nil {
			return err
		}
	}
	for {
		if err := c.Finish(0); err != nil {
			return err
		}
		if err := c.commit(r.tell); err != nil || !c.timersDue() {
			return err
		}
	}
}

// tell gives Output what the transaction says. It has no changelog.
func (r *Replay) tell() (map[int32]int64, error) {
	if r.Output == nil {
		return nil, nil
	}
	for _, s := range r.Core.shards {
		if err := r.Output(s.out.outputs()); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
	}
	return nil, nil
}
