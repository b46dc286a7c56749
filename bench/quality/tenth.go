package quality

import (
	"math"
	"slices"
)

// judged reports whether there is a churn score with customers to judge it by.
func (r *Report) judged() bool { return len(r.Churn) > 0 && r.Churn[0].N > 0 }

// mixed reports whether some left and some stayed: else no ranking is better
// than any other.
func (j *Judged) mixed() bool { return j.Base > 0 && j.Base < 1 }

// tenths are the deciles of j, the riskiest first, from whichever end they came.
func (j *Judged) tenths() [10]Bin {
	d := j.Deciles
	first, last := -1, -1
	for i, b := range d {
		if b.N > 0 && finite(b.Mean) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first >= 0 && d[first].Mean < d[last].Mean {
		slices.Reverse(d[:])
	}
	return d
}

// ends are the riskiest and the safest tenth that hold customers.
func (j *Judged) ends() (top, bottom Bin, ok bool) {
	for _, b := range j.tenths() {
		if b.N == 0 || !finite(b.Rate) {
			continue
		}
		if !ok {
			top, ok = b, true
		}
		bottom = b
	}
	return top, bottom, ok
}

// bias is by how much the probabilities are too high on average.
func (j *Judged) bias() float64 {
	n, sum := 0, 0.0
	for _, b := range j.Deciles {
		if d := b.Mean - b.Rate; b.N > 0 && finite(d) {
			n += b.N
			sum += float64(b.N) * d
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// tendency is "high" or "low" where most of the error of j goes one way.
func (j *Judged) tendency() string {
	b := j.bias()
	switch {
	case j.ECE < 0.01 || !(math.Abs(b) > 0.6*j.ECE):
		return ""
	case b > 0:
		return "high"
	}
	return "low"
}

// tenths are the pairs, the highest prediction first, from whichever end they came.
func (f *Forecasts) tenths() [10]Pair {
	d := f.ByDecile
	if d[0].Predicted < d[len(d)-1].Predicted {
		slices.Reverse(d[:])
	}
	return d
}

// known reports whether any customer was foretold anything.
func (f *Forecasts) known() bool {
	if len(f.Models) == 0 {
		return false
	}
	m := &f.Models[0]
	return finite(m.MeanPredicted) && finite(m.MeanActual) && (m.MeanPredicted != 0 || m.MeanActual != 0)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
