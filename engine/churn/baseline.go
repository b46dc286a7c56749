package churn

import (
	"fmt"
	"math"
	"slices"
)

// Curve is the probability of churning by one feature alone. Recency alone and
// frequency alone are what any learned model must beat.
type Curve struct{ Bias, Weight float64 }

// P is the probability at x. It rises or falls strictly with x, so that its
// ranking (AUC) is that of the feature.
func (c Curve) P(x float64) float64 { return Logistic(c.Bias + c.Weight*x) }

// FitBaseline fits a logistic regression on one feature, such as ln(1+recency).
// It is hardly penalised, for a fair rival; values beyond the 0.5 and 99.5
// percentiles count as these. The order of the labels does not matter. The
// error wraps ErrTooFew for fewer than ten of either outcome.
func FitBaseline(x []float64, churned []bool) (Curve, error) {
	if len(x) != len(churned) {
		return Curve{}, fmt.Errorf("baseline: %d values and %d outcomes", len(x), len(churned))
	}
	rows, ones := make([]Row, len(x)), 0
	for i, v := range x {
		if math.IsNaN(v) {
			return Curve{}, fmt.Errorf("baseline: value %d is not a number", i)
		}
		rows[i] = Row{Group: uint64(i), X: x[i : i+1], Churned: churned[i]}
		if churned[i] {
			ones++
		}
	}
	const least = 10
	if zeros := len(x) - ones; ones < least || zeros < least {
		return Curve{}, fmt.Errorf("baseline: %w: %d churned and %d stayed; at least %d of each are needed", ErrTooFew, ones, zeros, least)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		a.Group, b.Group = 0, 0
		return compare(a, b)
	})
	m, d := prepare(rows)
	beta := make([]float64, d.width)
	if err := newSolver(d.width).fit(d, nil, 0.1, tight, beta); err != nil {
		return Curve{}, err
	}
	d.toModel(beta, m)
	return Curve{Bias: m.Bias, Weight: m.Weights[0]}, nil
}
