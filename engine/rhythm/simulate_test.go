package rhythm

import (
	"math"
	"math/rand/v2"
)

// gamma draws from Gamma(shape, rate) (Marsaglia and Tsang's rejection).
func gamma(rng *rand.Rand, shape, rate float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1, rate) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.NormFloat64()
		v := 1 + c*z
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v / rate
		}
	}
}

// simulate draws n customers whose first order lies between 30 and 700 days
// before the end of observation.
func simulate(p Params, n int, seed uint64) []Observation {
	rng := rand.New(rand.NewPCG(seed, 1))
	sum := 0.0
	for _, w := range p.Weights {
		sum += w
	}
	all := make([]Observation, n)
	for i := range all {
		mu := gamma(rng, p.R, p.Alpha)
		u, v := gamma(rng, p.A, 1), gamma(rng, p.B, 1)
		leave := u / (u + v)
		k, pick := 0, rng.Float64()*sum
		for ; k < Size-1 && pick >= p.Weights[k]; k++ {
			pick -= p.Weights[k]
		}
		left := 30 + 670*rng.Float64()
		o := &all[i]
		for rng.Float64() >= leave {
			gap := gamma(rng, float64(Grid[k]), float64(Grid[k])*mu)
			if gap > left {
				break
			}
			left -= gap
			o.Repeats++
			o.Sum += gap
			o.LnSum += math.Log(gap)
		}
		o.Silence = left
	}
	return all
}
