package nextbest

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// list is one order's candidates of a part, at least one of them bought and one
// not.
type list struct {
	x      [][]float64 // standardised columns
	weight []float64   // candidates that each stands for
	bought []bool
	n      float64 // bought ones
}

// listwise finds the weights under which what was bought ranks high among the
// candidates of its own list: the conditional logit (McFadden 1974), each list
// counting once whatever it holds. A ridge of so many lists draws them towards
// what is believed beforehand, which stands for what is the same for all
// candidates of a list. Newton's method; the likelihood is concave.
func listwise(lists []list, believed []float64, ridge float64) []float64 {
	w := slices.Clone(believed)
	for range 30 {
		g, h := slope(lists, w, believed, ridge)
		var chol mat.Cholesky
		if !chol.Factorize(h) { //nolint:misspell // gonum's name
			break
		}
		var step mat.VecDense
		if err := chol.SolveVecTo(&step, g); err != nil {
			break
		}
		far := 0.
		for i := range w {
			d := min(max(step.AtVec(i), -1), 1)
			w[i] += d
			far = max(far, math.Abs(d))
		}
		if far < 1e-9 {
			break
		}
	}
	return w
}

// slope is the gradient of the penalised log-likelihood and its negative second
// derivative.
func slope(lists []list, w, believed []float64, ridge float64) (*mat.VecDense, *mat.SymDense) {
	k := len(w)
	g, h := make([]float64, k), make([]float64, k*k)
	mean := make([]float64, k)
	var p []float64
	for i := range lists {
		l := &lists[i]
		p = p[:0]
		most, sum := math.Inf(-1), 0.
		for _, x := range l.x {
			s := dot(w, x)
			p = append(p, s)
			most = max(most, s)
		}
		for j := range p {
			p[j] = l.weight[j] * math.Exp(p[j]-most)
			sum += p[j]
		}
		clear(mean)
		for j, x := range l.x {
			p[j] /= sum
			for c, v := range x {
				mean[c] += p[j] * v
			}
		}
		for j, x := range l.x {
			for c := range k {
				d := x[c] - mean[c]
				if l.bought[j] {
					g[c] += d / l.n
				}
				for b := range c + 1 {
					h[c*k+b] += p[j] * d * (x[b] - mean[b])
				}
			}
		}
	}
	sym := mat.NewSymDense(k, nil)
	for c := range k {
		g[c] -= ridge * (w[c] - believed[c])
		for b := range c + 1 {
			v := h[c*k+b]
			if b == c {
				v += ridge
			}
			sym.SetSym(c, b, v)
		}
	}
	return mat.NewVecDense(k, g), sym
}

func dot(a, b []float64) float64 {
	s := 0.
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
