package rhythm

import (
	"errors"
	"fmt"
	"math"
)

// ErrDegenerate is why a fit is no knowledge: too little evidence, a likelihood
// that is not finite or finds no maximum, or a maximum at an absurd place. It
// is wrapped with what was wrong; the last good fit remains the better one.
var ErrDegenerate = errors.New("degenerate fit")

// What a fit needs at the least. Four parameters and the regularities rest on
// the gaps; with fewer the maximum is an accident of the sample.
const (
	minCustomers = 200
	minRepeats   = 100 // closed gaps
	minReturned  = 50  // customers with a closed gap
)

// Floor is the weight that a fit leaves to every k, so that one customer's even
// gaps can show a regularity that the population does not have: on CDNOW, where
// no k above 2 is found, six of them do. It costs 0.013 of log-likelihood there.
const Floor = 1e-4

// The weak prior: ln r, ln(α/mean gap), ln a and ln b are Normal(0, spread²),
// and −even/2·Σ w² is added for the weights. It decides only where the
// likelihood is flat, so that there is one maximum and Newton's method finds it
// from everywhere: it moves the parameters of CDNOW by 2e-4 of themselves.
const (
	spread = 20.0
	even   = 1e-2
)

// The bounds of what is believed. Beyond, the likelihood was still rising and
// the weak prior has stopped it.
const (
	lowest  = 1e-3
	highest = 1e4
	seldom  = 1e-4 // least mean probability of leaving, a/(a+b)
)

// Fit is the maximum of the marginal likelihood over a sample.
type Fit struct {
	Params
	LogLikelihood float64 // of the sample, in its unit of time, without the weak prior
	Customers     int
	Iterations    int
}

// FitOptions restrict a fit. The zero value is the mixture over all of Grid.
type FitOptions struct {
	K          int // 0, or the only regularity: 1 for MBG/NBD
	Iterations int // at most; 0 means 100
}

// FitPrior fits Params to obs by maximum marginal likelihood, the regularity of
// each customer summed out, starting from start. The result is in the unit of
// time of obs and depends on them as a multiset; on start it depends by less
// than 1e-6 relative, where the likelihood has one maximum.
//
// An error wraps ErrDegenerate unless start or opts are invalid; Fit then is
// where the search ended, for the record, or zero.
func FitPrior(obs []Observation, start Params, opts FitOptions) (Fit, error) {
	return fitModel(obs, start, opts, false)
}

func fitModel(obs []Observation, start Params, opts FitOptions, firstStays bool) (Fit, error) {
	if err := start.validate(); err != nil {
		return Fit{}, fmt.Errorf("start of the fit: %w", err)
	}
	grid, err := opts.grid()
	if err != nil {
		return Fit{}, err
	}
	s, err := newSample(obs)
	if err != nil {
		return Fit{}, err
	}
	m := newMarginal(s, grid, firstStays)
	p := newPoint(start, s.unit, grid)
	n, err := m.climb(&p, opts.iterations())
	f := Fit{
		Params:        p.params(s.unit, grid),
		LogLikelihood: p.lnL + s.jacobian,
		Customers:     len(obs),
		Iterations:    n,
	}
	if err != nil {
		return f, err
	}
	return f, f.believable(s.unit)
}

// grid is the indices in Grid that take part.
func (o *FitOptions) grid() ([]int, error) {
	var all []int
	for i, k := range Grid {
		if o.K == 0 || o.K == k {
			all = append(all, i)
		}
	}
	if all == nil {
		return nil, fmt.Errorf("fit options: k is %d, it must be 0 or one of %v", o.K, Grid)
	}
	return all, nil
}

func (o *FitOptions) iterations() int {
	if o.Iterations > 0 {
		return o.Iterations
	}
	return 100
}

// believable refuses a maximum at the edge of the world.
func (f *Fit) believable(unit float64) error {
	var errs []error
	for _, p := range []struct {
		name string
		v    float64
	}{{"r", f.R}, {"alpha in mean gaps", f.Alpha / unit}, {"a", f.A}, {"b", f.B}} {
		if !(p.v >= lowest && p.v <= highest) {
			errs = append(errs, fmt.Errorf("%w: %s is %.3g, outside %g to %g", ErrDegenerate, p.name, p.v, lowest, highest))
		}
	}
	if leave := f.A / (f.A + f.B); !(leave >= seldom) {
		errs = append(errs, fmt.Errorf("%w: nobody ever leaves, a/(a+b) is %.2g", ErrDegenerate, leave))
	}
	if math.IsNaN(f.LogLikelihood) || math.IsInf(f.LogLikelihood, 0) {
		errs = append(errs, fmt.Errorf("%w: the log-likelihood is %g", ErrDegenerate, f.LogLikelihood))
	}
	return errors.Join(errs...)
}
