package clv

import "math"

// Discounted is the number of orders, in today's orders, that lie ahead: half
// of them are expected in the first half of the horizon, whole in all of it,
// and those of each half count as if they came in its middle. An order d days
// ahead counts (1+annualRate)^(−d/365.25); annualRate is over −1.
//
// Two halves are enough: at 15 % for a year and with orders evenly spread
// within each half, discounting day by day differs by less than a thousandth.
func Discounted(half, whole float64, horizonDays float64, annualRate float64) float64 {
	quarter := math.Log1p(annualRate) * horizonDays / 4 / 365.25
	rest := math.Max(whole-half, 0)
	return half*math.Exp(-quarter) + rest*math.Exp(-3*quarter)
}
