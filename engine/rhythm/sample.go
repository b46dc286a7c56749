package rhythm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Observation is one customer as a fit sees it: the closed gaps and the open
// one. All in one unit of time.
type Observation struct {
	History
	Silence float64 // e: from the last purchase day to the end of observation
}

// group is all customers with one and the same observation, time in mean gaps.
type group struct {
	x, sum, lnSum, e float64
	n                float64 // customers
	at               int     // of x, in sample.xs
}

// sample is what a fit walks over: sorted, so that every sum is formed in an
// order that does not depend on how the observations came.
type sample struct {
	groups    []group
	xs        []int   // the values of x that occur, ascending
	customers float64 // that is Σ n
	unit      float64 // the mean gap: α is in units of it
	jacobian  float64 // to be added to a log-likelihood in mean gaps
	repeats   int     // closed gaps
	returned  int     // customers with a closed gap
}

func (o *Observation) check() error {
	switch {
	case o.Repeats < 0:
		return fmt.Errorf("%d repeats", o.Repeats)
	case !(o.Silence >= 0) || math.IsInf(o.Silence, 1):
		return fmt.Errorf("a silence of %g", o.Silence)
	case o.Repeats == 0 && (o.Sum != 0 || o.LnSum != 0):
		return fmt.Errorf("no repeats, but gaps that sum to %g (logarithms: %g)", o.Sum, o.LnSum)
	case o.Repeats > 0 && (!(o.Sum > 0) || math.IsInf(o.Sum, 1) || math.IsNaN(o.LnSum) || math.IsInf(o.LnSum, 0)):
		return fmt.Errorf("%d repeats with gaps that sum to %g (logarithms: %g)", o.Repeats, o.Sum, o.LnSum)
	}
	return nil
}

func compare(a, b Observation) int {
	return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Sum, b.Sum),
		cmp.Compare(a.LnSum, b.LnSum), cmp.Compare(a.Silence, b.Silence))
}

// newSample sorts a copy of obs, counts equal ones and scales time.
func newSample(obs []Observation) (*sample, error) {
	s := &sample{customers: float64(len(obs))}
	total := 0.0
	obs = slices.Clone(obs)
	slices.SortFunc(obs, compare)
	for i := range obs {
		if err := obs[i].check(); err != nil {
			return nil, fmt.Errorf("%w: an observation has %w", ErrDegenerate, err)
		}
		s.repeats += obs[i].Repeats
		total += obs[i].Sum
		if obs[i].Repeats > 0 {
			s.returned++
		}
	}
	if len(obs) < minCustomers || s.repeats < minRepeats || s.returned < minReturned {
		return nil, fmt.Errorf("%w: %d customers with %d gaps, %d of them with a gap; at least %d, %d and %d are needed",
			ErrDegenerate, len(obs), s.repeats, s.returned, minCustomers, minRepeats, minReturned)
	}
	s.unit = total / float64(s.repeats)
	lnUnit := math.Log(s.unit)
	s.jacobian = -float64(s.repeats) * lnUnit
	for i, o := range obs {
		if i > 0 && o == obs[i-1] {
			s.groups[len(s.groups)-1].n++
			continue
		}
		if i == 0 || o.Repeats != obs[i-1].Repeats {
			s.xs = append(s.xs, o.Repeats)
		}
		x := float64(o.Repeats)
		s.groups = append(s.groups, group{
			x: x, sum: o.Sum / s.unit, lnSum: o.LnSum - x*lnUnit, e: o.Silence / s.unit,
			n: 1, at: len(s.xs) - 1,
		})
	}
	return s, nil
}
