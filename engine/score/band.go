package score

import "math"

// band is where the churn probability lies, given the band it was in: it is
// left only when the probability has passed a limit by the margin, so that one
// that lingers at a limit does not flap. From NoBand the plain limits count.
func (c *Config) band(p float64, from Band) Band {
	if from == NoBand {
		switch {
		case p >= c.BandLimits[1]:
			return High
		case p >= c.BandLimits[0]:
			return Medium
		}
		return Low
	}
	if lo, hi := c.bandRange(from); p > lo && p < hi {
		return from
	}
	return c.band(p, NoBand)
}

// bandRange is the open interval of probabilities in which a band is kept.
func (c *Config) bandRange(b Band) (lo, hi float64) {
	low, high := c.BandLimits[0], c.BandLimits[1]
	switch b {
	case Low:
		return math.Inf(-1), low + c.BandMargin
	case Medium:
		return low - c.BandMargin, high + c.BandMargin
	}
	return high - c.BandMargin, math.Inf(1)
}

// stepRange is the open interval of probabilities that differ from the one
// last emitted by less than a step.
func (c *Config) stepRange(emitted uint32) (lo, hi float64) {
	p := float64(emitted) / 1e6
	return p - c.ProbabilityStep, p + c.ProbabilityStep
}

// millionths is a probability as an Emission keeps it.
func millionths(p float64) uint32 { return uint32(math.Round(p * 1e6)) }
