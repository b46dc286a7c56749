package quality

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Lead is by how much the score on trial has the higher AUC.
type Lead struct {
	AUC  float64 `json:"auc"` // negative: it is behind
	Low  float64 `json:"low"` // 95 % interval of AUC (DeLong)
	High float64 `json:"high"`
}

// scored is what two scores said of a customer, and what became of it.
type scored struct {
	a, b float64 // the higher, the sooner it leaves; no NaN
	left bool
}

// delong is the lead of score a over score b, which were given the same
// customers; nil where fewer than two left or fewer than two stayed. What is hard
// about a customer is hard for both and drops out, so the difference is far more
// certain than either AUC.
//
// The AUC is a mean over those who left of which part of those who stayed each
// of them is ranked above (its placement), as well as one over those who stayed;
// the variance of the difference is that of the differences of the placements:
// DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more
// correlated receiver operating characteristic curves, Biometrics 44. The
// placements are read off the ranks: Sun and Xu (2014), IEEE Signal Processing
// Letters 21.
func delong(customers []scored) *Lead {
	pa := placements(customers, func(s *scored) float64 { return s.a })
	pb := placements(customers, func(s *scored) float64 { return s.b })
	var left, stayed []float64
	for i := range customers {
		if d := pa[i] - pb[i]; customers[i].left {
			left = append(left, d)
		} else {
			stayed = append(stayed, d)
		}
	}
	if len(left) < 2 || len(stayed) < 2 {
		return nil
	}
	lead, spread := stat.MeanVariance(left, nil)
	half := 1.96 * math.Sqrt(spread/float64(len(left))+stat.Variance(stayed, nil)/float64(len(stayed)))
	return &Lead{AUC: lead, Low: lead - half, High: lead + half}
}

// placements are, of each customer, the part of the other class that it is
// ranked on the right side of, ties counted half.
func placements(customers []scored, score func(*scored) float64) []float64 {
	order := make([]int, len(customers))
	left, stayed := 0.0, 0.0
	for i := range customers {
		order[i] = i
		if customers[i].left {
			left++
		} else {
			stayed++
		}
	}
	at := func(i int) float64 { return score(&customers[order[i]]) }
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(score(&customers[i]), score(&customers[j])) })
	out := make([]float64, len(customers))
	leftBelow, stayedBelow := 0.0, 0.0
	for from, to := 0, 0; from < len(order); from = to {
		leftHere, stayedHere := 0.0, 0.0
		for ; to < len(order) && at(to) == at(from); to++ {
			if customers[order[to]].left {
				leftHere++
			} else {
				stayedHere++
			}
		}
		for _, i := range order[from:to] {
			if customers[i].left {
				out[i] = (stayedBelow + stayedHere/2) / stayed
			} else {
				out[i] = 1 - (leftBelow+leftHere/2)/left
			}
		}
		leftBelow += leftHere
		stayedBelow += stayedHere
	}
	return out
}
