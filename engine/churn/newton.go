package churn

import (
	"errors"
	"math"
)

// Shut is the penalty from which on the weights are zero and only the bias is
// fitted.
const Shut = 1e9

// biasPenalty is that of the bias: about the say of one label.
const biasPenalty = 0.25

// What Newton's decrement, in nats, must fall below. The last step is squared
// by taking it, so that tight means weights to a relative 1e-9 and better.
const (
	tight = 1e-13
	loose = 1e-4 // a hundredth of what the comparison of penalties can tell
)

var errStuck = errors.New("churn fit: Newton's method found no minimum")

// solver is the room that a fit needs.
type solver struct {
	width      int
	grad, step []float64
	hess, next []float64
}

func newSolver(width int) *solver {
	return &solver{
		width: width,
		grad:  make([]float64, width), step: make([]float64, width),
		hess: make([]float64, width*width), next: make([]float64, width),
	}
}

// fit moves beta to the least penalised log-loss of the rows with a positive
// weight in use (nil: of all), by Newton's method with step halving. The loss
// is convex, and strictly so through the penalty: there is one minimum.
func (s *solver) fit(d *design, use []bool, lambda, tol float64, beta []float64) error {
	if lambda >= Shut {
		clear(beta[1:])
	}
	loss := s.evaluate(d, use, lambda, beta)
	for range 100 {
		if !s.solve() {
			return errStuck
		}
		decrement := 0.0
		for i, g := range s.grad {
			decrement += g * s.step[i]
		}
		if !finite(decrement) || !finite(loss) {
			return errStuck
		}
		if decrement/2 < tol {
			for i := range beta {
				beta[i] -= s.step[i]
			}
			return nil
		}
		next, part := loss, 1.0
		for ; ; part /= 2 {
			for i := range beta {
				s.next[i] = beta[i] - part*s.step[i]
			}
			// Where the decrement drowns in the rounding of the loss, a full
			// step is taken on trust.
			if next = s.evaluate(d, use, lambda, s.next); next <= loss || decrement < 1e-12*loss {
				break
			}
			if part < 1e-9 {
				return errStuck
			}
		}
		copy(beta, s.next)
		loss = next
	}
	return errStuck
}

// evaluate returns the penalised loss at beta, in nats, and leaves its
// gradient and its Hessian.
func (s *solver) evaluate(d *design, use []bool, lambda float64, beta []float64) float64 {
	clear(s.grad)
	clear(s.hess)
	width := s.width
	if lambda >= Shut {
		width = 1
	}
	loss := 0.0
	for i, y := range d.y {
		if use != nil && !use[i] {
			continue
		}
		x := d.x[i*s.width:][:width]
		z := d.offset[i]
		for j, v := range x {
			z += beta[j] * v
		}
		p, l := lossOf(z, y)
		w := d.weight[i]
		loss += w * l
		s.add(x, w*(p-y), w*p*(1-p))
	}
	for j := range s.width {
		penalty := lambda
		if j == 0 {
			penalty = biasPenalty
		}
		loss += penalty / 2 * beta[j] * beta[j]
		s.grad[j] += penalty * beta[j]
		s.hess[j*s.width+j] += penalty
	}
	return loss
}

// add adds g·x to the gradient and h·x·xᵀ to the Hessian's lower triangle.
func (s *solver) add(x []float64, g, h float64) {
	for j, v := range x {
		s.grad[j] += g * v
		hv := h * v
		row := s.hess[j*s.width:][:j+1]
		for k := range row {
			row[k] += hv * x[k]
		}
	}
}

// lossOf is the probability of log-odds z and the log-loss for the outcome y.
func lossOf(z, y float64) (p, loss float64) {
	e := math.Exp(-math.Abs(z))
	loss = math.Log1p(e) + max(z, 0) - y*z
	if z >= 0 {
		return 1 / (1 + e), loss
	}
	return e / (1 + e), loss
}

// solve puts hess⁻¹·grad into step by Cholesky's method, in place of hess.
func (s *solver) solve() bool {
	n, h := s.width, s.hess
	for i := range n {
		hi := h[i*n:][:n]
		for j := range i + 1 {
			hj := h[j*n:][:n]
			sum := hi[j]
			for k := range j {
				sum -= hi[k] * hj[k]
			}
			if i != j {
				hi[j] = sum / hj[j]
				continue
			}
			if !(sum > 0) {
				return false
			}
			hi[i] = math.Sqrt(sum)
		}
	}
	copy(s.step, s.grad)
	for i := range n {
		for k := range i {
			s.step[i] -= h[i*n+k] * s.step[k]
		}
		s.step[i] /= h[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			s.step[i] -= h[k*n+i] * s.step[k]
		}
		s.step[i] /= h[i*n+i]
	}
	return true
}
