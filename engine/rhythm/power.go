package rhythm

import "math"

// A survival is a power, exp(−r·ln(1+u)), for each regularity, and an Update
// asks for some twenty survivals. So both functions are by tables here: half the
// time of math.Log1p and math.Exp, which also serve arguments that do not occur.

// steps is how many parts a factor of two is divided into.
const steps = 256

var (
	inverseStep [steps]float64 // about 1/m for the mantissas m of a step
	lnStep      [steps]float64 // −ln of that
	power       [steps]float64 // 2^(i/steps)
)

func init() {
	inverseStep[0] = 1
	for i := range steps {
		if i > 0 {
			// Of few digits, so that m·inverseStep rounds little.
			inverseStep[i] = float64(float32(1 / (1 + (float64(i)+0.5)/steps)))
			lnStep[i] = -math.Log(inverseStep[i])
		}
		power[i] = math.Exp2(float64(i) / steps)
	}
}

// ln is the natural logarithm of a normal y > 0, to 1e-15 of max(1, |ln y|): with
// y = 2^e·m and r = m·inverseStep − 1, e·ln 2 + lnStep + ln(1+r), the last by
// its series, |r| ≤ 1/512. It is short enough for the compiler to inline.
func ln(y float64) float64 {
	b := math.Float64bits(y)
	i := b >> 44 & (steps - 1)
	r := math.Float64frombits(b&(1<<52-1)|1023<<52)*inverseStep[i] - 1
	return float64(int64(b>>52)-1023)*math.Ln2 + lnStep[i] + (r - r*r*(.5-r*(1./3-r*(.25-r*.2))))
}

// ln 2/steps in two parts: the first has so few digits that its product with a
// whole number below 2^20 is exact.
const (
	stepHigh = 0x1.62e42fefp-9
	stepLow  = math.Ln2/steps - stepHigh
)

// toWhole added to a small number leaves it rounded to a whole one, which
// stands in the lowest bits: less to wait for than a conversion.
const toWhole = 0x1.8p52

// exp is e^x for |x| ≤ 700, to 1e-15 relative: with x = k·ln 2/steps + r,
// 2^(k/steps) times the series of e^r, |r| ≤ ln 2/512. It, too, is inlined.
func exp(x float64) float64 {
	t := x*(steps/math.Ln2) + toWhole
	k := math.Float64bits(t) // in its low bits, as a two's complement; the others are shifted out
	t -= toWhole
	r := x - t*stepHigh - t*stepLow
	s := power[k&(steps-1)]
	return math.Float64frombits(math.Float64bits(s+s*(r+r*r*(.5+r*(1./6+r*(1./24))))) + k>>8<<52)
}
