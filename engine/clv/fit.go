package clv

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// MinObservations is the least number of customers to fit from.
const MinObservations = 50

// ErrDegenerate says that the observations do not determine the parameters,
// and why. It is no fault of theirs: keep the last good fit, or expect
// Fit.Mean of everybody.
var ErrDegenerate = errors.New("spend model is degenerate")

// ErrNoSpread is the ErrDegenerate of customers who all spend the same, such
// as subscribers to one plan. Nothing is wrong: Fit.Mean is the answer for
// everyone.
var ErrNoSpread = fmt.Errorf("%w: customers all spend alike", ErrDegenerate)

// Observation is what one customer spent.
type Observation struct {
	Orders int     // purchase days, at least 1
	Mean   float64 // mean spend of these days, over 0, in currency units
}

// Fit is a fitted spend model.
type Fit struct {
	Params
	LogLikelihood float64 // natural logarithm, of the clamped observations
	Observations  int     // that were used
	Skipped       int     // without orders or without spend: the model has no place for them
	Clamped       int     // with a mean beyond what the rest makes credible; see FitSpend
	Mean          float64 // plain mean of the customers' means after clamping; set with ErrDegenerate, too
}

// FitSpend finds the parameters of maximum likelihood. Give it each customer's
// mean over the repeat purchase days (the published convention), or over all
// of them; a customer counts once however many orders stand behind the mean.
//
// The result depends on the multiset of observations, not on their order, and
// not on the unit of money. The start only saves iterations, the zero Params
// is a good one: any two starts agree to 1e-6 and better.
//
// A few outliers, a wholesaler among consumers or a price with a slipped
// decimal point, would drag q to 1 and everybody's expected spend with it.
// Means farther from the median than 4.5 times the interquartile range, on the
// logarithmic scale and at least a factor of twenty, are therefore moved to
// that distance. On CDNOW no customer is that far.
//
// Errors wrap ErrDegenerate and name the reason: fewer than MinObservations,
// a number that is not finite, no spread (ErrNoSpread), parameters at their
// bounds, q ≤ 1 (no finite mean). The Fit then holds Mean and the counts. Only
// p may end at its upper bound, 200: customers who differ but always pay the
// same are no fault, their own mean is the answer and Spend gives it.
func FitSpend(obs []Observation, start Params) (Fit, error) {
	s, fit, err := newSample(obs)
	if err != nil {
		return fit, err
	}
	scale := fit.Mean
	begin := start
	begin.V /= scale
	cold := guess(s.ordered)
	if !inside(begin) {
		begin = cold
	}
	at, err := s.climb(begin)
	if err != nil && begin != cold {
		at, err = s.climb(cold)
	}
	if err != nil {
		return fit, err
	}
	if at.Q <= 1 {
		return fit, fmt.Errorf("%w: q is %.4g, the population's mean is not finite", ErrDegenerate, at.Q)
	}
	ll, _, _ := s.likelihood(at)
	// The density of a mean in currency units is the normalised one over scale.
	fit.LogLikelihood = ll - float64(fit.Observations)*math.Log(scale)
	fit.Params = Params{P: at.P, Q: at.Q, V: at.V * scale}
	return fit, nil
}

// spend is one usable observation, its mean normalised to a mean of 1.
type spend struct {
	orders int
	mean   float64
}

// newSample sorts, clamps and normalises.
func newSample(obs []Observation) (*sample, Fit, error) {
	var fit Fit
	used := make([]spend, 0, len(obs))
	for _, o := range obs {
		if math.IsNaN(o.Mean) || math.IsInf(o.Mean, 0) {
			return nil, fit, fmt.Errorf("%w: a customer's mean spend is %g", ErrDegenerate, o.Mean)
		}
		if o.Orders < 1 || o.Mean <= 0 {
			fit.Skipped++
			continue
		}
		used = append(used, spend{o.Orders, o.Mean})
	}
	fit.Observations = len(used)
	slices.SortFunc(used, func(a, b spend) int { return cmp.Compare(a.mean, b.mean) })
	if len(used) > 0 {
		fit.Clamped = clamp(used)
	}
	slices.SortFunc(used, func(a, b spend) int {
		return cmp.Or(cmp.Compare(a.orders, b.orders), cmp.Compare(a.mean, b.mean))
	})
	for _, u := range used {
		fit.Mean += u.mean / float64(len(used)) // not the sum over n: it may overflow
	}
	if len(used) < MinObservations {
		return nil, fit, fmt.Errorf("%w: %d customers, at least %d are needed", ErrDegenerate, len(used), MinObservations)
	}
	if !(fit.Mean > 1e-290 && fit.Mean < 1e290) {
		return nil, fit, fmt.Errorf("%w: the mean spend is %g", ErrDegenerate, fit.Mean)
	}
	least, most := math.Inf(1), 0.0
	for i := range used {
		least, most = math.Min(least, used[i].mean), math.Max(most, used[i].mean)
		used[i].mean /= fit.Mean
	}
	if most-least <= 1e-9*fit.Mean {
		return nil, fit, fmt.Errorf("%w: %.6g each", ErrNoSpread, fit.Mean)
	}
	return tally(used), fit, nil
}

// clamp moves the means that are not credible (see FitSpend) and returns how
// many; s is sorted by mean.
func clamp(s []spend) int {
	at := func(q float64) float64 { return math.Log(s[int(q*float64(len(s)-1))].mean) }
	mid := at(0.5)
	far := math.Max(4.5*(at(0.75)-at(0.25)), math.Log(20))
	lo, hi := math.Exp(mid-far), math.Exp(mid+far)
	n := 0
	for i, v := range s {
		if v.mean < lo || v.mean > hi {
			s[i].mean = math.Min(math.Max(v.mean, lo), hi)
			n++
		}
	}
	return n
}
