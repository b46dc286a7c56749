// Package rhythm says how a customer's orders are spaced, and from that
// whether the customer is still there and when the next order is due.
//
// The problem: "silent for five weeks" means nothing for one who orders every
// two months and everything for one who orders every three weeks. The model:
//
//   - While a customer is active, the gaps between purchase days are
//     Gamma(k, k·μ): mean 1/μ, the more regular the larger k.
//   - μ ~ Gamma(r, α) over the population; k comes from a small grid with the
//     population weights w.
//   - After each order, the first included, the customer leaves for good with
//     probability p ~ Beta(a, b).
//
// With k = 1 this is MBG/NBD (Batislam, Denizel, Filiztekin 2007; Hoppe,
// Wagner 2007), with one k > 1 MBG/CNBD-k (Platzer, Reutterer 2016). With
// S_k(e) the probability that the open gap exceeds e given that the customer
// stayed, everything follows in closed form from (x, Σgap, Σln gap, e).
//
// The weights of k that the closed gaps leave (Posterior) make the mixture
// S(e) = Σ w_k|gaps · S_k(e), and every answer is a function of it: with
// c = (b+x)/a
//
//	P(alive)            = c·S(e) / (1 + c·S(e))
//	P(order within h)   = c·(S(e) − S(e+h)) / (1 + c·S(e))
//	overdue percentile  = 1 − S(e)
//
// The first two are the sums over k of the posterior that knows the open gap
// as well (its k-th weight is w_k|gaps · (1 + c·S_k(e)), and the denominators
// cancel). The overdue percentile deliberately uses the closed gaps only: with
// the open gap among the evidence a long silence makes the regular k unlikely,
// and under some priors the percentile falls by points while nothing happens.
//
// The expected number of orders within h is in orders.go. FitPrior finds the
// population's parameters.
//
// Times are in one unit throughout, days in the engine.
package rhythm

import (
	"errors"
	"fmt"
	"math"
)

// Grid holds the regularities that a customer may have.
var Grid = [...]int{1, 2, 3, 4, 6, 8, 12, 16, 24}

// Size is the number of regularities.
const Size = len(Grid)

// Params are the population's parameters.
type Params struct {
	R       float64       // shape of the rate's Gamma distribution
	Alpha   float64       // its rate, in units of time (days)
	A, B    float64       // Beta distribution of leaving after an order
	Weights [Size]float64 // of Grid, any positive scale
}

// DefaultParams are the published MBG/NBD parameters of a CD shop (CDNOW,
// 2,357 customers, 1997; α = 6.183 weeks), with weights of the higher k that
// leave k = 1 the rule: .885, .085 and .016 are a fit to the same customers,
// the rest share out the remaining .014 and make it possible that a handful of
// even gaps shows a regular customer.
func DefaultParams() Params {
	return Params{
		R: 0.525, Alpha: 6.183 * 7, A: 0.891, B: 1.614,
		Weights: [Size]float64{.885, .085, .016, .006, .003, .002, .0015, .001, .0005},
	}
}

// Prior is Params made ready. It is immutable and serves many goroutines.
type Prior struct {
	p      Params
	lnBase float64 // r·ln α − lnΓ(r)
	lnW    [Size]float64
	lnG    [Size][few]float64 // lnΓ(r + k·x) − x·lnΓ(k) + k·x·ln k, by k and x
	fresh  Posterior          // of a customer with one order
}

// few is how many repeats are provided for.
const few = 32

// What does not depend on the parameters.
var (
	lnK      [Size]float64 // ln k
	lnGammaK [Size]float64 // lnΓ(k)
	inverse  [32]float64   // 1/j

	rootInverse [Size]float64 // 1/√k
)

func init() {
	for i, k := range Grid {
		lnK[i] = math.Log(float64(k))
		lnGammaK[i], _ = math.Lgamma(float64(k))
		rootInverse[i] = 1 / math.Sqrt(float64(k))
	}
	for j := 1; j < len(inverse); j++ {
		inverse[j] = 1 / float64(j)
	}
}

// NewPrior checks p and makes it ready.
func NewPrior(p Params) (*Prior, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	sum := 0.0
	for _, w := range p.Weights {
		sum += w
	}
	q := &Prior{p: p}
	for i := range p.Weights {
		q.p.Weights[i] /= sum
		q.lnW[i] = math.Log(q.p.Weights[i])
	}
	lg, _ := math.Lgamma(p.R)
	q.lnBase = p.R*math.Log(p.Alpha) - lg
	for i := range Grid {
		if p.Weights[i] == 0 {
			continue // never asked
		}
		for x := range few {
			q.lnG[i][x] = q.shape(i, x)
		}
	}
	q.Posterior(History{}, &q.fresh)
	return q, nil
}

// Default is the prior of DefaultParams.
func Default() *Prior {
	p, err := NewPrior(DefaultParams())
	if err != nil {
		panic(err)
	}
	return p
}

// Params returns the parameters, their weights adding up to one.
func (p *Prior) Params() Params { return p.p }

// Fresh is the posterior of a customer with a single order: what the
// population says. It must not be written to.
func (p *Prior) Fresh() *Posterior { return &p.fresh }

func (p *Params) validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		v    float64
	}{{"r", p.R}, {"alpha", p.Alpha}, {"a", p.A}, {"b", p.B}} {
		if !(f.v > 1e-6 && f.v < 1e6) {
			errs = append(errs, fmt.Errorf("%s: %g is outside 1e-6 to 1e6", f.name, f.v))
		}
	}
	sum := 0.0
	for i, w := range p.Weights {
		if !(w >= 0 && w < 1e6) {
			errs = append(errs, fmt.Errorf("weights[%d]: %g is outside 0 to 1e6", i, w))
		}
		sum += w
	}
	if sum <= 0 {
		errs = append(errs, errors.New("weights: all are zero, at least one must be positive"))
	}
	return errors.Join(errs...)
}
