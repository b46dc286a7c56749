package basket

import "math"

// Log2 is the binary logarithm of a positive, normal number to within 1e-5, at a
// fifth of math.Log2's cost: for ranking, which asks for thousands.
func Log2(x float64) float64 {
	const mantissa = 1<<52 - 1
	b := math.Float64bits(x)
	m := math.Float64frombits(b&mantissa|1023<<52) - 1
	// log2(1+m): the best polynomial of this degree on [0, 1].
	p := m * (1.4425550 + m*(-0.7183039+m*(0.4583608+m*(-0.2797048+m*(0.1235945+m*-0.0265037)))))
	return float64(int(b>>52)-1023) + p
}

// exp2 is 2^y to within a relative 1e-6 for |y| < 1000.
func exp2(y float64) float64 {
	n := math.Floor(y)
	f := y - n
	p := 1 + f*(0.69315127+f*(0.24016482+f*(0.05579888+f*(0.00901820+f*0.00186667))))
	return p * math.Float64frombits(uint64(int(n)+1023)<<52)
}
