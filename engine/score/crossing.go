package score

import (
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// NextCrossing is the next instant after the one computed last at which time
// alone makes Diff find something, and what it crosses; 0 where it never does
// within a hundred years of the last order. em is what Diff returned for that
// customer. It is exact to the millisecond as long as facts and models stay.
func (s *Scorer) NextCrossing(em *Emission) (int64, Timer) {
	n := nearest{now: s.now}
	if s.f.last == 0 {
		return 0, NoTimer
	}
	if days, ok := s.cuts().NextRecency(int(s.today - s.f.day)); ok && days < 1<<20 {
		n.consider(s.rules.Calendar.Start(s.f.day+int32(days)), TimerRecency)
	}
	if s.f.leaves != 0 {
		n.consider(s.rules.Calendar.Start(s.f.leaves), TimerWindow)
	}
	if s.overdue > 0 {
		n.consider(s.f.last+s.overdue, TimerOverdue)
	}
	n.consider(s.place.Next, TimerStage)
	s.probabilityCrossing(em, &n)
	return n.at, n.timer
}

// nearest keeps the earliest instant after now; among equals the first named.
type nearest struct {
	now, at int64
	timer   Timer
}

func (n *nearest) consider(at int64, t Timer) {
	if at > n.now && (n.at == 0 || at < n.at) {
		n.at, n.timer = at, t
	}
}

// farthest is how far after the last order a crossing of the probability is
// looked for, in ms.
const farthest = 36_525 * rhythm.DayMS

// probabilityCrossing considers the instant at which the churn probability
// leaves its band or has moved by a step.
func (s *Scorer) probabilityCrossing(em *Emission, n *nearest) {
	if em.Band == NoBand {
		return
	}
	until := int64(farthest)
	if n.at != 0 {
		until = min(until, n.at-1-s.f.last) // a later one is of no interest
	}
	at := int64(0)
	if m := s.models; s.q == m.prior.Fresh() && em.Probability == m.freshExit.from && em.Band == m.freshExit.band {
		at = m.freshExit.at // known: nothing lies between the order and it
	} else {
		x := newExit(&s.cfg, s.q, em.Probability, em.Band)
		at = x.search(s.here, until)
	}
	if at == 0 {
		return
	}
	timer := TimerProbability
	lo, hi := s.cfg.bandRange(em.Band)
	if p := s.churnAt(rhythm.Days(0, at)); p <= lo || p >= hi {
		timer = TimerBand
	}
	n.consider(s.f.last+at, timer)
}

// freshExit is the first exit of a customer with one order, whose probability
// was emitted at the moment of it.
type freshExit struct {
	from uint32 // the probability emitted, in millionths
	band Band
	at   int64 // silence in ms; 0: none
}

func newFreshExit(cfg *Config, prior *rhythm.Prior, churn float64) freshExit {
	f := freshExit{from: millionths(churn), band: cfg.band(churn, NoBand)}
	x := newExit(cfg, prior.Fresh(), f.from, f.band)
	f.at = x.search(x.at(0), farthest)
	return f
}
