package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// curve is one customer's churn probability as a function of the silence, as
// long as nothing happens and within one calendar week:
//
//	p(e)  = σ( logit r(e) + level + up(e) + down(e) )
//	r(e)  = 1 − g(S(e), S(e+h)),  g(s, t) = c·(s−t)/(1+c·s)
//
// r is the rhythm's word. The rest is the learned correction, its terms sorted
// by what the silence does to them: level stays, up rises, down falls. Without
// a learned model p = r.
type curve struct {
	q       *rhythm.Posterior
	horizon float64 // days
	decay   float64 // 1 over two horizons

	model   *churn.Model // nil: the rhythm alone
	moments *moments
	level   float64
}

// point is what is known at one silence.
type point struct {
	ms         int64
	s, sh      float64 // survival at the silence and at the end of the horizon
	rhythm     float64 // the rhythm's word
	up, down   float64
	p          float64
	rise, fall float64 // p' = rise − fall, a day; both at least 0
}

// set prepares the curve of a customer for a model, as of a calendar week.
func (c *curve) set(q *rhythm.Posterior, horizon float64, f *Fitted, m *moments, b *behaviour, week int32) {
	*c = curve{q: q, horizon: horizon, decay: decayOf(horizon), model: f.Churn, moments: m}
	if c.model == nil {
		return
	}
	var x [numFeatures]float64
	m.constant(f, &x)
	b.features(week, &x)
	c.level = c.model.Bias
	for i, w := range c.model.Weights {
		if w != 0 && !isMoving(i) {
			c.level += w * clamp(x[i], c.model.Lo[i], c.model.Hi[i])
		}
	}
}

// decayOf is one over two horizons.
func decayOf(horizon float64) float64 { return 0.5 / horizon }

// isMoving says whether a column moves with the silence.
func isMoving(i int) bool {
	switch i {
	case xSilence, xTenure, xOverdue, xOverdue2, xPercentile, xUsual, xFresh, xDecayed, xSlow:
		return true
	}
	return false
}

func clamp(v, lo, hi float64) float64 { return math.Min(math.Max(v, lo), hi) }

// at is the point of a silence in ms.
func (c *curve) at(ms int64) point {
	e := rhythm.Days(0, ms)
	pt := point{ms: ms}
	var f, fh float64
	pt.s, f = c.q.At(e)
	pt.sh, fh = c.q.At(e + c.horizon)
	pt.rhythm = 1 - c.q.OrderBetween(pt.s, pt.sh)
	a := c.q.C()
	d := 1 + a*pt.s
	pt.p, pt.rise, pt.fall = pt.rhythm, a*f*(1+a*pt.sh)/(d*d), a*fh/d
	if c.model != nil {
		c.correct(&pt, e, f)
	}
	return pt
}

// correct adds the learned terms.
func (c *curve) correct(pt *point, e, density float64) {
	var x, slope [numFeatures]float64
	c.moments.moving(e, pt.s, density, c.decay, &x, &slope)
	var rise, fall float64
	for i, w := range c.model.Weights {
		if w == 0 || !isMoving(i) {
			continue
		}
		lo, hi := c.model.Lo[i], c.model.Hi[i]
		v, d := w*clamp(x[i], lo, hi), w*slope[i]
		if x[i] <= lo || x[i] >= hi {
			d = 0
		}
		if (w > 0) != (i >= xFresh) { // the decayed counts fall, the others rise
			pt.up += v
			rise += d
		} else {
			pt.down += v
			fall -= d
		}
	}
	pt.p = churn.Logistic(churn.LogOdds(pt.rhythm) + c.level + pt.up + pt.down)
	v := pt.p * (1 - pt.p)
	if r := pt.rhythm * (1 - pt.rhythm); r > 1e-12 {
		pt.rise, pt.fall = v*(pt.rise/r+rise), v*(pt.fall/r+fall)
	} else {
		pt.rise, pt.fall = v*rise, v*fall
	}
}

// bounds are what p cannot leave between two silences a < b: S falls, and g
// rises with its first argument and falls with its second.
func (c *curve) bounds(a, b *point) (lo, hi float64) {
	lo, hi = 1-c.q.OrderBetween(a.s, b.sh), 1-c.q.OrderBetween(b.s, a.sh)
	if c.model == nil {
		return lo, hi
	}
	return churn.Logistic(churn.LogOdds(lo) + c.level + a.up + b.down),
		churn.Logistic(churn.LogOdds(hi) + c.level + b.up + a.down)
}
