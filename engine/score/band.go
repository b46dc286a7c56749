package score

import "math"

// band is where the churn probability lies, given the band it was in: it is
// left only when the probability has passed a limit by the margin, so that one
// that lingers at a limit does not flap. From NoBand the plain limits count.
func (s *Scorer) band(p float64, from Band) Band {
	if from == NoBand {
		switch {
		case p >= s.cfg.BandLimits[1]:
			return High
		case p >= s.cfg.BandLimits[0]:
			return Medium
		}
		return Low
	}
	if lo, hi := s.bandRange(from); p > lo && p < hi {
		return from
	}
	return s.band(p, NoBand)
}

// bandRange is the open interval of probabilities in which a band is kept.
func (s *Scorer) bandRange(b Band) (lo, hi float64) {
	low, high := s.cfg.BandLimits[0], s.cfg.BandLimits[1]
	switch b {
	case Low:
		return math.Inf(-1), low + s.cfg.BandMargin
	case Medium:
		return low - s.cfg.BandMargin, high + s.cfg.BandMargin
	}
	return high - s.cfg.BandMargin, math.Inf(1)
}

// stepRange is the open interval of probabilities that differ from the one
// last emitted by less than a step.
func (s *Scorer) stepRange(em *Emission) (lo, hi float64) {
	p := float64(em.Probability) / 1e6
	return p - s.cfg.ProbabilityStep, p + s.cfg.ProbabilityStep
}

// millionths is a probability as an Emission keeps it.
func millionths(p float64) uint32 { return uint32(math.Round(p * 1e6)) }
