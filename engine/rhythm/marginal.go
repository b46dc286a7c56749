package rhythm

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// marginal evaluates a sample under the mixture, or under BG/NBD.
//
// With i an index in Grid, the likelihood of one customer given k = Grid[i] is
// e^closed · e^left · (dead + C·S): the closed gaps, that the customer left
// after the last order, and 1 (dead) or C·S, how much likelier than that it is
// to have stayed and be silent for e. What depends on x alone is tabled by x, so
// that a customer costs two logarithms and two powers a k, and no Γ.
type marginal struct {
	s          *sample
	grid       []int
	firstStays bool           // BG/NBD: nobody leaves after the first order
	f          []float64      // likelihood by group and k, each group up to a factor
	chance     []chance       // by x
	shape      [Size][]shaped // by k and x
}

// chance is what follows from x and (a, b): left and C, and their derivatives.
type chance struct {
	left                  float64
	la, lb, laa, lab, lbb float64 // derivatives of left
	c, ca, cb, caa, cab   float64 // C, and its derivatives divided by it
	dead                  float64
}

// shaped is lnΓ(R) − lnΓ(r) + kx·ln k − x·lnΓ(k), R = r + kx, and its
// derivatives in r.
type shaped struct{ g, d, dd float64 }

func newMarginal(s *sample, grid []int, firstStays bool) *marginal {
	m := &marginal{s: s, grid: grid, firstStays: firstStays}
	m.f = make([]float64, len(s.groups)*len(grid))
	m.chance = make([]chance, len(s.xs))
	for _, i := range grid {
		m.shape[i] = make([]shaped, len(s.xs))
	}
	return m
}

// table prepares for the parameters of p.
func (m *marginal) table(p *point) {
	lg, _ := math.Lgamma(p.r)
	psi, psi1 := mathext.Digamma(p.r), mathext.Zeta(2, p.r)
	for _, i := range m.grid {
		k := float64(Grid[i])
		for at, n := range m.s.xs {
			x := float64(n)
			if n == 0 {
				m.shape[i][at] = shaped{}
				continue
			}
			g, _ := math.Lgamma(p.r + k*x)
			m.shape[i][at] = shaped{
				g:  g - lg + k*x*lnK[i] - x*lnGammaK[i],
				d:  mathext.Digamma(p.r+k*x) - psi,
				dd: mathext.Zeta(2, p.r+k*x) - psi1,
			}
		}
	}
	m.chances(p)
}

// chances fills m.chance. With n orders survived and then one not,
// left = ln B(a+1, b+n)/B(a, b) = ln a/(a+b+n) + Σ_{i<n} ln (b+i)/(a+b+i),
// a sum of small logarithms rather than a difference of large ones: b may be
// 1e5.
func (m *marginal) chances(p *point) {
	a, b := p.a, p.b
	var ln, sb, sbb, sab, saab float64 // sums over i < n
	n := 0
	for at, x := range m.s.xs {
		survived := x
		if m.firstStays {
			survived--
		}
		if survived < 0 { // certainly there
			m.chance[at] = chance{c: 1}
			continue
		}
		for ; n < survived; n++ {
			u, v := 1/(b+float64(n)), 1/(a+b+float64(n))
			ln += math.Log1p(-a * v)
			sb += u
			sbb += u * u
			sab += v
			saab += v * v
		}
		bn := b + float64(n)
		v := 1 / (a + bn)
		m.chance[at] = chance{
			left: ln + math.Log(a*v),
			la:   1/a - (sab + v), lb: sb - (sab + v),
			laa: saab + v*v - 1/(a*a), lab: saab + v*v, lbb: saab + v*v - sbb,
			c: bn / a, ca: -1 / a, cb: 1 / bn, caa: 2 / (a * a), cab: -1 / (a * bn),
			dead: 1,
		}
	}
}

// fill computes m.f at p, and p.scale: what was left out of it.
func (m *marginal) fill(p *point) {
	m.table(p)
	lnAlpha := math.Log(p.alpha)
	p.scale = 0
	for j := range m.s.groups {
		g := &m.s.groups[j]
		row := m.f[j*len(m.grid):][:len(m.grid)]
		ch := &m.chance[g.at]
		var stay [Size]float64
		top := math.Inf(-1)
		for o, i := range m.grid {
			k := float64(Grid[i])
			d := p.alpha + k*g.sum
			c := component{k: k, n: Grid[i], r: p.r + k*g.x, rate: k / d}
			stay[o] = ch.dead + ch.c*c.survival(g.e)
			if g.x == 0 { // no gap to tell the k apart
				row[o] = 0
			} else {
				lnD := ln(d)
				row[o] = m.shape[i][g.at].g + (k-1)*g.lnSum - k*g.x*lnD - p.r*(lnD-lnAlpha)
			}
			top = max(top, row[o])
		}
		for o := range row {
			row[o] = exp(max(row[o]-top, -farOut)) * stay[o]
		}
		p.scale += g.n * (top + ch.left)
	}
}
