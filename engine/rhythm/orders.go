package rhythm

import "math"

// Expected orders. Given k, the gaps of an active customer are k steps each of
// a Poisson process of rate ν = kμ, and the closed gaps leave
// ν ~ Gamma(R, D/k), R = r + kx, D = α + kΣgap. Say that M steps fall into the
// silence e and the horizon h together, J of them into the silence. Then
//
//   - M is negative binomial: P(M = m) = (R)_m/m!·(1−z)^R·z^m, z = τ/(τ + D/k),
//     τ = e + h, and given M, J is Binomial(M, φ), φ = e/τ, whatever ν;
//   - that the customer, if still active, has been silent for e means J < k:
//     P(J < k) = S_k(e);
//   - the n-th order from now comes within the horizon if M ≥ nk and the
//     customer stayed after each of the n−1 before. Staying so far, x+1 times,
//     makes the probability of leaving Beta(a, b+x+1), so that happens with
//     σ_n = Π_{i<n} (B+i−1)/(A+i−1), i from 1, B = b+x+1, A = a+B.
//
// So the expected orders, given k and that the customer is active, are
//
//	E_k = Σ_n σ_n·P(M ≥ nk, J < k) / P(J < k)
//
// and Orders is Σ_k P(active, k)·E_k with P(active, k) = c·w_k·S_k(e)/(1 + c·S(e)).
// For n = 1 alone it is OrderWithin; for k = 1 it is the closed form of MBG/NBD.
//
// With t_m = P(M = m, J < k) and u_m = P(M = m, J = k−1), both up to a common
// factor,
//
//	u_{m−1} = u_m·(m+1−k) / ((R+m−1)·z·(1−φ))
//	t_{m−1} = t_m·m / ((R+m−1)·z) + φ·u_{m−1}
//
// since one step fewer leaves J < k unless the step taken back was the k-th of
// the silence. Downwards all of it is positive, and nothing cancels. Summed the
// other way round, E_k is Σ_m t_m·Σ_{n≤m/k} σ_n / Σ_m t_m, in which the common
// factor cancels.

const (
	// beyond is how many standard deviations above the mean, on the scale of
	// Wilson and Hilferty, the steps are counted from, and settled the share in
	// all so far of one number of steps below which the lower ones are taken
	// for nothing. What they leave out is less than 4e-4 of the orders; a document
	// that is written waits for this sum.
	beyond  = 4.5
	settled = 1e-5
	// mostSteps is the number of steps from which on fluid answers, mostOrders
	// that of orders for which a table is at hand.
	mostSteps, mostOrders = 2000, 127
	// slight is the probability of a k below which its expected orders, if they
	// are costly (more steps than that are expected), are read off a parabola
	// through those of three smaller k: E_k is nearly linear in 1/√k.
	slight, costly = 5e-3, 12
	// unlikely is the probability below which a k is left out: over the next minute
	// another may be all that brings an order, but not a likely one.
	unlikely = 1e-7
)

// Orders is the expected number of purchase days within the h that follow of a
// customer silent for e. It is right to 4e-4 relative as a rule, and to 5e-3 in
// the worst of random trials (see slight), except where a customer is so quick
// and h so long that fluid answers. It takes microseconds and allocates nothing.
func (q *Posterior) Orders(e, h float64) float64 {
	p := q.At(e)
	return q.OrdersAt(&p, h)
}

// OrdersAt is Orders where what holds at e is known.
func (q *Posterior) OrdersAt(p *Point, h float64) float64 {
	if !(h > 0 && p.Survival > 0) {
		return 0
	}
	e, s := p.Gap, p.Survival
	comps := q.comp[:q.n]
	// The last is the quickest. Where two orders are next to impossible, or the
	// horizon is nothing beside the silence, one counts.
	if c := &comps[q.n-1]; h < 1e-9*e || (c.r+c.k)*c.rate*h < 1e-6*(1+c.rate*e) {
		return q.OrderBetween(s, q.Survival(e+h))
	}
	g := stayed{sigma: 1}
	var known curve
	sum := 0.0
	for i := range comps {
		part := p.part[i]
		if part < unlikely*s {
			continue
		}
		c := &comps[i]
		var n float64
		if part < slight*s && known.n >= 3 && (c.r+c.k)*c.rate*h > costly*(1+c.rate*e) {
			n = known.at(rootInverse[c.i])
		} else {
			n = q.ordersOf(c, e, h, c.top(e, h), &g)
			known.add(rootInverse[c.i], n)
		}
		sum += part * n
	}
	return q.AliveAt(s) * sum / s
}

