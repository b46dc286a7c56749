package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/rhythm"
)

// exit looks for the first instant at which the churn probability leaves the
// open interval (lo, hi). p need not be monotone: a regular customer's falls
// towards the day the next order is due and rises after it. But its parts are
// (see curve.bounds), which proves most stretches free of a crossing by their
// ends alone. What remains is a short stretch around the crossing, where p is
// smooth and its slope known. Silences are in ms.
type exit struct {
	*curve
	lo, hi float64
}

// newExit looks for where a probability emitted in a band leaves it, or has
// moved by a step.
func newExit(cfg *Config, c *curve, emitted uint32, b Band) exit {
	stepLo, stepHi := cfg.stepRange(emitted)
	bandLo, bandHi := cfg.bandRange(b)
	x := exit{curve: c, lo: math.Max(stepLo, bandLo), hi: math.Min(stepHi, bandHi)}
	// A probability does not get there.
	if x.hi > 1 {
		x.hi = math.Inf(1)
	}
	if x.lo < 0 {
		x.lo = math.Inf(-1)
	}
	return x
}

func (x *exit) outside(p float64) bool { return p <= x.lo || p >= x.hi }

// free says whether nothing can leave the interval between a and b.
func (x *exit) free(a, b *point) bool {
	lo, hi := x.bounds(a, b)
	return hi < x.hi && lo > x.lo
}

// search returns the first silence after a, and not after until, that lies
// outside; 0: none. Points that lie too far ahead to prove the stretch to them
// free wait, the nearest last.
func (x *exit) search(a point, until int64) int64 {
	var ahead [6]point
	for n := 0; a.ms < until; {
		short := x.short(&a)
		if n == 0 {
			ahead[0], n = x.at(min(a.ms+x.step(&a, short, until), until)), 1
		}
		b := &ahead[n-1]
		switch {
		case x.free(&a, b):
		case b.ms-a.ms <= tiny || b.ms-a.ms <= short && a.clamped == b.clamped:
			if at := x.within(&a, b); at != 0 {
				return at
			}
		default:
			if n < len(ahead) {
				n++
			}
			ahead[n-1] = x.at(a.ms + x.split(&a, b, short))
			continue
		}
		a = *b
		n--
	}
	return 0
}

// tiny is the stretch, in ms, within which a kink is of no account.
const tiny = 1000

// short is a stretch after a within which p hardly bends, but for kinks: short
// beside the customer's gaps, and beside what the learned terms move with.
func (x *exit) short(a *point) int64 {
	days := x.q.Scale()
	if x.model != nil {
		days = min(days, x.horizon, 1+rhythm.Days(0, a.ms))
	}
	return max(3_600_000, int64(days*0.05*rhythm.DayMS))
}

// step is how far to go from a: most of the way that p takes to a limit at its
// present pace.
func (x *exit) step(a *point, short, until int64) int64 {
	n := math.Min((x.hi-a.p)/a.rise, (a.p-x.lo)/a.fall) * 0.9 * rhythm.DayMS
	if !(n < float64(until-a.ms)) { // NaN and infinities included
		return until - a.ms
	}
	return max(int64(n), short)
}

// split is how far from a to look between a and b, which are further from each
// other than short, or have a kink between them: half the way, or, where b is
// outside, to just before where p seems to cross, so that what lies between can
// be proved free: the nearer to the limit, the more of a proof's room is taken
// by what moves p the other way.
func (x *exit) split(a, b *point, short int64) int64 {
	way := b.ms - a.ms
	if way <= short { // there is a kink
		return way / 2
	}
	half := max(way/2, short)
	if !x.outside(b.p) {
		return half
	}
	target, with, against := x.hi, b.rise, b.fall
	if b.p <= x.lo {
		target, with, against = x.lo, b.fall, b.rise
	}
	t := inverse(a, b, target) - float64(a.ms)
	if !(t > 0 && t < float64(way)) || with <= against {
		return half
	}
	before := int64(t - max(float64(short)/2, min(t*1.2*against/with, t/2)))
	return min(max(before, short), way-1)
}

// within looks between two points close to each other, the first inside.
func (x *exit) within(a, b *point) int64 {
	if x.outside(b.p) {
		return x.refine(a, b)
	}
	// Inside at both ends: it may still touch a limit at a peak or in a valley.
	up := a.rise > a.fall
	if up == (b.rise > b.fall) {
		return 0
	}
	l, r := *a, *b
	for r.ms-l.ms > 1000 {
		m := x.at(l.ms + (r.ms-l.ms)/2)
		if x.outside(m.p) {
			return x.refine(a, &m)
		}
		if (m.rise > m.fall) == up {
			l = m
		} else {
			r = m
		}
	}
	return 0
}

// inverse is about when p comes to target, between a and b: the cubic through
// both, in p, with their slopes. It is NaN or anywhere where p turns.
func inverse(a, b *point, target float64) float64 {
	d := b.p - a.p
	u := (target - a.p) / d
	v := 1 - u
	ta, tb := d/(a.rise-a.fall)*rhythm.DayMS, d/(b.rise-b.fall)*rhythm.DayMS
	return float64(a.ms) + float64(b.ms-a.ms)*u*u*(3-2*u) + u*v*(v*ta-u*tb)
}

// refine finds the first millisecond outside, between a inside and b outside,
// where p is monotone: Newton's method within a bracket, from a good guess.
func (x *exit) refine(a, b *point) int64 {
	target := x.hi
	if b.p <= x.lo {
		target = x.lo
	}
	in, out, g := a.ms, b.ms, *b
	for i := 0; out-in > 1; i++ {
		guess := in + (out-in)/2
		t := inverse(a, b, target)
		if i > 0 {
			t = float64(g.ms) + (target-g.p)/(g.rise-g.fall)*rhythm.DayMS
		}
		if i < 16 && t > float64(in)-2 && t < float64(out)+2 {
			guess = min(max(int64(math.Ceil(t)), in+1), out-1)
		}
		g = x.at(guess)
		if x.outside(g.p) {
			out = guess
			// The slope tells that the millisecond before is still inside,
			// unless that is so near that rounding decides.
			before := g.p - (g.rise-g.fall)/rhythm.DayMS*0.999
			if !x.outside(before) && math.Abs(before-target) > 1e-12 {
				return out
			}
		} else {
			in = guess
		}
	}
	return out
}
