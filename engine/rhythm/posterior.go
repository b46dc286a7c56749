package rhythm

import "math"

// History is what the closed gaps of one customer add up to.
type History struct {
	Repeats int     // x: purchase days after the first
	Sum     float64 // Σ gap: from the first purchase day to the last
	LnSum   float64 // Σ ln gap; every gap is positive
}

// For speed, a k is dropped whose weight, relative to the heaviest, is below
// negligible, which moves no probability by more than that each (there are eight at
// most); but not one less regular than the heaviest, since after a long
// silence it may be all that is left: such a one stays down to nothing.
const (
	negligible = 2e-6
	nothing    = 1e-9
)

var lnNegligible, lnNothing = math.Log(negligible), math.Log(nothing)

// component is one k of the mixture.
type component struct {
	w    float64 // weight given the closed gaps
	k    float64
	n    int     // k
	i    int     // index in Grid
	r    float64 // R = r + k·x
	rate float64 // k / (α + k·Σgap)
}

// Posterior is what a customer's closed gaps say about the next one. It is a
// plain value; it allocates nothing and holds no reference.
type Posterior struct {
	a, b  float64 // a, and b+x: leaving is Beta(a, b+x+1) for one who has stayed
	c     float64 // (b+x)/a
	scale float64 // a typical gap
	k, r  float64 // the average regularity, and R
	n     int
	comp  [Size]component
}

// closed is the log-likelihood of the closed gaps given k = Grid[i], without
// r·ln α − lnΓ(r).
func (p *Prior) closed(i int, h History) float64 {
	k, x := float64(Grid[i]), float64(h.Repeats)
	var g float64
	if h.Repeats < few {
		g = p.lnG[i][h.Repeats]
	} else {
		g = p.shape(i, h.Repeats)
	}
	return g + (k-1)*h.LnSum - (p.p.R+k*x)*ln(p.p.Alpha+k*h.Sum)
}

// shape is what the likelihood given k = Grid[i] owes to the number of gaps.
func (p *Prior) shape(i, repeats int) float64 {
	k, x := float64(Grid[i]), float64(repeats)
	lg, _ := math.Lgamma(p.p.R + k*x)
	return k*x*lnK[i] - x*lnGammaK[i] + lg
}

// Posterior fills q from the closed gaps h.
func (p *Prior) Posterior(h History, q *Posterior) {
	x := float64(h.Repeats)
	q.a, q.b = p.p.A, p.p.B+x
	q.c = q.b / q.a
	var ln [Size]float64
	top, best := math.Inf(-1), 0
	for i := range Grid {
		if p.p.Weights[i] == 0 {
			ln[i] = math.Inf(-1)
			continue
		}
		ln[i] = p.lnW[i]
		if h.Repeats > 0 { // without a gap, nothing is known of k
			ln[i] += p.closed(i, h)
		}
		if ln[i] > top {
			top, best = ln[i], i
		}
	}
	q.n = 0
	sum := 0.0
	for i, kn := range Grid {
		w := ln[i] - top
		if w < lnNegligible && (i > best || w < lnNothing) {
			continue
		}
		w = exp(w)
		k := float64(kn)
		q.comp[q.n] = component{w: w, k: k, n: kn, i: i, r: p.p.R + k*x, rate: k / (p.p.Alpha + k*h.Sum)}
		q.n++
		sum += w
	}
	q.k = 0
	scale := 1 / sum
	for i := range q.comp[:q.n] {
		c := &q.comp[i]
		c.w *= scale
		q.k += c.w * c.k
	}
	q.r = p.p.R + q.k*x
	q.scale = (p.p.Alpha + q.k*h.Sum) / q.r
}

// farOut is the exponent from which on a survival is taken for 0: below all that
// matters, and slow as a subnormal.
const farOut = 700

// survival is S_k(e).
func (c *component) survival(e float64) float64 {
	u := c.rate * e
	y := 1 + u
	v := 1 / y
	l := c.r * (ln(y) + (u-(y-1))*v) // with what 1+u lost: r may be in the thousands
	if !(l <= farOut) {
		return 0
	}
	sum, _ := c.series(u * v)
	return min(exp(-l)*sum, 1)
}

// series is Σ_{j<k} (R)_j z^j / j!, and its last term times R+k−1, of which the
// density is made.
func (c *component) series(z float64) (sum, last float64) {
	sum, term, a := 1.0, 1.0, c.r
	for _, inv := range inverse[1:c.n] {
		term *= a * inv * z
		sum += term
		a++
	}
	return sum, term * a
}

// Point is what is known of one open gap.
type Point struct {
	Gap      float64 // e
	Survival float64 // S(e)
	Density  float64 // of the whole gap at e: −dS/de
	Slope    float64 // dDensity/de

	part [Size]float64 // of Survival, by component
}