// ordersOf is E_k.
func (q *Posterior) ordersOf(c *component, e, h, top float64, g *stayed) float64 {
	switch {
	case top >= mostSteps:
		return q.fluid(c, e, h)
	case top >= mostOrders*c.k:
		return q.countMany(c, e, h, int(top))
	}
	g.upTo(int(top)/c.n, g.space[:], q)
	return count(c, e, h, int(top), g.space[:])
}

// countMany is count where more than mostOrders are possible. It clears its own
// large table, which the others need not wait for.
func (q *Posterior) countMany(c *component, e, h float64, top int) float64 {
	g := stayed{sigma: 1}
	var space [mostSteps]float64
	g.upTo(top/c.n, space[:], q)
	return count(c, e, h, top, space[:])
}

// curve is a parabola through the last three points.
type curve struct {
	n    int
	x, y [3]float64 // the last first
}

func (c *curve) add(x, y float64) {
	c.x[2], c.x[1], c.x[0] = c.x[1], c.x[0], x
	c.y[2], c.y[1], c.y[0] = c.y[1], c.y[0], y
	c.n++
}

func (c *curve) at(x float64) float64 {
	d1 := (c.y[1] - c.y[0]) / (c.x[1] - c.x[0])
	d2 := (c.y[2] - c.y[1]) / (c.x[2] - c.x[1])
	d := (d2 - d1) / (c.x[2] - c.x[0])
	return max(c.y[0]+(x-c.x[0])*(d1+(x-c.x[1])*d), 0)
}

// top is a number of steps in e+h that is hardly exceeded. Given J < k they are
// at most k−1, and a negative binomial of shape R+k−1.
func (c *component) top(e, h float64) float64 {
	u := c.rate * h / (1 + c.rate*e)
	if (c.r+c.k)*u < 0.01 {
		return c.k + 6
	}
	// The negative binomial as a Gamma of the same mean and variance.
	shape := (c.r + c.k - 1) * u / (1 + u)
	most := 16.0 // of a Gamma that is nearly nothing, the end is exponential
	if shape > 0.1 {
		root := 1 - 1/(9*shape) + beyond/(3*math.Sqrt(shape))
		most = shape * root * root * root
	}
	return c.k + 1 + math.Ceil(most*(1+u))
}

// last is P(J = k−1)/P(J < k) of a Binomial(m, φ), odds = φ/(1−φ).
func (c *component) last(odds, m float64) float64 {
	sum, term := 1.0, 1.0
	for j, inv := range inverse[1:c.n] {
		term *= (m - float64(j)) * odds * inv
		sum += term
	}
	return term / sum
}

// stayed makes tables of Σ_{i≤n} σ_i for whole n, as far as is needed.
type stayed struct {
	n     int // the last known
	sigma float64
	space [mostOrders + 1]float64
}

// upTo makes sum, in which entries up to s.n are known, known up to n.
func (s *stayed) upTo(n int, sum []float64, q *Posterior) {
	if n <= s.n {
		return
	}
	total, sigma := sum[s.n], s.sigma
	b, ab := q.b+float64(s.n), q.a+q.b+float64(s.n)
	for i := s.n + 1; i <= n; i++ {
		total += sigma
		sum[i] = total
		b++
		ab++
		sigma *= b / ab
	}
	s.n, s.sigma = n, sigma
}

// count is E_k = Σ_m t_m·stayed[m/k] / Σ_m t_m, downwards from m = top.
func count(c *component, e, h float64, top int, stayed []float64) float64 {
	tau := e + h
	phi := e / tau
	z := 1 + 1/(c.rate*tau)                    // its inverse
	last := (tau/h + 1/(c.rate*h)) / z         // 1/(1−φ)
	t, u := 1.0, phi*c.last(e/h, float64(top)) // u times φ
	// m/k as a multiplication: exact while m·k < 2^16.
	whole := uint32(1<<16/c.n + 1)
	m := uint32(top)
	sum, acc := t, t*stayed[m*whole>>16]
	// From m to m−1 and m−2 at once, for one division.
	f, shift, none := float64(top), c.r-1, (1-c.k)*last
	for ; m >= 2 && t > settled*sum; m -= 2 {
		f1 := f - 1
		r, r1 := f+shift, f1+shift
		inv := z / (r * r1)
		inv1, inv2 := inv*r1, inv*r
		u *= (f*last + none) * inv1
		t1 := t*(f*inv1) + u
		u *= (f1*last + none) * inv2
		t = t1*(f1*inv2) + u
		sum += t1 + t
		acc += t1*stayed[(m-1)*whole>>16] + t*stayed[(m-2)*whole>>16]
		f -= 2
	}
	if m == 1 { // without a step there is no order
		sum += t*(z/c.r) + u*(2-c.k)*last*(z/c.r)
	}
	return acc / sum
}
