package nextbest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/score"
)

const (
	leastExamples = 500 // candidates that a fit needs, and of them at least fifty bought
	believedLists = 15  // that what is built in is worth beside what is learned
	ridge         = 5   // examples that the penalty of a regression is worth
)

// Learn fits the weights of what speaks for an offer to lessons. It is a function
// of them alone, in any order. Where there is too little for a part, prev's
// stands, and the error says so.
//
// Among the items of a part the weights are those that rank best (see listwise);
// how the parts compare is found by a logistic regression on the rank's score and
// on how many orders the customer had, so that what comes out is a probability.
func Learn(lessons []Lesson, prev *score.OfferModel) (*score.OfferModel, error) {
	m := *prev
	lessons = slices.Clone(lessons)
	slices.SortFunc(lessons, func(a, b Lesson) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.At, b.At)) })
	mix := mixture(lessons)
	var failed []error
	for part, into := range [2]**churn.Model{&m.New, &m.Again} {
		fit, err := learnPart(lessons, &mix, part == 1)
		if err != nil {
			failed = append(failed, fmt.Errorf("offers of %s items: %w", PartNames[1+part], err))
			continue
		}
		if *into, m.Lists = fit, len(lessons); part == 0 {
			m.Mix = mix
		}
	}
	return &m, errors.Join(failed...)
}

// learnPart fits the model of new items, or of those that customers had.
func learnPart(lessons []Lesson, shares *[score.NumVoices]float64, again bool) (*churn.Model, error) {
	prior, orders := score.BuiltInOffers().New, score.NewOrders
	if again {
		prior, orders = score.BuiltInOffers().Again, score.AgainOrders
	}
	s := newScale(lessons, shares, again, len(prior.Weights))
	believed := make([]float64, len(prior.Weights))
	for c, w := range prior.Weights {
		if c != orders {
			believed[c] = w * s.deviation[c]
		}
	}
	var lists []list
	for i := range lessons {
		if l := s.list(&lessons[i], again); l.n > 0 && int(l.n) < len(l.x) {
			lists = append(lists, l)
		}
	}
	w := listwise(lists, believed, believedLists)
	var rows []churn.Row
	for i := range lessons {
		l := s.list(&lessons[i], again)
		for j, x := range l.x {
			rows = append(rows, churn.Row{
				Group: lessons[i].Order, Snapshot: int32(j), X: []float64{dot(w, x), x[orders]}, Churned: l.bought[j], Weight: l.weight[j],
			})
		}
	}
	fit, err := churn.Fit(rows, nil, churn.Options{MinLabels: leastExamples, Lambdas: []float64{ridge}})
	if err != nil {
		return nil, err
	}
	return s.model(w, fit, orders), nil
}

// scale is what columns are standardised by.
type scale struct {
	shares                     *[score.NumVoices]float64
	mean, deviation, low, high []float64
}

func newScale(lessons []Lesson, shares *[score.NumVoices]float64, again bool, columns int) *scale {
	s := &scale{shares: shares, mean: make([]float64, columns), deviation: make([]float64, columns), low: make([]float64, columns), high: make([]float64, columns)}
	var values []float64
	for c := range columns {
		values = values[:0]
		for i := range lessons {
			for j := range lessons[i].Examples {
				if e := &lessons[i].Examples[j]; e.Again == again {
					if v := s.column(&lessons[i], e, c); v == v {
						values = append(values, v)
					}
				}
			}
		}
		s.deviation[c] = 1
		if len(values) < 2 {
			continue
		}
		slices.Sort(values)
		s.low[c], s.high[c] = values[len(values)/200], values[len(values)-1-len(values)/200]
		if mean, dev := stat.MeanStdDev(values, nil); dev > 1e-9 {
			s.mean[c], s.deviation[c] = mean, dev
		} else {
			s.mean[c] = mean
		}
	}
	return s
}

// column is one of an example's.
func (s *scale) column(l *Lesson, e *Example, c int) float64 {
	if e.Again || c != score.NewMix {
		return float64(e.X[c])
	}
	return logMix(l, e, s.shares)
}

// list takes a lesson's candidates of a part.
func (s *scale) list(l *Lesson, again bool) (out list) {
	for j := range l.Examples {
		e := &l.Examples[j]
		if e.Again != again {
			continue
		}
		x := make([]float64, len(s.mean))
		for c := range x {
			if v := s.column(l, e, c); v == v {
				x[c] = (min(max(v, s.low[c]), s.high[c]) - s.mean[c]) / s.deviation[c]
			}
		}
		out.x, out.weight, out.bought = append(out.x, x), append(out.weight, float64(e.Weight)), append(out.bought, e.Bought)
		if e.Bought {
			out.n++
		}
	}
	return out
}

// model joins the ranking weights and what they are worth to one model of the
// columns as they are.
func (s *scale) model(w []float64, fit *churn.Model, orders int) *churn.Model {
	k := len(w)
	m := &churn.Model{
		Bias: fit.Bias, Weights: make([]float64, k), Lo: slices.Clone(s.low), Hi: slices.Clone(s.high), Mean: slices.Clone(s.mean),
		Lambda: fit.Lambda, Rows: fit.Rows,
	}
	for c := range k {
		slope := fit.Weights[0] * w[c]
		if c == orders {
			slope += fit.Weights[1]
		}
		m.Weights[c] = slope / s.deviation[c]
		m.Bias -= m.Weights[c] * s.mean[c]
	}
	return m
}
