package rhythm

import "math"

// DayMS is a day in milliseconds.
const DayMS = 86_400_000

// farthest is the gap, in days, beyond which no instant is named.
const farthest = 100 * 365.25

// Quantile is the gap at which Survival falls to s, 0 < s < 1, to about tol
// relative, or +Inf where that is farther than a hundred years (in days).
func (q *Posterior) Quantile(s, tol float64) float64 {
	if s >= 1 {
		return 0
	}
	return q.search(s, tol, q.guess(s))
}

// search is Quantile from a first guess g > 0: Halley's method on ln(−ln S)
// against ln gap, which is nearly straight for Gamma and Lomax gaps alike, inside
// a bracket. It triples the digits with each evaluation.
func (q *Posterior) search(s, tol, g float64) float64 {
	target := -ln(s)
	lo, hi, last := 0.0, math.Inf(1), math.Inf(1)
	for range 100 {
		p := q.At(g)
		if p.Survival > s {
			lo = g
		} else {
			hi = g
		}
		if lo > farthest {
			return math.Inf(1)
		}
		next := math.NaN()
		// Steps that do not halve would swing from one side to the other.
		if d := p.step(target); math.Abs(d) < 700 && (math.Abs(d) < last/2 || lo == 0 || math.IsInf(hi, 1)) {
			last = math.Abs(d)
			next = g * exp(d)
			if math.Abs(d*d*d) < tol {
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

// step is how far ln gap is from where −ln Survival is target, by Halley's
// method; NaN or infinite where the point does not tell.
func (p *Point) step(target float64) float64 {
	if !(p.Survival > 0 && p.Survival < 1 && p.Density > 0) {
		return math.NaN()
	}
	l, hazard := -ln(p.Survival), p.Density/p.Survival
	slope := p.Gap * hazard / l // of ln l against ln gap
	bend := 1 + p.Gap*(p.Slope/p.Density+hazard) - slope
	d := ln(target/l) / slope
	if turn := 1 + bend*d/2; turn > 0.5 && turn < 2 {
		return d / turn
	}
	return d
}

// guess is where Quantile starts. Given k a gap is D/R times an F variable of 2k
// and 2R degrees of freedom; of the average k and R, its quantile by Paulson's
// approximation (1942), with a logistic for the normal one.
func (q *Posterior) guess(s float64) float64 {
	z := ln((1-s)/s) / 1.702
	a, b := 1/(9*q.k), 1/(9*q.r)
	d := (1-b)*(1-b) - b*z*z
	if d < 0.1 { // too heavy a tail
		d = 0.1
	}
	root := ((1-a)*(1-b) + z*math.Sqrt(max((1-a)*(1-a)*b+(1-b)*(1-b)*a-a*b*z*z, 0))) / d
	root = max(root, 0.1)
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
	g := q.Quantile(1-p, 1e-11)
	if !(g < farthest) {
		return 0
	}
	n := int64(math.Ceil(g * DayMS))
	// The search is exact to far less than a second; walk the rest. Jumps by
	// Newton's step first, then single milliseconds.
	at := q.At(days(n))
	for range 8 {
		jump := int64((at.Survival - (1 - p)) / at.Density * DayMS)
		if jump < 2 && jump > -2 || at.Density == 0 {
			break
		}
		n = max(n+jump, 0)
		at = q.At(days(n))
	}
	for 1-at.Survival < p {
		n++
		at = q.At(days(n))
	}
	// The slope tells that the millisecond before is too early, unless n is so
	// near the crossing that rounding decides.
	const ms = 1.0 / DayMS
	for n > 0 && 1-at.Survival-at.Density*ms*0.999 >= p-1e-12 {
		before := q.At(days(n - 1))
		if 1-before.Survival < p {
			break
		}
		n, at = n-1, before
	}
	return last + n
}

// NextGap is the median of the whole gap given that it exceeds e and that the
// customer comes back, to about a thousandth of it: half of such gaps end
// before it. +Inf where it is beyond a hundred years.
func (q *Posterior) NextGap(e float64) float64 {
	p := q.At(e)
	return q.NextGapAt(&p)
}

// NextGapAt is NextGap where what holds at e is known.
func (q *Posterior) NextGapAt(p *Point) float64 {
	s := p.Survival / 2
	if s < 1e-300 {
		return math.Inf(1)
	}
	from := math.Exp(min(p.step(-ln(s)), 3)) * p.Gap
	if !(from > p.Gap) {
		from = q.guess(s)
	}
	return max(q.search(s, 3e-4, from), p.Gap)
}
