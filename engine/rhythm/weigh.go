package rhythm

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// weigh finds the weights that maximise Σ ln Σ_k w_k·f_k − even/2·Σ w² with
// w ≥ Floor and Σ w = 1, from w, and returns the log-likelihood Σ ln Σ_k w_k·f_k.
//
// An EM step (w_k becomes the mean of the customers' posteriors of k) leads to
// the same maximum, but slowly where two neighbouring k are alike. The problem is
// concave: Newton's method, the bounds kept by an active set, is quick.
func (m *marginal) weigh(w *[Size]float64) float64 {
	n := len(m.grid)
	v := m.value(w)
	if n == 1 {
		w[0] = 1
		return m.value(w)
	}
	for range 60 {
		var g [Size]float64
		var h [Size][Size]float64
		m.weightSlopes(w, &g, &h)
		step := quadratic(&g, &h, w, n)
		size, rise := 0.0, 0.0
		for o := range n {
			size = math.Max(size, math.Abs(step[o]))
			rise += g[o] * step[o]
		}
		if size < 1e-11 {
			break
		}
		next, ok := m.forward(w, &step, v, rise)
		if !ok {
			break
		}
		v = next
	}
	return v
}

// forward goes along step, halving it until the value rises.
func (m *marginal) forward(w, step *[Size]float64, v, rise float64) (float64, bool) {
	penalty := func(w *[Size]float64) float64 {
		s := 0.0
		for _, x := range w {
			s += even / 2 * x * x
		}
		return s
	}
	before := v - penalty(w)
	slack := 1e-14 * math.Abs(v)
	for t := 1.0; t > 1e-9; t /= 2 {
		to := *w
		for o := range m.grid {
			to[o] += t * step[o]
			if to[o] < Floor*(1+1e-9) { // on the bound, exactly
				to[o] = Floor
			}
		}
		if next := m.value(&to); next-penalty(&to) >= before+1e-4*t*rise-slack {
			*w = to
			return next, true
		}
	}
	return v, false
}

// value is Σ ln Σ_k w_k·f_k.
func (m *marginal) value(w *[Size]float64) float64 {
	n := len(m.grid)
	total := 0.0
	for j := range m.s.groups {
		row := m.f[j*n:][:n]
		sum := 0.0
		for o, f := range row {
			sum += w[o] * f
		}
		total += m.s.groups[j].n * math.Log(sum)
	}
	return total
}

// weightSlopes is the gradient, and the curvature (the negative second
// derivative), weak prior included.
func (m *marginal) weightSlopes(w, g *[Size]float64, h *[Size][Size]float64) {
	n := len(m.grid)
	for j := range m.s.groups {
		row := m.f[j*n:][:n]
		sum := 0.0
		for o, f := range row {
			sum += w[o] * f
		}
		inv := 1 / sum
		count := m.s.groups[j].n
		var phi [Size]float64
		for o, f := range row {
			phi[o] = f * inv
		}
		for o := range n {
			c := count * phi[o]
			g[o] += c
			for l := o; l < n; l++ {
				h[o][l] += c * phi[l]
			}
		}
	}
	for o := range n {
		g[o] -= even * w[o]
		h[o][o] += even
		for l := range o {
			h[o][l] = h[l][o]
		}
	}
}

// quadratic is the step p that maximises g·p − ½ p·h·p with Σp = 0 and
// w + p ≥ Floor, by the primal active-set method.
func quadratic(g *[Size]float64, h *[Size][Size]float64, w *[Size]float64, n int) (p [Size]float64) {
	var fixed [Size]bool
	for o := range n {
		fixed[o] = w[o] <= Floor
	}
	for range 100 {
		var slope [Size]float64 // at p
		for o := range n {
			slope[o] = g[o]
			for l := range n {
				slope[o] -= h[o][l] * p[l]
			}
		}
		step, price := equality(&slope, h, &fixed, n)
		size, room, block := 0.0, 1.0, -1
		for o := range n {
			size = math.Max(size, math.Abs(step[o]))
			if step[o] < 0 && w[o]+p[o]+step[o] < Floor {
				if r := max((Floor-w[o]-p[o])/step[o], 0); r < room {
					room, block = r, o
				}
			}
		}
		for o := range n {
			p[o] += room * step[o]
		}
		if block >= 0 {
			fixed[block] = true
			p[block] = Floor - w[block]
			continue
		}
		if size > 1e-12 {
			continue
		}
		release, most := -1, 1e-9*price
		for o := range n {
			if fixed[o] && slope[o]-price > most {
				release, most = o, slope[o]-price
			}
		}
		if release < 0 {
			break
		}
		fixed[release] = false
	}
	return p
}

// equality is quadratic's step from where the gradient is slope, the fixed held
// and the others free of bounds, and the multiplier of Σ = 0.
func equality(slope *[Size]float64, h *[Size][Size]float64, fixed *[Size]bool, n int) (step [Size]float64, price float64) {
	var free []int
	for o := range n {
		if !fixed[o] {
			free = append(free, o)
		}
	}
	k := len(free)
	a := mat.NewDense(k+1, k+1, nil)
	b := mat.NewVecDense(k+1, nil)
	for i, o := range free {
		for l, q := range free {
			a.Set(i, l, h[o][q])
		}
		// The multiplier is in units of the curvature's size.
		a.Set(i, k, h[free[0]][free[0]])
		a.Set(k, i, h[free[0]][free[0]])
		b.SetVec(i, slope[o])
	}
	var x mat.VecDense
	if err := x.SolveVec(a, b); err != nil && x.IsEmpty() {
		return step, math.Inf(1)
	}
	for i, o := range free {
		step[o] = x.AtVec(i)
	}
	return step, x.AtVec(k) * h[free[0]][free[0]]
}
