package rhythm

// slope is the first and second derivatives of the log-likelihood, in
// θ = (ln r, ln α, ln a, ln b) and the weights.
type slope struct {
	g  [4]float64    // ∂/∂θ
	h  [4][4]float64 // ∂²/∂θ∂θ
	wg [Size]float64 // ∂/∂w, by position in marginal.grid
	wh [Size][Size]float64
	tw [4][Size]float64 // ∂²/∂θ∂w
}

// faint is the share of a customer's likelihood below which a k is left out of
// the derivatives.
const faint = 1e-13

// slopes computes the derivatives at p, whose likelihoods fill has computed.
// With ρ the customer's posterior over k (the responsibilities of an EM step)
// and s the derivative of a component's logarithm, those of the mixture are
// Σρs and Σρ(s' + s·sᵀ) − (Σρs)(Σρs)ᵀ.
func (m *marginal) slopes(p *point, d *slope) {
	*d = slope{}
	n := len(m.grid)
	for j := range m.s.groups {
		g := &m.s.groups[j]
		row := m.f[j*n:][:n]
		sum := 0.0
		for o, f := range row {
			sum += p.w[o] * f
		}
		var each [Size][4]float64
		var mean [4]float64
		var second [4][4]float64
		for o, f := range row {
			rho := p.w[o] * f / sum
			if rho < faint {
				continue
			}
			var t [4][4]float64
			m.component(p, g, m.grid[o], &each[o], &t)
			for i, si := range each[o] {
				mean[i] += rho * si
				for l := i; l < 4; l++ {
					second[i][l] += rho * (t[i][l] + si*each[o][l])
				}
			}
		}
		for i := range mean {
			d.g[i] += g.n * mean[i]
			for l := i; l < 4; l++ {
				d.h[i][l] += g.n * (second[i][l] - mean[i]*mean[l])
			}
		}
		for o, f := range row {
			phi := g.n * f / sum
			d.wg[o] += phi
			for l := o; l < n; l++ {
				d.wh[o][l] -= phi * row[l] / sum
			}
			if phi*p.w[o] < faint {
				continue // each[o] is unknown, and so small that it is no matter
			}
			for i := range mean {
				d.tw[i][o] += phi * (each[o][i] - mean[i])
			}
		}
	}
	d.finish(p)
}

// finish mirrors the matrices and goes over from r, α, a, b to their logarithms.
func (d *slope) finish(p *point) {
	v := [4]float64{p.r, p.alpha, p.a, p.b}
	for i := range v {
		for l := i; l < 4; l++ {
			d.h[i][l] *= v[i] * v[l]
			d.h[l][i] = d.h[i][l]
		}
		d.g[i] *= v[i]
		d.h[i][i] += d.g[i]
		for o := range d.tw[i] {
			d.tw[i][o] *= v[i]
		}
	}
	for o := range d.wh {
		for l := range o {
			d.wh[o][l] = d.wh[l][o]
		}
	}
}

// component computes the derivatives in (r, α, a, b) of the logarithm of one
// k's likelihood: s the first, t the second, above the diagonal and on it.
//
// The survival is S = e^{Rλ}·Σ_{j<k} (R)_j z^j/j! with D = α + k·Σgap,
// λ = ln D/(D + ke), z = ke/(D + ke). In R, each term (R)_j has its derivative
// by the product rule along the recurrence. In α, all of the sum but its end
// cancels: ∂S/∂α = e^{Rλ}·(R)_k z^k/(k−1)! / D.
func (m *marginal) component(p *point, g *group, i int, s *[4]float64, t *[4][4]float64) {
	k := float64(Grid[i])
	ch, sh := &m.chance[g.at], &m.shape[i][g.at]
	r, d := p.r+k*g.x, p.alpha+k*g.sum
	lnD := ln(d / p.alpha)
	s[0] = sh.d - lnD
	s[1] = p.r/p.alpha - r/d
	s[2], s[3] = ch.la, ch.lb
	t[0][0] = sh.dd
	t[0][1] = 1/p.alpha - 1/d
	t[1][1] = r/(d*d) - p.r/(p.alpha*p.alpha)
	t[2][2], t[2][3], t[3][3] = ch.laa, ch.lab, ch.lbb

	c := component{k: k, n: Grid[i], r: r, rate: k / d}
	v := c.slopes(g.e, d)
	one := 1 / (ch.dead + ch.c*v.s)
	stay := ch.c * v.s * one // P(alive)
	// The first derivatives of C·S over dead + C·S, then the second.
	f := [4]float64{ch.c * v.r * one, ch.c * v.alpha * one, stay * ch.ca, stay * ch.cb}
	t[0][0] += ch.c*v.rr*one - f[0]*f[0]
	t[0][1] += ch.c*v.ra*one - f[0]*f[1]
	t[1][1] += ch.c*v.aa*one - f[1]*f[1]
	for j := range 2 {
		t[j][2] = f[j]*ch.ca - f[j]*f[2]
		t[j][3] = f[j]*ch.cb - f[j]*f[3]
	}
	t[2][2] += stay*ch.caa - f[2]*f[2]
	t[2][3] += stay*ch.cab - f[2]*f[3]
	t[3][3] -= f[3] * f[3]
	for j := range f {
		s[j] += f[j]
	}
}

// survived is S and its derivatives in r and α.
type survived struct{ s, r, alpha, rr, ra, aa float64 }

func (c *component) slopes(e, d float64) survived {
	u := c.rate * e
	y := 1 + u
	lambda := -(ln(y) + (u-(y-1))/y)
	if !(-lambda*c.r <= farOut) {
		return survived{}
	}
	z := u / y
	term, term1, term2 := 1.0, 0.0, 0.0 // (R)_j z^j/j! and derivatives
	sum, sum1, sum2 := 1.0, 0.0, 0.0
	a := c.r
	for _, inv := range inverse[1:c.n] {
		q := inv * z
		term2 = (term2*a + 2*term1) * q
		term1 = (term1*a + term) * q
		term *= a * q
		sum += term
		sum1 += term1
		sum2 += term2
		a++
	}
	base := exp(lambda * c.r)
	end := base * term * a * z / d
	return survived{
		s:     base * sum,
		r:     base * (lambda*sum + sum1),
		rr:    base * (lambda*lambda*sum + 2*lambda*sum1 + sum2),
		alpha: end,
		ra:    lambda*end + base*z/d*(term1*a+term),
		aa:    end * ((c.r-1)/d - (c.r+c.k)*c.rate/(c.k*y)),
	}
}
