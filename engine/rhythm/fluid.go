package rhythm

import "math"

// fluid is E_k where the steps are too many to be counted one by one. The first
// order is exact, by the survivals. For those after it the steps are taken for a
// continuous quantity, Gamma distributed with the mean and the variance that
// they have, n orders for nk + (k−1)/2 of them, and Σσ in its closed form, over
// which Gamma is integrated.
//
// Its error in random trials with 2,000 to 12,000 steps, at worst: 3e-5 of the
// orders where R > 20, 1.1e-3 where R > 5, 1.3 % where R > 1, and 7 % of one who
// ordered once in a population of R < 1.
func (q *Posterior) fluid(c *component, e, h float64) float64 {
	u := c.rate * h / (1 + c.rate*e)
	mean, variance := c.within(e)
	variance = (c.r+mean)*u*(1+u) + variance*(1+u)*(1+u)
	mean += (c.r + mean) * u
	shape, scale := mean*mean/variance, variance/mean

	// In y = ln(steps/mean) the density is e^{−s(e^y − 1 − y)}, up to a factor;
	// the trapezoid rule is as good as exact for a function that falls off so.
	const faintest = 18
	lg, _ := math.Lgamma(shape)
	step := 0.8 / math.Sqrt(shape+1)
	sum := 0.0
	for _, way := range [...]float64{step, -step} {
		y := 0.0
		if way < 0 {
			y = way
		}
		for range 400 {
			grown := math.Exp(y)
			l := shape * (grown - 1 - y)
			n := (shape*scale*grown - (c.k-1)/2) / c.k
			if l > faintest || n <= 1 && way < 0 {
				break
			}
			if n > 1 {
				sum += math.Exp(-l) * (q.staying(n) - 1)
			}
			y += way
		}
	}
	first := 1 - c.survival(e+h)/c.survival(e)
	return first + sum*step*math.Exp(shape*math.Log(shape)-shape-lg)
}

// within is the mean and the variance of J, the steps within the silence e,
// given that they are fewer than k.
func (c *component) within(e float64) (mean, variance float64) {
	v := c.rate * e
	z := v / (1 + v)
	sum, first, second := 1.0, 0.0, 0.0
	term, j := 1.0, 0.0
	for _, inv := range inverse[1:c.n] {
		term *= (c.r + j) * z * inv
		j++
		sum += term
		first += j * term
		second += j * j * term
	}
	mean = first / sum
	return mean, second/sum - mean*mean
}

// staying is Σ_{i≤n} σ_i for any n ≥ 1:
//
//	(A−1)/(a−1)·(1 − Γ(B+n)Γ(A−1)/(Γ(B)Γ(A−1+n)))
//
// with A = a+B.
func (q *Posterior) staying(n float64) float64 {
	a, b := q.a, q.b+1
	if math.Abs(a-1) < 1e-5 { // where the form is 0/0
		a = 1 + 1e-5
	}
	g1, _ := math.Lgamma(b + n)
	g2, _ := math.Lgamma(a + b - 1)
	g3, _ := math.Lgamma(b)
	g4, _ := math.Lgamma(a + b - 1 + n)
	return -math.Expm1(g1+g2-g3-g4) * (a + b - 1) / (a - 1)
}
