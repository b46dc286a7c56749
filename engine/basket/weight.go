package basket

import "math"

// clock gives what happened at an instant its weight: under forward decay
// (Cormode, Shkapenyuk, Srivastava and Xu 2009) twice the weight for each
// half-life that it is later. The weight of an instant never changes, so what
// comes in any order adds up to the same, and can be taken away again.
//
// Weights are whole multiples of 2⁻⁸ times a power of two. Sums of such numbers
// are exact in float64 while what they add up spans less than some 40 half-lives,
// so that the order in which they are added makes no difference to the last bit.
type clock struct {
	step   int64 // ms of a 64th of the half-life; 0: no decay, every weight is 1
	origin int64 // steps since 1970 at which the weight is 1
}

const (
	stepsPerHalf = 64
	farthest     = 400 // half-lives from the origin, at which it is moved
)

// mantissas are 2^(i/64), to a 256th.
var mantissas = func() (m [stepsPerHalf]float64) {
	for i := range m {
		m[i] = math.Round(math.Exp2(float64(i)/stepsPerHalf)*256) / 256
	}
	return m
}()

func newClock(halfLifeMS int64) clock {
	if halfLifeMS <= 0 {
		return clock{}
	}
	return clock{step: max(1, halfLifeMS/stepsPerHalf)}
}

// weight of an instant in Unix ms.
func (c *clock) weight(at int64) float64 {
	if c.step == 0 {
		return 1
	}
	d := at/c.step - c.origin
	half := d >> 6 // rounds down, below 0 too
	m := mantissas[d&(stepsPerHalf-1)]
	if half < -1000 || half > 1000 { // no normal number, perhaps
		return math.Ldexp(m, int(half))
	}
	return math.Float64frombits(math.Float64bits(m) + uint64(half)<<52)
}

// far says whether weights of an instant outgrow what can be added up, and by
// how many half-lives the origin is to move then: all sums are to be multiplied
// by 2^−moved.
func (c *clock) far(at int64) (moved int) {
	if c.step == 0 || at < (c.origin+farthest*stepsPerHalf)*c.step {
		return 0
	}
	half := (at/c.step - c.origin) >> 6
	c.origin += half << 6
	return int(half)
}

// power is 2^n.
func power(n int) float64 { return math.Ldexp(1, n) }
