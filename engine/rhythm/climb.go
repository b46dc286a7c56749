package rhythm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// point is a place in the space of parameters, time in mean gaps, with the
// likelihood there.
type point struct {
	theta          [4]float64 // ln r, ln α, ln a, ln b
	r, alpha, a, b float64
	w              [Size]float64 // by position in the grid of the fit
	scale          float64
	lnL            float64 // log-likelihood, in mean gaps
	value          float64 // that and the weak prior: what is maximised
}

func newPoint(start Params, unit float64, grid []int) point {
	var p point
	p.set([4]float64{math.Log(start.R), math.Log(start.Alpha / unit), math.Log(start.A), math.Log(start.B)})
	sum := 0.0
	for o, i := range grid {
		p.w[o] = max(start.Weights[i], Floor)
		sum += p.w[o]
	}
	// The floor counts after scaling, too.
	rest := 1 - Floor*float64(len(grid))
	for o := range grid {
		p.w[o] = Floor + rest*p.w[o]/sum
	}
	return p
}

func (p *point) set(theta [4]float64) {
	p.theta = theta
	p.r, p.alpha = math.Exp(theta[0]), math.Exp(theta[1])
	p.a, p.b = math.Exp(theta[2]), math.Exp(theta[3])
}

func (p *point) params(unit float64, grid []int) Params {
	q := Params{R: p.r, Alpha: p.alpha * unit, A: p.a, B: p.b}
	for o, i := range grid {
		q.Weights[i] = p.w[o]
	}
	return q
}

// farthestLog bounds θ, so that a search that runs away ends.
const farthestLog = 13.5

// evaluate finds the best weights at p.theta, from p.w, and the likelihood.
func (m *marginal) evaluate(p *point) {
	m.fill(p)
	p.lnL = m.weigh(&p.w) + p.scale
	p.value = p.lnL
	for _, t := range p.theta {
		p.value -= t * t / (2 * spread * spread)
	}
	for _, w := range p.w {
		p.value -= even / 2 * w * w
	}
}

// climb maximises from p by Newton's method on the likelihood of θ with the
// best weights of each θ (the profile), which makes each step a small one for
// the weights and a quadratically good one for θ. It returns the steps taken.
//
// gonum's own minimisers would start goroutines and read the clock, which the
// core does not.
func (m *marginal) climb(p *point, most int) (int, error) {
	const tight = 1e-8
	m.evaluate(p)
	var d slope
	for n := range most {
		if math.IsNaN(p.value) || math.IsInf(p.value, 0) {
			return n, fmt.Errorf("%w: the log-likelihood is %g", ErrDegenerate, p.value)
		}
		m.slopes(p, &d)
		step, rise := m.newton(p, &d)
		size := 0.0
		for _, s := range step {
			size = math.Max(size, math.Abs(s))
		}
		if size < tight {
			return n, nil
		}
		if !m.search(p, step, rise) {
			if rise < 1e-7 { // what is left to gain is lost in rounding
				return n, nil
			}
			return n, fmt.Errorf("%w: no convergence, stuck after %d steps", ErrDegenerate, n)
		}
	}
	return most, fmt.Errorf("%w: no convergence in %d steps", ErrDegenerate, most)
}

// search goes along step until the value rises, halving it as needed.
func (m *marginal) search(p *point, step [4]float64, rise float64) bool {
	slack := 1e-13 * math.Abs(p.value)
	for t := 1.0; t > 1e-6; t /= 2 {
		q := *p
		theta := p.theta
		for i := range theta {
			theta[i] = min(max(theta[i]+t*step[i], -farthestLog), farthestLog)
		}
		q.set(theta)
		m.evaluate(&q)
		if q.value >= p.value+1e-4*t*rise-slack {
			*p = q
			return true
		}
	}
	m.evaluate(p) // m.f again
	return false
}

// newton is the step and the rise that its slope promises. The curvature is the
// profile's, A_θθ − A_θw·A_ww⁻¹·A_wθ over the directions that the weights are
// free to take; where it bends the wrong way it is taken by its absolute value.
func (m *marginal) newton(p *point, d *slope) (step [4]float64, rise float64) {
	c := mat.NewSymDense(4, nil)
	var g [4]float64
	for i := range g {
		g[i] = d.g[i] - p.theta[i]/(spread*spread)
		for l := i; l < 4; l++ {
			c.SetSym(i, l, -d.h[i][l])
		}
		c.SetSym(i, i, c.At(i, i)+1/(spread*spread))
	}
	m.profile(p, d, c)
	var e mat.EigenSym
	if !e.Factorize(c, true) { //nolint:misspell // gonum's name
		return g, 0
	}
	var v mat.Dense
	e.VectorsTo(&v)
	for l, lambda := range e.Values(nil) {
		along := 0.0
		for i := range g {
			along += v.At(i, l) * g[i]
		}
		along /= math.Max(math.Abs(lambda), 1/(spread*spread))
		for i := range step {
			step[i] += along * v.At(i, l)
		}
	}
	const farthestStep = 1.5
	size := 0.0
	for _, s := range step {
		size = math.Max(size, math.Abs(s))
	}
	for i := range step {
		if size > farthestStep {
			step[i] *= farthestStep / size
		}
		rise += step[i] * g[i]
	}
	return step, rise
}

// profile takes from the curvature c what the weights would follow.
func (m *marginal) profile(p *point, d *slope, c *mat.SymDense) {
	ref := 0
	for o := range m.grid {
		if p.w[o] > p.w[ref] {
			ref = o
		}
	}
	var free []int
	for o := range m.grid {
		if o != ref && p.w[o] > Floor {
			free = append(free, o)
		}
	}
	n := len(free)
	if n == 0 {
		return
	}
	// Along e_o − e_ref, so that the weights go on adding up to one.
	ww := mat.NewDense(n, n, nil)
	tw := mat.NewDense(n, 4, nil)
	for i, o := range free {
		for l, q := range free {
			v := -(d.wh[o][q] - d.wh[o][ref] - d.wh[ref][q] + d.wh[ref][ref]) + even
			if i == l {
				v += even
			}
			ww.Set(i, l, v)
		}
		for t := range 4 {
			tw.Set(i, t, -(d.tw[t][o] - d.tw[t][ref]))
		}
	}
	var follow, less mat.Dense
	if err := follow.Solve(ww, tw); err != nil && follow.IsEmpty() {
		return
	}
	less.Mul(tw.T(), &follow)
	for i := range 4 {
		for l := i; l < 4; l++ {
			c.SetSym(i, l, c.At(i, l)-(less.At(i, l)+less.At(l, i))/2)
		}
	}
}
