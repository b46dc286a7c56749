package rhythm

import "math"

// BGNBD is the model of Fader, Hardie and Lee (2005), a reference to compare
// with: gaps as with k = 1, but nobody leaves after the first order. That makes
// P(alive) = 1 of everyone who ordered once; for scoring use a Prior.
type BGNBD struct {
	R, Alpha float64 // Gamma distribution of the rate
	A, B     float64 // Beta distribution of leaving after an order but the first
}

// FitBGNBD fits the model as FitPrior does, with the same thresholds, weak
// prior and errors. The Fit's weights are those of k = 1 alone.
func FitBGNBD(obs []Observation, start BGNBD, opts FitOptions) (Fit, error) {
	opts.K = 1
	return fitModel(obs, Params{R: start.R, Alpha: start.Alpha, A: start.A, B: start.B, Weights: only(1)}, opts, true)
}

// survival is the probability that the open gap exceeds e if the customer is
// still there.
func (m *BGNBD) survival(h History, e float64) float64 {
	return math.Exp(-(m.R + float64(h.Repeats)) * math.Log1p(e/(m.Alpha+h.Sum)))
}

// LogLikelihood is that of the history h followed by a silence of e.
func (m *BGNBD) LogLikelihood(h History, e float64) float64 {
	s := m.survival(h, e)
	if h.Repeats == 0 {
		return math.Log(s)
	}
	x := float64(h.Repeats)
	g, _ := math.Lgamma(m.R + x)
	g0, _ := math.Lgamma(m.R)
	gaps := g - g0 + m.R*math.Log(m.Alpha) - (m.R+x)*math.Log(m.Alpha+h.Sum)
	left := lnBeta(m.A+1, m.B+x-1) - lnBeta(m.A, m.B)
	return gaps + left + math.Log1p((m.B+x-1)/m.A*s)
}

// Alive is the probability that the customer, silent for e, has not left.
func (m *BGNBD) Alive(h History, e float64) float64 {
	if h.Repeats == 0 {
		return 1
	}
	c := (m.B + float64(h.Repeats) - 1) / m.A * m.survival(h, e)
	return c / (1 + c)
}

// Orders is the expected number of orders within the next t of a customer
// silent for e (Fader, Hardie, Lee 2005, equation 10).
func (m *BGNBD) Orders(h History, e, t float64) float64 {
	x := float64(h.Repeats)
	return m.Alive(h, e) * expected(m.R+x, m.Alpha+h.Sum+e, m.A, m.B+x, t)
}

// expected is the expected number of orders within t of an active customer
// whose rate is Gamma(r, alpha) and whose probability of leaving after each is
// Beta(a, b):
//
//	(a+b−1)/(a−1) · (1 − (1−z)^r · ₂F₁(r, b; a+b−1; z)), z = t/(α+t)
func expected(r, alpha, a, b, t float64) float64 {
	if math.Abs(a-1) < 1e-6 { // where the form is 0/0, and its limit near
		a = 1 + 1e-6
	}
	return (a + b - 1) / (a - 1) * (1 - hypergeometric(r, b, a+b-1, t/(alpha+t)))
}

// hypergeometric is (1−z)^r·₂F₁(r, b; c; z) for 0 ≤ z < 1 by Gauss's series: the
// mean of (b)_M/(c)_M over a negative binomial M. All terms are positive.
func hypergeometric(r, b, c, z float64) float64 {
	const big = 1e200
	sum, term, scale := 1.0, 1.0, r*math.Log1p(-z)
	for j := 0.0; j < 1e7; j++ {
		ratio := (r + j) / (j + 1) * (b + j) / (c + j) * z
		term *= ratio
		sum += term
		if ratio < 1 && term < 1e-16*(1-ratio)*sum {
			break
		}
		if sum > big {
			sum, term, scale = sum/big, term/big, scale+math.Log(big)
		}
	}
	return math.Exp(scale + math.Log(sum))
}
