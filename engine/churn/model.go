// Package churn learns how likely a customer is not to order within the
// horizon, and judges such probabilities.
//
// The problem: the rhythm model knows when the next order is due and nothing
// of visits, complaints or of what this shop's customers are like. A model
// learned from resolved snapshots knows them and is, with few labels, worse
// than none. The answer is a correction: the logit of the rhythm model's
// probability is the offset of a logistic regression,
//
//	logit P(churned) = bend(offset + bias + Σ wᵢ·xᵢ)
//
// whose ridge penalty pulls the weights to zero, that is to the rhythm model
// alone, until the labels say otherwise. How hard it pulls is decided by
// cross-validation over customers. The bend makes good where terms do not simply
// add up (see Calibrate). Fitting is a function of the multiset of
// labels, so that instances and restarts agree.
package churn

import (
	"fmt"
	"math"
	"slices"
)

// Model is a fitted correction. Its fields are plain values; it is immutable
// in use and serves many goroutines. The nil Model is the rhythm model alone.
type Model struct {
	Bias    float64
	Weights []float64 // of the clamped columns, by column
	Lo, Hi  []float64 // what a column is clamped to
	Mean    []float64 // weighted mean of the clamped column; also stands in for NaN
	Lambda  float64   // ridge penalty that was chosen; Shut where the weights are zero
	Rows    int       // labels that it was fitted from
	Bend    Bend
}

// farthest is where offsets are clamped to: a probability of 2e-9 is as good
// as never, and one surprise must not cost more than twenty nats.
const farthest = 20

// Logit is the log-odds of churning. The offset is that of the rhythm model
// (see LogOdds) and x has a value for each column, in the order of the rows
// that were fitted; NaN stands for unknown. It does not allocate.
func (m *Model) Logit(offset float64, x []float64) float64 {
	if m == nil {
		return clampOffset(offset)
	}
	z := clampOffset(offset) + m.Bias
	x = x[:len(m.Weights)]
	for i, w := range m.Weights {
		z += w * m.clamped(i, x[i])
	}
	z, _, _ = m.Bend.At(z)
	return z
}

// Probability is the probability of churning; see Logit.
func (m *Model) Probability(offset float64, x []float64) float64 {
	return Logistic(m.Logit(offset, x))
}

func (m *Model) clamped(i int, v float64) float64 {
	if v != v {
		return m.Mean[i]
	}
	return min(max(v, m.Lo[i]), m.Hi[i])
}

// Check refuses a model that is not for this number of columns or that holds
// what is not finite: one read from elsewhere must pass it before use.
func (m *Model) Check(columns int) error {
	for _, c := range [][]float64{m.Weights, m.Lo, m.Hi, m.Mean} {
		if len(c) != columns {
			return fmt.Errorf("churn model: %d columns, want %d", len(c), columns)
		}
		for i, v := range c {
			if !finite(v) {
				return fmt.Errorf("churn model: column %d holds %g", i, v)
			}
		}
	}
	for i, lo := range m.Lo {
		if lo > m.Hi[i] {
			return fmt.Errorf("churn model: column %d is clamped to %g to %g", i, lo, m.Hi[i])
		}
	}
	if !finite(m.Bias) {
		return fmt.Errorf("churn model: bias is %g", m.Bias)
	}
	return m.Bend.check()
}

// Raise adds to every Logit.
func (m *Model) Raise(level float64) {
	if len(m.Bend.Y) == 0 {
		m.Bias += level
		return
	}
	m.Bend.Y = slices.Clone(m.Bend.Y)
	for i := range m.Bend.Y {
		m.Bend.Y[i] += level
	}
}

// Logistic is 1/(1 + e^−z), the probability of log-odds z.
func Logistic(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// LogOdds is ln(p/(1−p)), clamped to ±20.
func LogOdds(p float64) float64 {
	return clampOffset(math.Log(p / (1 - p)))
}

func clampOffset(z float64) float64 { return min(max(z, -farthest), farthest) }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
