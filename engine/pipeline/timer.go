package pipeline

import (
	"github.com/dangol-dev/dangol/engine/score"
)

// fire rescores every customer whose next crossing is due by until, each at
// its own instant.
func (s *shard) fire(until int64) error {
	for {
		key, _, ok, err := s.table.NextDue(until)
		if err != nil || !ok {
			return err
		}
		s.key = append(s.key[:0], key...)
		if err := s.load(); err != nil {
			return err
		}
		s.catchUp(string(s.key[1:]), until)
		if err := s.put(s.cur); err != nil {
			return err
		}
	}
}

// maxCrossings bounds the crossings of one customer that are told one by one
// after a long sleep; those beyond are told as one.
const maxCrossings = 64

// catchUp tells the loaded customer's crossings up to now, in their order. So a
// crossing before an event is told before the event, wherever the partition's
// clock stands.
func (s *shard) catchUp(id string, now int64) (fired bool) {
	em := &s.cur.em
	for i := 0; em.Next != 0 && em.Next <= now; i++ {
		at, timer := em.Next, em.Timer
		if i >= maxCrossings {
			at = now
		}
		s.tally.timers++
		s.rescore(id, at, score.Cause{Kind: "timer", Timer: timer.String()})
		if em.Next != 0 && em.Next <= at {
			em.Next = at + 1 // time goes on, whatever the scores say
		}
		fired = true
	}
	return fired
}

// tick moves the clock of a partition at its end to the wall clock and fires
// what is due.
func (s *shard) tick(wall int64) error {
	if s.core.cfg.Clock == LiveClock && s.pos.MaxTime != 0 && s.atEnd(wall) {
		s.pos.Clock = max(s.pos.Clock, min(wall, s.pos.Clock+maxClockStep.Milliseconds()))
	}
	if s.table.EarliestDue() <= s.pos.Clock {
		return s.fire(s.pos.Clock)
	}
	return nil
}

func (s *shard) atEnd(wall int64) bool {
	return s.end > 0 && s.pos.Next >= s.end || wall-s.lastRecord > quietAfter.Milliseconds()
}
