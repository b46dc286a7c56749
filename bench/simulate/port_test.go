//go:build synctests

package simulate

import (
	"context"
	"errors"
	"maps"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The ports of the pipeline, each with the steps at which the process may die or
// stand still around what is really there.

// session is a pipeline.Session.
type session struct {
	pipeline.Session
	life  *life
	wrote bool // a transaction has ended, and the store has it at the next step
}

func (s *session) step(at string) { s.life.step(at) }

func (s *session) Assigned() []int32 {
	ps := s.Session.Assigned()
	s.life.setAssigned(ps)
	return ps
}

func (s *session) Begin() error {
	if s.wrote {
		s.wrote = false
		s.step("after the store")
	}
	s.step("before begin")
	return s.Session.Begin()
}

func (s *session) Poll(ctx context.Context, most int) ([]pipeline.Batch, error) {
	s.step("before poll")
	batches, err := s.Session.Poll(ctx, most)
	if len(batches) > 0 {
		s.step("after poll")
	}
	return batches, err
}

func (s *session) Ends(ctx context.Context, at map[int32]int64) (map[int32]int64, error) {
	s.step("after process")
	return s.Session.Ends(ctx, at)
}

func (s *session) Produce(outs []pipeline.Output) {
	s.step("before produce")
	s.Session.Produce(outs)
	s.step("after produce")
}

func (s *session) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	if len(next) == 0 { // nothing was done
		return s.Session.End(ctx, commit, next)
	}
	s.step("before end")
	committed, positions, err := s.Session.End(ctx, commit, next)
	if committed {
		s.step("after end before the store")
		s.wrote = true
	}
	return committed, positions, err
}

// lossy is a session whose client may give up on an answer after the transaction has
// been committed.
type lossy struct {
	pipeline.Session
	life *life
}

func (s *lossy) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	committed, positions, err := s.Session.End(ctx, commit, next)
	if committed && len(next) > 0 && s.life.inst.w.fault("answer to the end lost") {
		return false, nil, errors.New("simulate: no answer to the end of the transaction")
	}
	return committed, positions, err
}

// keeper is a pipeline.Keeper.
type keeper struct {
	pipeline.Keeper
	life *life
}

func (k *keeper) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	start, err := k.Keeper.Restore(ctx, a, &changelog{log, k.life})
	if err == nil {
		err = k.life.stepBeside("after a restore")
	}
	return start, err
}

func (k *keeper) Follow(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) error {
	return k.Keeper.Follow(ctx, a, &changelog{log, k.life})
}

// changelog is a pipeline.ChangelogReader.
type changelog struct {
	pipeline.ChangelogReader
	life *life
}

func (c *changelog) Read(ctx context.Context, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
	return c.ChangelogReader.Read(ctx, p, from, func(recs []pipeline.LogRecord, upTo int64) error {
		if err := c.life.stepBeside("in a restore"); err != nil {
			return err
		}
		return fn(recs, upTo)
	})
}

func (c *changelog) Follow(ctx context.Context, p int32, from int64, fn func([]pipeline.LogRecord) error) error {
	return c.ChangelogReader.Follow(ctx, p, from, func(recs []pipeline.LogRecord) error {
		if err := c.life.stepBeside("in a follow"); err != nil {
			return err
		}
		return fn(recs)
	})
}

// shared is a pipeline.SharedLog.
type shared struct {
	pipeline.SharedLog
	life *life
}

func (s *shared) Load(ctx context.Context, fn func([]byte) error) (map[int32]int64, error) {
	at, err := s.SharedLog.Load(ctx, func(part []byte) error {
		if err := s.life.stepBeside("in a load"); err != nil {
			return err
		}
		return fn(part)
	})
	s.life.heard(at)
	return at, err
}

func (s *shared) Poll() ([]pipeline.SharedRecord, map[int32]int64, error) {
	recs, at, err := s.SharedLog.Poll()
	s.life.heard(at)
	return recs, at, err
}

func (s *shared) Save(ctx context.Context, at map[int32]int64, write func(func([]byte) error) error) error {
	err := s.SharedLog.Save(ctx, maps.Clone(at), func(emit func([]byte) error) error {
		return write(func(part []byte) error {
			if err := s.life.stepBeside("in a snapshot save"); err != nil {
				return err
			}
			return emit(part)
		})
	})
	if err == nil {
		s.life.inst.w.count("snapshots")
		err = s.life.stepBeside("after a snapshot save")
	}
	return err
}
