package quality

import "math"

// verdict is how the score on trial compares with a baseline by AUC.
type verdict uint8

const (
	unclear verdict = iota // one of them is not known
	better
	ahead  // better, by what chance could do
	level  // the same for any purpose
	behind // worse, by what chance could do
	worse
)

// same is a difference of AUC that nobody would notice.
const same = 0.005

// compare judges a against b. Both were given the same customers, which makes
// their difference more certain than either, so "ahead" and "behind" are said
// rather too often than too seldom.
func compare(a, b *Judged) verdict {
	d := a.AUC - b.AUC
	if !finite(d) || !a.mixed() || b.N == 0 {
		return unclear
	}
	if math.Abs(d) < same {
		return level
	}
	sure := math.Abs(d) > a.margin()
	switch {
	case d > 0 && sure:
		return better
	case d > 0:
		return ahead
	case sure:
		return worse
	}
	return behind
}

// versus are the baselines of each verdict.
func (r *Report) versus() (of [worse + 1][]*Judged) {
	if !r.judged() {
		return of
	}
	for i := range r.Churn[1:] {
		b := &r.Churn[i+1]
		v := compare(&r.Churn[0], b)
		of[v] = append(of[v], b)
	}
	return of
}

// skill is the part of the Brier score of a constant (the base rate, for
// everybody) that j does without; negative where the constant is better.
func (j *Judged) skill() float64 {
	return 1 - j.Brier/(j.Base*(1-j.Base))
}

func names(of []*Judged) []string {
	out := make([]string, len(of))
	for i, j := range of {
		out[i] = alone(j.Name)
	}
	return out
}

// times is how many times in a hundred the right customer of two was called
// riskier, with a decimal where that is what it turns on.
func times(auc float64, close bool) string {
	if close {
		return fixed(100*auc, 1)
	}
	return ofHundred(auc)
}