// At is the Point of an open gap: the mixture of component.survival, the steps
// of all components side by side, so that the processor need not wait for one
// after the other.
func (q *Posterior) At(e float64) Point {
	if e <= 0 {
		p := Point{Survival: 1, Density: q.start()}
		for i := range q.comp[:q.n] {
			p.part[i] = q.comp[i].w
		}
		return p
	}
	comps := q.comp[:q.n]
	var v, z, l, base [Size]float64
	for i := range comps {
		u := comps[i].rate * e
		y := 1 + u
		v[i] = 1 / y
		z[i] = u * v[i]
		l[i] = ln(y) + (u-(y-1))*v[i]
	}
	for i := range comps {
		if d := comps[i].r * l[i]; d <= farOut {
			base[i] = exp(-d)
		}
	}
	p, per := Point{Gap: e}, 1/e
	for i := range comps {
		c := &comps[i]
		sum, last := c.series(z[i])
		rate := c.rate * v[i]
		f := c.w * (base[i] * last * rate)
		p.part[i] = c.w * min(base[i]*sum, 1)
		p.Survival += p.part[i]
		p.Density += f
		p.Slope += f * ((c.k-1)*per - (c.r+c.k)*rate)
	}
	p.Survival = min(p.Survival, 1)
	return p
}

// start is the density at 0: only gaps of k = 1 may be that short.
func (q *Posterior) start() float64 {
	if c := &q.comp[0]; c.n == 1 {
		return c.w * c.r * c.rate
	}
	return 0
}

// C is (b+x)/a, by which P(alive) and P(order within h) follow from Survival.
func (q *Posterior) C() float64 { return q.c }

// Scale is a typical gap.
func (q *Posterior) Scale() float64 { return q.scale }

// Survival is the probability that a gap of this customer, who has not left,
// is longer than e.
func (q *Posterior) Survival(e float64) float64 { return q.At(e).Survival }

// Overdue is the share of this customer's gaps that would have ended within e:
// 0 at once, towards 1 the longer the silence.
func (q *Posterior) Overdue(e float64) float64 { return 1 - q.Survival(e) }

// Alive is the probability that the customer, silent for e, has not left.
func (q *Posterior) Alive(e float64) float64 { return q.AliveAt(q.Survival(e)) }

// AliveAt is Alive where Survival is s.
func (q *Posterior) AliveAt(s float64) float64 { return q.c * s / (1 + q.c*s) }

// SurvivalOfAlive is the survival at which P(alive) is p: the inverse of
// AliveAt. It exceeds 1 when P(alive) is below p from the start.
func (q *Posterior) SurvivalOfAlive(p float64) float64 { return p / (q.c * (1 - p)) }

// OrderWithin is the probability that the customer, silent for e, orders
// within the following h.
func (q *Posterior) OrderWithin(e, h float64) float64 {
	return q.OrderBetween(q.Survival(e), q.Survival(max(e, 0)+h))
}

// OrderBetween is OrderWithin where Survival is s at the start of the horizon
// and sh at its end. It rises with s and falls with sh.
func (q *Posterior) OrderBetween(s, sh float64) float64 {
	return q.c * max(s-sh, 0) / (1 + q.c*s)
}

// Weights is the posterior over Grid that knows the open gap e as well.
func (q *Posterior) Weights(e float64) [Size]float64 {
	var w [Size]float64
	sum, p := 0.0, q.At(e)
	for i := range q.comp[:q.n] {
		c := &q.comp[i]
		w[c.i] = c.w + q.c*p.part[i]
		sum += w[c.i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// LogLikelihood is that of the history h followed by a silence of e, the
// mixture over k summed out. Its unit of time is the prior's.
func (p *Prior) LogLikelihood(h History, e float64) float64 {
	a, b, x := p.p.A, p.p.B, float64(h.Repeats)
	// B(a+1, b+x)/B(a, b); the other beta term is (b+x)/a times as large.
	left := lnBeta(a+1, b+x) - lnBeta(a, b)
	top := math.Inf(-1)
	var ln [Size]float64
	for i := range Grid {
		if p.p.Weights[i] == 0 {
			ln[i] = math.Inf(-1)
			continue
		}
		k := float64(Grid[i])
		c := component{k: k, n: Grid[i], r: p.p.R + k*x, rate: k / (p.p.Alpha + k*h.Sum)}
		s := c.survival(max(e, 0))
		ln[i] = p.lnW[i] + p.lnBase + p.closed(i, h) + left + math.Log1p((b+x)/a*s)
		top = max(top, ln[i])
	}
	sum := 0.0
	for _, l := range ln {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}

func lnBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
