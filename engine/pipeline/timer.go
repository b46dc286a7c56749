package pipeline

import (
	"github.com/dangol-dev/dangol/engine/score"
)

// fireMost bounds the timers of a shard in one transaction; the rest are due in
// the next one.
const fireMost = 20_000

// fire rescores the customers whose next crossing is due by until, each at its
// own instant, the earliest first.
func (s *shard) fire(until int64) error {
	for range fireMost {
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
	return nil
}

// due says whether timers wait for the clock that has passed them.
func (s *shard) due() bool { return s.table.EarliestDue() <= s.pos.Clock }

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
		s.rescore(id, at, score.Cause{Kind: "timer", Timer: timer.String()}, false)
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
	if s.due() {
		if err := s.fire(s.pos.Clock); err != nil {
			return err
		}
	}
	if s.core.shared.log != nil && s.exhausted() && !s.told {
		s.touched = true // others may wait for it
	}
	return s.sweep()
}

// atEnd says whether the partition was at its end by the broker's own, recent
// word.
func (s *shard) atEnd(wall int64) bool {
	return s.endAt != 0 && wall-s.endAt <= endHolds.Milliseconds() && s.pos.Next >= s.end
}
