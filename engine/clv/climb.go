package clv

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Beyond these bounds parameters stand for a limit of the model, not for
// knowledge; v is in units of the mean spend.
const (
	least   = 1e-3
	most    = 1e3
	leastV  = 1e-5
	mostV   = 1e5
	rounds  = 200
	settled = 1e-8 // of the logarithm of a parameter
	longest = 2.0  // step, likewise
)

// mostP is where p stops without being refused: a customer's purchases differ
// by 7 % then, and a higher p changes no answer. Many samples do not bound p.
const mostP = 200

func inside(p Params) bool {
	return p.P > least && p.P <= mostP && p.Q > least && p.Q < most && p.V > leastV && p.V < mostV
}

// bound names the bound that p lies beyond.
func bound(p Params) error {
	if p.Q >= most {
		return fmt.Errorf("%w: q is at its bound: customers do not differ", ErrDegenerate)
	}
	return fmt.Errorf("%w: p %.3g, q %.3g and v %.3g of the mean are at their bounds", ErrDegenerate, p.P, p.Q, p.V)
}

// sample is what the likelihood needs, grouped by the number of orders: the
// Gamma functions depend on that alone.
type sample struct {
	ordered []spend
	groups  []group
	lnMean  float64 // Σ ln m̄
}

type group struct {
	orders float64
	count  float64
	spent  []float64 // x·m̄
	lnX    []float64 // its logarithm
}

// tally groups observations that are sorted by orders.
func tally(s []spend) *sample {
	t := &sample{ordered: s}
	for _, o := range s {
		x := float64(o.orders)
		if n := len(t.groups); n == 0 || t.groups[n-1].orders != x {
			t.groups = append(t.groups, group{orders: x})
		}
		g := &t.groups[len(t.groups)-1]
		g.count++
		g.spent = append(g.spent, x*o.mean)
		g.lnX = append(g.lnX, math.Log(x*o.mean))
		t.lnMean += math.Log(o.mean)
	}
	return t
}

type (
	vector [3]float64
	matrix [3][3]float64
)

// likelihood is the log-likelihood with its gradient and its Hessian, both in
// the logarithms of p, q and v.
func (s *sample) likelihood(p Params) (ll float64, d vector, h matrix) {
	lgq, _ := math.Lgamma(p.Q)
	diq, triq := mathext.Digamma(p.Q), mathext.Zeta(2, p.Q)
	lnV := math.Log(p.V)
	ll = -s.lnMean
	for i := range s.groups {
		g := &s.groups[i]
		x, n := g.orders, g.count
		shape := p.P * x
		var lnShare, lnRest, inv, inv2 float64 // Σ ln(y/D), Σ ln(v/D), Σ 1/D, Σ 1/D² where D = v + y
		for j, y := range g.spent {
			total := p.V + y
			ln := math.Log(total)
			lnShare += g.lnX[j] - ln
			lnRest += lnV - ln
			r := 1 / total
			inv += r
			inv2 += r * r
		}
		lgs, _ := math.Lgamma(shape)
		lgt, _ := math.Lgamma(shape + p.Q)
		dis, dit := mathext.Digamma(shape), mathext.Digamma(shape+p.Q)
		tris, trit := mathext.Zeta(2, shape), mathext.Zeta(2, shape+p.Q)
		ll += n*(lgt-lgs-lgq) + shape*lnShare + p.Q*lnRest
		d[0] += x * (n*(dit-dis) + lnShare)
		d[1] += n*(dit-diq) + lnRest
		d[2] += n*p.Q/p.V - (shape+p.Q)*inv
		h[0][0] += n * x * x * (trit - tris)
		h[0][1] += n * x * trit
		h[1][1] += n * (trit - triq)
		h[0][2] -= x * inv
		h[1][2] += n/p.V - inv
		h[2][2] += (shape+p.Q)*inv2 - n*p.Q/(p.V*p.V)
	}
	at := vector{p.P, p.Q, p.V}
	for i := range 3 {
		for j := i; j < 3; j++ {
			h[i][j] *= at[i] * at[j]
		}
		d[i] *= at[i]
		h[i][i] += d[i]
		for j := range i {
			h[i][j] = h[j][i]
		}
	}
	return ll, d, h
}

