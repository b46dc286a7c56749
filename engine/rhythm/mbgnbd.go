package rhythm

import "fmt"

// MBGNBD is the Prior of the model of Batislam, Denizel and Filiztekin (2007):
// k = 1 alone.
func MBGNBD(r, alpha, a, b float64) (*Prior, error) { return MBGCNBD(1, r, alpha, a, b) }

// MBGCNBD is the Prior of MBG/CNBD-k (Platzer, Reutterer 2016): everybody is as
// regular as this k, which is one of Grid.
func MBGCNBD(k int, r, alpha, a, b float64) (*Prior, error) {
	w := only(k)
	if w == [Size]float64{} {
		return nil, fmt.Errorf("regularity: k is %d, it must be one of %v", k, Grid)
	}
	return NewPrior(Params{R: r, Alpha: alpha, A: a, B: b, Weights: w})
}

// only are weights of one k, or none if it is not in Grid.
func only(k int) (w [Size]float64) {
	for i, g := range Grid {
		if g == k {
			w[i] = 1
		}
	}
	return w
}
