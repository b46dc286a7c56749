package churn

import (
	"cmp"
	"math"
	"slices"
)

// Outcome is a probability that was given and what became of it.
type Outcome struct {
	P       float64 // of churning; what is outside 0 to 1 counts as 0 or 1
	Churned bool
	Weight  float64 // 0 stands for 1
}

// Bin is a part of the outcomes with neighbouring probabilities.
type Bin struct {
	N         int
	Mean      float64 // of the probabilities
	Rate      float64 // share that churned
	Low, High float64 // Wilson's 95 % interval of the rate
}

// Quality says how good probabilities were. Shares and means are weighted,
// counts are not. Every number is finite, whatever was judged: what cannot be
// said is zero, and AUC is then 0.5.
type Quality struct {
	N       int     // outcomes judged
	Invalid int     // left out: a probability that is no number, a weight beyond 1e±100
	Base    float64 // share that churned
	MeanP   float64 // mean probability
	// AUC is the probability that one who churned was given a higher
	// probability than one who stayed, ties counted half: ranking alone.
	AUC     float64
	Brier   float64 // mean squared error
	LogLoss float64 // mean, in nats, probabilities clamped at 1e-6
	// InTheLarge is MeanP − Base: over 0 where churn is overstated.
	InTheLarge float64
	// Deciles are bins of as many outcomes each, to within one, from the lowest
	// probability to the highest. Equal probabilities may fall into two bins;
	// each then gets the same share of churn of them, so that the order in which
	// ties are met does not matter.
	Deciles [10]Bin
	ECE     float64 // expected calibration error: mean |Mean − Rate| of Deciles, by weight
	MaxGap  float64 // greatest |Mean − Rate| of the Deciles with at least 200 outcomes
	// Caught[k] is the share of all who churned that the k+1 highest deciles
	// hold, and Lift[k] how many times more that is than of everybody.
	Caught, Lift [10]float64
}

// certain is where the log-loss is clamped: a sure prediction that fails costs
// 13.8 nats.
const certain = 1e-6

// enough is the least number of outcomes for a bin to count in MaxGap.
const enough = 200

// Judge measures probabilities against outcomes, in O(n log n). It does not
// depend on the order of the outcomes and does not change them.
func Judge(outcomes []Outcome) Quality {
	q := Quality{AUC: 0.5}
	sorted := make([]Outcome, 0, len(outcomes))
	for _, o := range outcomes {
		if math.IsNaN(o.P) || o.Weight != 0 && !(o.Weight > 1e-100 && o.Weight < 1e100) {
			q.Invalid++
			continue
		}
		o.P = min(max(o.P, 0), 1)
		o.Weight = cmp.Or(o.Weight, 1)
		sorted = append(sorted, o)
	}
	if q.N = len(sorted); q.N == 0 {
		return q
	}
	slices.SortFunc(sorted, func(a, b Outcome) int {
		if a.P == b.P && a.Churned != b.Churned {
			if a.Churned {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.Weight, b.Weight))
	})
	q.losses(sorted)
	ties := tiesOf(sorted)
	q.ranking(ties)
	q.calibration(ties)
	return q
}

func (q *Quality) losses(sorted []Outcome) {
	var weight, churned, mean, brier, log float64
	for _, o := range sorted {
		weight += o.Weight
		mean += o.Weight * o.P
		p := min(max(o.P, certain), 1-certain)
		if o.Churned {
			churned += o.Weight
			brier += o.Weight * (1 - o.P) * (1 - o.P)
			log -= o.Weight * math.Log(p)
		} else {
			brier += o.Weight * o.P * o.P
			log -= o.Weight * math.Log1p(-p)
		}
	}
	q.Base, q.MeanP = churned/weight, mean/weight
	q.Brier, q.LogLoss = brier/weight, log/weight
	q.InTheLarge = q.MeanP - q.Base
}

// tie is all outcomes of one probability.
type tie struct {
	p               float64
	n               int
	weight, square  float64 // Σw, Σw²
	churned, stayed float64 // Σw of either
}

func tiesOf(sorted []Outcome) []tie {
	var ties []tie
	for _, o := range sorted {
		if n := len(ties); n == 0 || ties[n-1].p != o.P {
			ties = append(ties, tie{p: o.P})
		}
		t := &ties[len(ties)-1]
		t.n++
		t.weight += o.Weight
		t.square += o.Weight * o.Weight
		if o.Churned {
			t.churned += o.Weight
		} else {
			t.stayed += o.Weight
		}
	}
	return ties
}

// ranking is the Mann–Whitney statistic.
func (q *Quality) ranking(ties []tie) {
	var below, churned, won float64
	for _, t := range ties {
		won += t.churned * (below + t.stayed/2)
		below += t.stayed
		churned += t.churned
	}
	if below > 0 && churned > 0 {
		q.AUC = won / churned / below
	}
}
