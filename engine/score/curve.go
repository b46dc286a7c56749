package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// curve is one customer's churn probability as a function of the silence, as
// long as nothing happens and within one calendar week:
//
//	p(e)  = σ( bend( logit r(e) + level + up(e) + down(e) ) )
//	r(e)  = 1 − g(S(e), S(e+h)),  g(s, t) = c·(s−t)/(1+c·s)
//
// r is the rhythm's word. The rest is the learned correction, its terms sorted
// by what the silence does to them: level stays, up rises, down falls. Without
// a learned model p = r.
type curve struct {
	q       *rhythm.Posterior
	horizon float64 // days
	decay   float64 // 1 over two horizons

	model     *churn.Model // nil: the rhythm alone
	moments   *moments
	behaviour *behaviour           // nil: none counts
	week      int32                // for which behaviour is taken
	monday    int64                // the silence, in ms, at which that week began
	columns   [numFeatures]float64 // those that neither silence nor week change
	level     float64
}

// point is what is known at one silence.
type point struct {
	ms         int64
	now, later rhythm.Point // the silence, and the end of the horizon
	rhythm     float64      // the rhythm's word
	up, down   float64
	sum        float64 // log-odds before they are bent; with a model
	p          float64
	rise, fall float64 // p' = rise − fall, a day; both at least 0
	clamped    uint64  // what is held at a clamp: where it changes, p may have a kink
}

// set prepares the curve of a customer for a model. b is nil where the weeks do
// not count; otherwise Scorer.enter follows.
func (c *curve) set(q *rhythm.Posterior, horizon float64, f *Fitted, m *moments, b *behaviour, complains bool) {
	*c = curve{q: q, horizon: horizon, decay: decayOf(horizon), model: f.Churn, moments: m, behaviour: b}
	if c.model == nil {
		return
	}
	m.constant(f, &c.columns)
	c.columns[xComplaint] = flag(complains)
	c.level = c.model.Bias + c.sum(&c.columns, constantColumns[:])
	if b == nil {
		c.level += c.sum(&c.columns, behaviourColumns[:])
	}
}

// sum is the model's sum over some columns.
func (c *curve) sum(x *[numFeatures]float64, columns []int) (sum float64) {
	for _, i := range columns {
		if w := c.model.Weights[i]; w != 0 {
			sum += w * clamp(x[i], c.model.Lo[i], c.model.Hi[i])
		}
	}
	return sum
}

// decayOf is one over two horizons.
func decayOf(horizon float64) float64 { return 0.5 / horizon }

// The columns by what changes them: nothing, the weeks, the silence.
var (
	constantColumns  = [...]int{xOnce, xOrders, xTrend, xSpend, xComplaint}
	behaviourColumns = [...]int{xVisits, xVisited, xCart, xEngaged}
	movingColumns    = [...]int{xSilence, xTenure, xOverdue, xPercentile, xUsual, xFresh, xDecayed, xSlow}
)

func clamp(v, lo, hi float64) float64 { return min(max(v, lo), hi) }

// at is the point of a silence in ms.
func (c *curve) at(ms int64) point {
	var x [numFeatures]float64
	return c.look(ms, &x)
}

// look is at; it leaves all columns in x, if there is a model.
func (c *curve) look(ms int64, x *[numFeatures]float64) point {
	e := rhythm.Days(0, ms)
	pt := point{ms: ms, now: c.q.At(e), later: c.q.At(e + c.horizon)}
	g := c.q.OrderBetween(pt.now.Survival, pt.later.Survival)
	pt.rhythm = 1 - g
	a := c.q.C()
	d := 1 + a*pt.now.Survival
	pt.p, pt.rise, pt.fall = pt.rhythm, a*pt.now.Density*(1+a*pt.later.Survival)/(d*d), a*pt.later.Density/d
	if c.model != nil {
		*x = c.columns
		c.correct(&pt, g, x)
	}
	return pt
}

// correct adds the learned terms to the rhythm's word g on an order, and the
// columns that move to x.
func (c *curve) correct(pt *point, g float64, x *[numFeatures]float64) {
	var slope [numFeatures]float64
	c.moments.moving(&pt.now, c.decay, x, &slope)
	t := terms{point: pt, model: c.model}
	for _, i := range movingColumns {
		t.add(i, x[i], slope[i], i < xFresh) // the decayed counts fall, the others rise
	}
	if c.behaviour != nil {
		share := shareOf(pt.ms - c.monday)
		c.behaviour.features(c.week, share, x, &slope)
		for _, i := range behaviourColumns {
			rises := slope[i] > 0
			if share == 1 {
				slope[i] = 0
			}
			t.add(i, x[i], slope[i], rises)
		}
	}
	rise, fall := t.rise, t.fall
	pt.sum = againstOrder(g) + c.level + pt.up + pt.down
	z, bent, stretch := c.model.Bend.At(pt.sum)
	pt.p = churn.Logistic(z)
	pt.clamped |= uint64(stretch) << stretchBits
	v := pt.p * (1 - pt.p) * bent
	if r := g * (1 - g); r > leastOdds {
		pt.rise, pt.fall = v*(pt.rise/r+rise), v*(pt.fall/r+fall)
	} else {
		pt.rise, pt.fall = v*rise, v*fall
		pt.clamped |= 1 << 63
	}
}

// terms is the sum of the learned terms of a point in the making.
type terms struct {
	*point
	model      *churn.Model
	rise, fall float64
}

// add takes a column, and whether it rises or falls as time passes.
func (t *terms) add(i int, x, slope float64, rises bool) {
	w := t.model.Weights[i]
	if w == 0 {
		return
	}
	lo, hi := t.model.Lo[i], t.model.Hi[i]
	v, d := w*clamp(x, lo, hi), w*slope
	if x <= lo {
		d = 0
		t.clamped |= 1 << (2 * i)
	} else if x >= hi {
		d = 0
		t.clamped |= 2 << (2 * i)
	}
	if (w > 0) == rises {
		t.up += v
		t.rise += d
	} else {
		t.down += v
		t.fall -= d
	}
}

// bounds are what p cannot leave between two silences a < b: S falls, and g
// rises with its first argument and falls with its second.
func (c *curve) bounds(a, b *point) (lo, hi float64) {
	most, least := c.q.OrderBetween(a.now.Survival, b.later.Survival), c.q.OrderBetween(b.now.Survival, a.later.Survival)
	if c.model == nil {
		return 1 - most, 1 - least
	}
	lo, _, _ = c.model.Bend.At(againstOrder(most) + c.level + a.up + b.down)
	hi, _, _ = c.model.Bend.At(againstOrder(least) + c.level + b.up + a.down)
	return churn.Logistic(lo), churn.Logistic(hi)
}

// againstOrder is the log-odds of no order where an order has probability g.
// Taken of g and not of 1−g: after a long silence g is small, and the rounding of
// 1−g would make a probability tremble that a learned model has brought back to
// the middle. Clamped as LogOdds is.
func againstOrder(g float64) float64 { return clamp(math.Log((1-g)/g), -20, 20) }

// stretchBits is where the stretch of the bend stands in point.clamped, after two
// bits a column.
const stretchBits = 2 * numFeatures

// leastOdds is the p·(1−p) at which it is clamped, and does not move.
const leastOdds = 2.0611536e-9