// climb is Newton's method, damped (Levenberg, Marquardt) where the likelihood
// is not concave or a step does not raise it. p is held at mostP while the
// likelihood rises beyond.
func (s *sample) climb(p Params) (Params, error) {
	ll, d, h := s.likelihood(p)
	damp := 0.0
	for range rounds {
		held := p.P == mostP && d[0] >= 0
		step, ok := ascent(d, h, damp, held)
		if !ok {
			damp = math.Max(4*damp, 1e-3)
			continue
		}
		size := math.Max(math.Abs(step[0]), math.Max(math.Abs(step[1]), math.Abs(step[2])))
		if !(size < math.Inf(1)) {
			return p, fmt.Errorf("%w: the likelihood is not finite", ErrDegenerate)
		}
		next := p.moved(step, math.Min(1, longest/size))
		if damp == 0 && size < settled && inside(next) {
			return next, nil
		}
		if !inside(next) {
			if damp > 1e3 || s.gains(next, ll) {
				return p, bound(next)
			}
			damp = math.Max(4*damp, 1e-3)
			continue
		}
		better, d2, h2 := s.likelihood(next)
		// Near the top the gain drowns in rounding: a small step is taken on trust.
		if better > ll || size < 1e-5 && better > ll-1e-9*math.Abs(ll) {
			p, ll, d, h = next, better, d2, h2
			if damp /= 10; damp < 1e-4 {
				damp = 0
			}
			continue
		}
		damp = math.Max(4*damp, 1e-3)
	}
	return p, fmt.Errorf("%w: no maximum found in %d steps", ErrDegenerate, rounds)
}

// moved goes the given part of a step in the logarithms, at most to mostP.
func (p Params) moved(step vector, part float64) Params {
	return Params{
		P: math.Min(p.P*math.Exp(part*step[0]), mostP),
		Q: p.Q * math.Exp(part*step[1]),
		V: p.V * math.Exp(part*step[2]),
	}
}

// ascent is the step towards the maximum, without p where it is held.
func ascent(d vector, h matrix, damp float64, held bool) (vector, bool) {
	if held {
		d[0] = 0
		h[0] = vector{-1, 0, 0}
		h[1][0], h[2][0] = 0, 0
	}
	return solve(h, d, damp)
}

// gains tells whether the likelihood still rises on the way out of the bounds.
func (s *sample) gains(p Params, ll float64) bool {
	out, _, _ := s.likelihood(p)
	return out > ll
}

// solve returns the x of (damp·|diag h| − h)·x = d by Cholesky's method; not ok
// where that matrix is not positive definite.
func solve(h matrix, d vector, damp float64) (x vector, ok bool) {
	var l matrix
	for i := range 3 {
		for j := range i + 1 {
			sum := -h[i][j]
			if i == j {
				sum += damp * math.Abs(h[i][i])
			}
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = sum / l[j][j]
				continue
			}
			if !(sum > 1e-13*math.Abs(h[i][i])) {
				return x, false
			}
			l[i][i] = math.Sqrt(sum)
		}
	}
	for i := range 3 {
		for k := range i {
			d[i] -= l[i][k] * d[k]
		}
		d[i] /= l[i][i]
	}
	for i := 2; i >= 0; i-- {
		for k := i + 1; k < 3; k++ {
			d[i] -= l[k][i] * d[k]
		}
		d[i] /= l[i][i]
	}
	return d, true
}

// guess is a start from moments: a third of the log variance is laid to the
// purchases, the rest to the customers; Var(ln Gamma(s)) is about 1/s.
func guess(s []spend) Params {
	mean, square, each := 0.0, 0.0, 0.0
	n := float64(len(s))
	for _, o := range s {
		l := math.Log(o.mean)
		mean += l / n
		square += l * l / n
		each += 1 / float64(o.orders) / n
	}
	spread := math.Min(math.Max(square-mean*mean, 1e-2), 10)
	p := math.Min(math.Max(3*each/spread, 0.1), 100)
	q := math.Min(math.Max(1.5/spread, 1.5), 100)
	return Params{P: p, Q: q, V: (q - 1) / p}
}
