// Package clv turns expected orders into money: what a customer spends on a
// purchase day, and what orders that lie ahead are worth today.
//
// The problem: the mean of one or two purchases is a poor guess of a
// customer's usual spend, the population's mean ignores what is known of the
// customer. The Gamma-Gamma model (Fader, Hardie 2013, "The Gamma-Gamma Model
// of Monetary Value") weighs the two:
//
//   - A customer's purchases are Gamma(p, ν): mean p/ν, spread given by p.
//   - ν ~ Gamma(q, v) over the population.
//   - Spend does not depend on how often the customer buys.
//
// The mean m̄ of x purchases then has the density
//
//	Γ(px+q)/(Γ(px)·Γ(q)) · v^q · x^(px) · m̄^(px−1) / (v + x·m̄)^(px+q)
//
// and E[M | x, m̄] is the average of the population's mean and m̄ with the
// weights q−1 and p·x.
package clv

import (
	"fmt"
	"math"
)

// Params are the population's parameters. V is in units of money, P and Q have
// no unit. The population's mean is finite where Q > 1, which FitSpend ensures.
type Params struct {
	P float64 // shape of one customer's purchases: the higher, the more alike
	Q float64 // shape of the customers' rates: the higher, the more alike are customers
	V float64 // scale
}

// Mean is the population's mean spend per purchase, p·v/(q−1).
func (p *Params) Mean() float64 { return p.P * p.V / (p.Q - 1) }

// Spend is what a customer is expected to spend on a purchase day,
// E[M | x, m̄] = (p·v + p·x·m̄)/(p·x + q − 1): orders is the number of purchase
// days seen and mean their mean spend, in the unit in which the parameters were
// fitted. Without orders it is the population's mean.
func (p *Params) Spend(orders int, mean float64) float64 {
	if orders <= 0 {
		return p.Mean()
	}
	x := float64(orders)
	return p.P * (p.V + x*mean) / (p.P*x + p.Q - 1)
}

// Validate refuses parameters without a finite population mean.
func (p *Params) Validate() error {
	for _, f := range []struct {
		name    string
		v, over float64
	}{{"p", p.P, 0}, {"q", p.Q, 1}, {"v", p.V, 0}} {
		if !(f.v > f.over) || math.IsInf(f.v, 1) {
			return fmt.Errorf("spend parameters: %s is %g, must be finite and over %g", f.name, f.v, f.over)
		}
	}
	return nil
}
