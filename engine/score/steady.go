package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
)

// season is how much the level of a horizon's orders wanders from one horizon to
// another by season alone, in log-odds, where too few have been seen to tell:
// quarters of a shop's year commonly differ by some fifteen per cent.
const season = 0.15

// steady holds the learned level against the season and the trend.
//
// The problem: all labels of one horizon have one season between them, and the
// features grow older with their customers, so that what was more or less than
// the rhythm expects last winter would be carried over into summer. Which
// customer is more at risk than which other does not suffer from that. So the
// features only tell customers apart: over the sample as it is now their sum is
// zero. And of the latest horizon's level against the rhythm only as much is
// kept as stands out from what seasons do: the positive-part estimator of James
// and Stein.
func (n *Learner) steady(m *churn.Model, rows []churn.Row, q *answerer) {
	level := n.latestLevel(m, rows)
	keep := 0.0
	if level != 0 {
		keep = math.Max(0, 1-season*season/(level*level))
	}
	m.Bias += keep*level - n.correction(m, q)
}

// correction is the mean of what the model adds to the rhythm's log-odds, over
// the sample as it is now.
func (n *Learner) correction(m *churn.Model, q *answerer) (mean float64) {
	for i := range n.members {
		x, offset := q.row(&n.members[i].now, q.horizon)
		mean += (m.Logit(offset, x) - offset) / float64(len(n.members))
	}
	return mean
}

// latestLevel is the constant that has to be added to the log-odds of the latest
// resolved snapshot, with the features' sum centred over it, to meet what
// happened.
func (n *Learner) latestLevel(m *churn.Model, rows []churn.Row) float64 {
	var odds []float64
	centre, happened, latest := 0.0, 0.0, n.firstResolved(n.at)
	for i := range rows {
		r := &rows[i]
		if int(r.At) != latest {
			continue
		}
		z := m.Logit(r.Offset, r.X)
		odds = append(odds, z)
		centre += z - r.Offset
		if r.Churned {
			happened++
		}
	}
	if len(odds) == 0 {
		return 0
	}
	centre /= float64(len(odds))
	for i := range odds {
		odds[i] -= centre
	}
	return levelOf(odds, happened)
}
