package score

import (
	"github.com/dangol-dev/dangol/engine/ledger"
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
	m := s.models
	known := s.curve.model == nil && s.q == m.prior.Fresh() && em.Probability == m.freshExit.from && em.Band == m.freshExit.band
	if known { // nothing lies between the order and it
		at = m.freshExit.at
	} else {
		at = s.exitByWeeks(em, until)
	}
	if at == 0 {
		return
	}
	timer := TimerProbability
	lo, hi := s.cfg.bandRange(em.Band)
	if p := s.probabilityAt(at); p <= lo || p >= hi {
		timer = TimerBand
	}
	n.consider(s.f.last+at, timer)
}

// exitByWeeks looks for the exit week by week, as long as there is behaviour that
// fades in one.
func (s *Scorer) exitByWeeks(em *Emission, until int64) int64 {
	c := s.curve
	x := newExit(&s.cfg, &c, em.Probability, em.Band)
	here := s.here
	if c.behaviour == nil {
		return x.search(here, until)
	}
	fades := c.behaviour.fades(s.week)
	for week := s.week + 1; week <= c.behaviour.week+behaviourWeeks; week++ {
		before := fades
		if fades = c.behaviour.fades(week); !before && !fades {
			continue
		}
		next := c
		monday := s.enter(&next, week)
		if monday > until {
			break
		}
		if at := x.search(here, monday-1); at != 0 {
			return at
		}
		c = next
		if here = c.at(monday); x.outside(here.p) {
			return monday
		}
	}
	return x.search(here, until)
}

// probabilityAt is the churn probability after a silence in ms, if nothing
// happens until then.
func (s *Scorer) probabilityAt(silence int64) float64 {
	c := s.curve
	if c.behaviour != nil {
		s.enter(&c, ledger.Week(s.rules.Calendar.Day(s.f.last+silence)))
	}
	return c.at(silence).p
}

// freshExit is the first exit of a customer with one order, whose probability
// was emitted at the moment of it, where the rhythm answers alone.
type freshExit struct {
	from uint32 // the probability emitted, in millionths
	band Band
	at   int64 // silence in ms; 0: none
}

func newFreshExit(cfg *Config, prior *rhythm.Prior, churn float64) freshExit {
	f := freshExit{from: millionths(churn), band: cfg.band(churn, NoBand)}
	c := curve{q: prior.Fresh(), horizon: float64(cfg.HorizonDays)}
	x := newExit(cfg, &c, f.from, f.band)
	f.at = x.search(x.at(0), farthest)
	return f
}
