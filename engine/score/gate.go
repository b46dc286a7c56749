package score

import (
	"errors"
	"fmt"
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// gates are the terms that a shop may do without: whether how much a customer
// spends, whether it browses, fills carts, opens messages or complains tells who
// leaves differs from shop to shop, and within one from year to year.
var gates = [...][]int{{xSpend}, {xVisits, xVisited}, {xCart}, {xEngaged}, {xComplaint}}

// gatePenalty is the ridge penalty of the models that terms are judged in, in
// labels: weak enough that each term has its say.
const gatePenalty = 100

// errNoHelp is why a churn model is refused that could be fitted.
var errNoHelp = errors.New("what was learned by the time when the latest resolved horizon began would not have foretold it better than the rhythm alone")

// gate decides which of them may speak, and whether the model may at all.
//
// The problem: cross-validation over customers deals the same weeks to both
// sides, so it takes what held for a season for what holds. Here the model is
// learned as it would have been at the latest snapshot whose horizon has
// passed, and judged by that horizon. A term must make it better by two standard
// errors of the difference; the model, with the terms that are left, must be
// better than the rhythm alone. Until there are labels enough for that trial, the
// rhythm answers.
func (n *Learner) gate(q *answerer) (out [numFeatures]bool, err error) {
	v := n.firstResolved(n.at)
	if v >= len(n.shots) {
		return out, fmt.Errorf("%w: no horizon of %d days has passed", churn.ErrTooFew, n.cfg.HorizonDays)
	}
	later := n.rows(q, v, v+1, n.at)
	if len(later) < n.cfg.Learn.MinLabels {
		return out, fmt.Errorf("%w: %d of the latest horizon, learn.min_labels is %d", churn.ErrTooFew, len(later), n.cfg.Learn.MinLabels)
	}
	base, past := n.forgotten(), n.rows(q, v+1, len(n.shots), n.shots[v])
	out = base
	try := func(out [numFeatures]bool, start *churn.Model) (*churn.Model, error) {
		return churn.Fit(without(past, out), start,
			churn.Options{MinLabels: n.cfg.Learn.MinLabels, Lambdas: []float64{gatePenalty}})
	}
	whole, err := try(out, nil)
	if err != nil {
		return out, fmt.Errorf("by when the latest resolved horizon began: %w", err)
	}
	best, with := whole, losses(whole, later)
	for _, columns := range gates {
		if silent(whole, columns) {
			continue
		}
		less := out
		mark(&less, columns)
		part, err := try(less, whole)
		if err != nil {
			return out, err
		}
		if gain, doubt := gained(with, losses(part, later)); gain <= 2*doubt {
			mark(&out, columns)
		}
	}
	if out != base {
		if best, err = try(out, whole); err != nil {
			return out, err
		}
	}
	if gain, _ := gained(losses(best, later), losses(nil, later)); gain <= 0 {
		return out, errNoHelp
	}
	return out, nil
}

// forgotten are the columns of which the oldest snapshots may know nothing any
// more: a ledger remembers so many weeks before the latest one in which the
// customer was seen, so that of long horizons only those who left would still
// have their old weeks, and the columns would know the outcome.
func (n *Learner) forgotten() (out [numFeatures]bool) {
	oldest := n.shots[len(n.shots)-1]
	if n.week(n.at)-n.week(oldest)+behaviourWeeks > ledger.ActiveWeeks {
		mark(&out, []int{xVisits, xVisited, xCart, xEngaged})
	}
	return out
}

func mark(out *[numFeatures]bool, columns []int) {
	for _, c := range columns {
		out[c] = true
	}
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

// gained is by how much losses are lower with something than without it on
// average, and the standard error of that.
func gained(with, without []float64) (gain, doubt float64) {
	var sum, square float64
	for i := range with {
		d := without[i] - with[i]
		sum += d
		square += d * d
	}
	count := float64(len(with))
	gain = sum / count
	return gain, math.Sqrt(max(square/count-gain*gain, 0) / count)
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
