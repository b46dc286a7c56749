package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
)

// season is how much the level of a horizon's orders wanders by season alone, in
// log-odds, where nothing has been seen of it yet: quarters of a shop's year
// commonly differ by some fifteen per cent. It counts as one observation.
const season = 0.15

// steady holds the learned level against the season and the trend.
//
// The problem: all labels of one horizon have one season between them, and the
// features grow older with their customers, so that what was more or less than
// the rhythm expects last winter would be carried over into summer. Which
// customer is more at risk than which other does not suffer from that. So the
// features only tell customers apart: as many of the sample as it is now are
// expected to leave as the rhythm expects, but for a level. And of the latest
// resolved horizon's level against the rhythm only as much is kept as stands out
// from what the levels of the horizons seen differ by among themselves: the
// positive-part estimator of James and Stein.
func (n *Learner) steady(m *churn.Model, rows []churn.Row, q *answerer) {
	levels := n.levels(rows)
	level, keep := 0.0, 0.0
	if len(levels) > 0 {
		level = levels[0]
	}
	if level != 0 {
		keep = math.Max(0, 1-wander(levels)/(level*level))
	}
	expected, odds := 0.0, make([]float64, len(n.members))
	for i := range n.members {
		x, offset := q.row(&n.members[i].now, q.horizon)
		expected += churn.Logistic(offset + keep*level)
		odds[i] = m.Logit(offset, x)
	}
	m.Raise(levelOf(odds, expected))
}

// wander is the variance of levels, season among them.
func wander(levels []float64) float64 {
	mean, sum := 0.0, season*season
	for _, l := range levels {
		mean += l / float64(len(levels))
	}
	for _, l := range levels {
		sum += (l - mean) * (l - mean)
	}
	return sum / float64(len(levels))
}

// fewForLevel is how many labels a snapshot's level rests on at least.
const fewForLevel = 100

// levels are, for the resolved snapshots, the latest first, the constants that
// have to be added to the rhythm's log-odds to meet what happened.
func (n *Learner) levels(rows []churn.Row) (levels []float64) {
	odds, happened := make([][]float64, len(n.shots)), make([]float64, len(n.shots))
	for i := range rows {
		r := &rows[i]
		odds[r.Snapshot] = append(odds[r.Snapshot], r.Offset)
		if r.Churned {
			happened[r.Snapshot]++
		}
	}
	for j := n.firstResolved(n.at); j < len(n.shots); j++ {
		if len(odds[j]) < fewForLevel {
			break
		}
		levels = append(levels, levelOf(odds[j], happened[j]))
	}
	return levels
}
