package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
)

// gates are the terms that a shop may do without: whether how much a customer
// spends, whether it browses, fills carts, opens messages or complains tells who
// leaves differs from shop to shop, and within one from year to year.
var gates = [...][]int{{xSpend}, {xVisits, xVisited}, {xCart}, {xEngaged}, {xComplaint}}

// gatePenalty is the ridge penalty of the models that terms are judged in, in
// labels: weak enough that each term has its say.
const gatePenalty = 100

// gate decides which of them may speak: one is left out unless it helps to
// foretell later labels than it was learned from.
//
// The problem: cross-validation over customers deals the same weeks to both
// sides, so it takes what held for a season for what holds. Here the model is
// learned as it would have been at the latest snapshot whose horizon has
// passed, and judged by that horizon: with a term, and without it. A term must
// be better by two standard errors of the difference. Where there is too little to
// judge by, all may speak.
func (n *Learner) gate(q *answerer) (out [numFeatures]bool) {
	v := n.firstResolved(n.at)
	if v >= len(n.shots) {
		return out
	}
	all := [numFeatures]bool{}
	past := n.rows(q, v+1, n.shots[v], all)
	later := n.rowsOf(q, v)
	opt := churn.Options{MinLabels: n.cfg.Learn.MinLabels, Lambdas: []float64{gatePenalty}}
	whole, err := churn.Fit(past, nil, opt)
	if err != nil || len(later) < n.cfg.Learn.MinLabels {
		return out
	}
	with := losses(whole, later)
	for _, columns := range gates {
		if silent(whole, columns) {
			continue
		}
		less := all
		for _, c := range columns {
			less[c] = true
		}
		part, err := churn.Fit(n.rows(q, v+1, n.shots[v], less), whole, opt)
		if err != nil {
			continue
		}
		if !better(with, losses(part, later)) {
			for _, c := range columns {
				out[c] = true
			}
		}
	}
	return out
}

// rowsOf are the rows of one snapshot, as they are known now.
func (n *Learner) rowsOf(q *answerer, snapshot int) (rows []churn.Row) {
	for _, r := range n.rows(q, snapshot, n.at, [numFeatures]bool{}) {
		if int(r.At) == snapshot {
			rows = append(rows, r)
		}
	}
	return rows
}

// silent says whether a model has no weight on columns.
func silent(m *churn.Model, columns []int) bool {
	for _, c := range columns {
		if m.Weights[c] != 0 {
			return false
		}
	}
	return true
}

// losses are the log-losses of a model on each row, its level set to meet what
// happened: the level is held elsewhere (see steady).
func losses(m *churn.Model, rows []churn.Row) []float64 {
	odds, happened := make([]float64, len(rows)), 0.0
	for i := range rows {
		odds[i] = m.Logit(rows[i].Offset, rows[i].X)
		if rows[i].Churned {
			happened++
		}
	}
	level := levelOf(odds, happened)
	out := make([]float64, len(rows))
	for i, z := range odds {
		z += level
		if !rows[i].Churned {
			z = -z
		}
		out[i] = math.Log1p(math.Exp(-math.Abs(z))) + math.Max(-z, 0)
	}
	return out
}

// better says whether losses are lower by more than two standard errors of their
// difference.
func better(with, without []float64) bool {
	var sum, square float64
	for i := range with {
		d := without[i] - with[i]
		sum += d
		square += d * d
	}
	count := float64(len(with))
	variance := square/count - sum*sum/(count*count)
	return sum/count > 2*math.Sqrt(variance/count)
}

// levelOf is the constant that has to be added to log-odds for their
// probabilities to add up to what happened; within ±5.
func levelOf(odds []float64, happened float64) (level float64) {
	for range 60 {
		expected, curvature := 0.0, 1e-9
		for _, z := range odds {
			p := churn.Logistic(z + level)
			expected += p
			curvature += p * (1 - p)
		}
		step := clamp((happened-expected)/curvature, -1, 1)
		if level += step; math.Abs(step) < 1e-12 || math.Abs(level) > 5 {
			break
		}
	}
	return clamp(level, -5, 5)
}
