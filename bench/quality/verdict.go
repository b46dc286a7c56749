package quality

// verdict is how the score on trial compares with a baseline by AUC. It rests on
// the interval of their difference, not on those of either.
type verdict uint8

const (
	unclear verdict = iota // the difference is not known
	better                 // by more than chance explains
	level                  // whatever chance did, the same for any purpose
	open                   // chance may have made the difference
	worse
)

// same is a difference of AUC that nobody would notice.
const same = 0.005

// compare judges a against b.
func compare(a, b *Judged) verdict {
	l := b.Lead
	switch {
	case l == nil || !finite(l.Low) || !finite(l.High) || !finite(a.AUC) || !finite(b.AUC):
		return unclear
	case -same < l.Low && l.High < same:
		return level
	case l.Low > 0:
		return better
	case l.High < 0:
		return worse
	}
	return open
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

// times is a chance as a number in a hundred, with the decimal that a comparison
// may turn on.
func times(v float64) string { return fixed(100*v, 1) }
