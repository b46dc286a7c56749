package rhythm

import "math"

// DayMS is a day in milliseconds.
const DayMS = 86_400_000

// farthest is the gap, in days, beyond which no instant is named.
const farthest = 100 * 365.25

// Quantile is the gap at which Survival falls to s, 0 < s < 1, to about tol
// relative, or +Inf where that is farther than a hundred years (in days).
//
// It is Newton's method on ln(−ln S) against ln gap, which is nearly straight
// for Gamma and Lomax gaps alike, inside a bracket.
func (q *Posterior) Quantile(s, tol float64) float64 {
	if s >= 1 {
		return 0
	}
	target := -math.Log(s)
	lo, hi := 0.0, math.Inf(1)
	g := q.guess(s)
	for range 100 {
		v, f := q.survival(g)
		if v > s {
			lo = g
		} else {
			hi = g
		}
		if lo > farthest {
			return math.Inf(1)
		}
		next := math.NaN()
		if v > 0 && v < 1 && f > 0 {
			l := -math.Log(v)
			step := math.Log(l/target) * v * l / (f * g)
			next = g * math.Exp(-step)
			if math.Abs(step) < tol {
				return next
			}
		}
		if !(next > lo && next < hi) {
			switch {
			case math.IsInf(hi, 1):
				next = 4*g + 1
			case lo == 0:
				next = hi / 8
			default:
				next = math.Sqrt(lo * hi)
			}
			if hi-lo <= tol*lo {
				return hi
			}
		}
		g = next
	}
	return g
}

// guess is where Quantile starts: the Wilson–Hilferty approximation of a Gamma
// quantile of the average regularity, with a logistic for the normal one.
func (q *Posterior) guess(s float64) float64 {
	z := math.Log((1-s)/s) / 1.702
	n := 9 * q.k
	root := math.Max(1-1/n+z/math.Sqrt(n), 0.1)
	return q.scale * root * root * root
}

// days converts milliseconds since the last order into the open gap.
func days(ms int64) float64 { return float64(ms) / DayMS }

// Days is the open gap, in days, of a customer silent since last; never
// negative. Every answer about an instant uses this conversion, so that
// instants found by Reach hold to the millisecond.
func Days(last, now int64) float64 { return days(max(now-last, 0)) }

// Reach is the first instant, in Unix milliseconds, at which Overdue of a
// customer whose last order was at last is at least p: true at that
// millisecond and false at the one before. It returns 0 where that is farther
// than a hundred years.
func (q *Posterior) Reach(last int64, p float64) int64 {
	if p <= 0 {
		return last
	}
	g := q.Quantile(1-p, 1e-5)
	if !(g < farthest) {
		return 0
	}
	n := int64(math.Ceil(g * DayMS))
	// The search is exact to far less than a second; walk the rest. Jumps by
	// Newton's step first, then single milliseconds.
	s, f := q.survival(days(n))
	for range 8 {
		jump := int64((s - (1 - p)) / f * DayMS)
		if jump < 2 && jump > -2 || f == 0 {
			break
		}
		n = max(n+jump, 0)
		s, f = q.survival(days(n))
	}
	for 1-s < p {
		n++
		s, f = q.survival(days(n))
	}
	// The slope tells that the millisecond before is too early, unless n is so
	// near the crossing that rounding decides.
	const ms = 1.0 / DayMS
	for n > 0 && 1-s-f*ms*0.999 >= p-1e-12 {
		before, slope := q.survival(days(n - 1))
		if 1-before < p {
			break
		}
		n, s, f = n-1, before, slope
	}
	return last + n
}

// NextGap is the median of the whole gap given that it exceeds e and that the
// customer comes back, to about a thousandth of it: half of such gaps end
// before it. +Inf where it is beyond a hundred years.
func (q *Posterior) NextGap(e float64) float64 { return q.NextGapAt(e, q.Survival(e)) }

// NextGapAt is NextGap where Survival(e) is s.
func (q *Posterior) NextGapAt(e, s float64) float64 {
	if s < 1e-300 {
		return math.Inf(1)
	}
	return max(q.Quantile(s/2, 3e-3), e)
}
