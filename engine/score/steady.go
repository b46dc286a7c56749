package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/churn"
)

// season is how much the level of a horizon's orders wanders from one horizon to
// another by season alone, in log-odds, where too few have been seen to tell:
// quarters of a shop's year commonly differ by some fifteen per cent.
const season = 0.15

// steady holds the learned level against the season.
//
// The problem: labels of two or three neighbouring horizons agree on whether
// more or fewer customers came than the rhythm expects, and have one season
// between them; carried over, the level of winter foretells summer. Which
// customer is more at risk than which other does not suffer from that. So of
// the model's mean correction only as much is kept as stands out from what
// horizons differ by among themselves: the positive-part estimator of James and
// Stein, over the horizons seen.
func (n *Learner) steady(m *churn.Model, rows []churn.Row) {
	if m.Lambda >= churn.Shut && m.Bias == 0 {
		return
	}
	level, levels := 0.0, n.levels(m, rows)
	for _, l := range levels {
		level += l / float64(len(levels))
	}
	variance := season * season
	if len(levels) > 1 {
		sum := 0.0
		for _, l := range levels {
			sum += (l - level) * (l - level)
		}
		variance = max(variance, sum/float64(len(levels)-1))
	}
	span := float64(n.shots[0]-n.shots[len(levels)-1])/dayMS + float64(n.cfg.HorizonDays)
	horizons := span / float64(n.cfg.HorizonDays)
	keep := 0.0
	if level != 0 {
		keep = math.Max(0, 1-variance/(horizons*level*level))
	}
	mean := m.Bias
	for i, w := range m.Weights {
		mean += w * m.Mean[i]
	}
	m.Bias -= (1 - keep) * mean
}

const dayMS = 86_400_000

// levels is, for each snapshot with enough labels, the constant that has to be
// added to the log-odds of the rhythm and the centred correction to meet what
// happened.
func (n *Learner) levels(m *churn.Model, rows []churn.Row) []float64 {
	mean := m.Bias
	for i, w := range m.Weights {
		mean += w * m.Mean[i]
	}
	var levels []float64
	for j := range n.shots {
		level, count := 0.0, 0
		for range 30 {
			gradient, curvature := 0.0, 1e-9
			count = 0
			for i := range rows {
				r := &rows[i]
				if int(r.At) != j {
					continue
				}
				count++
				p := churn.Logistic(m.Logit(r.Offset, r.X) - mean + level)
				if r.Churned {
					gradient++
				}
				gradient -= p
				curvature += p * (1 - p)
			}
			step := clamp(gradient/curvature, -1, 1)
			if level += step; math.Abs(step) < 1e-10 {
				break
			}
		}
		if count < 50 {
			break
		}
		levels = append(levels, clamp(level, -5, 5))
	}
	return levels
}
