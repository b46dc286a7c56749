package main

import "math"

// The laws that are made of rates: orders come at random, the more often the
// higher the customer's rate of that moment is.

// never is after the end of every shop.
const never = 1e9

func pareto(s *shop) []customer {
	cs := make([]customer, s.buyers)
	for i := range cs {
		first, rate, leave := s.join(), s.gamma(.8, 1./28), s.gamma(.7, 1./110)
		gone := first + s.exponential(1/max(leave, 1e-6))
		cs[i] = customer{s.poissonOrders(first, rate, gone, always(rate)), s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}

func always(rate float64) func(float64) float64 { return func(float64) float64 { return rate } }

func seasonal(s *shop) []customer {
	season := s.season()
	cs := make([]customer, s.buyers)
	for i := range cs {
		first, rate, stay := s.join(), s.gamma(.9, 1./30), 1500.
		switch u := s.rng.Float64(); {
		case u < .4:
			stay = 60
		case u < .75:
			stay = 300
		}
		orders := s.poissonOrders(first, rate*3.2, first+s.exponential(stay), func(t float64) float64 { return rate * season[int(t)] })
		cs[i] = customer{orders, s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}

// season is by what the rates of each day since the opening are multiplied: a
// wave through the year, and Christmas. It is never above 3.2.
func (s *shop) season() []float64 {
	days := make([]float64, s.end)
	for i := range days {
		d := s.yearday(float64(i))
		days[i] = 1 + .4*math.Sin(2*math.Pi*float64(d-60)/365)
		if d >= 335 && d <= 358 {
			days[i] *= 2.2
		}
	}
	return days
}

func club(s *shop) []customer {
	cs := make([]customer, s.founded)
	for i := range cs {
		first, rate, fade, floor := s.uniform(0, 85), s.gamma(.6, 1./18), s.lognormal(90, .7), s.one(0, .1)
		orders := s.poissonOrders(first, rate, never, func(t float64) float64 {
			return rate * (floor + (1-floor)*math.Exp(-(t-first)/fade))
		})
		cs[i] = customer{orders, s.lognormal(math.Exp(3.4), .5)}
	}
	return cs
}

func drift(s *shop) []customer {
	const step, sd = 14., .4 // days, and by how much the logarithm of the rate moves in them
	cs := make([]customer, s.buyers)
	for i := range cs {
		first := s.join()
		rates := make([]float64, int((float64(s.end)-first)/step)+3)
		most, l := 0., s.normal(math.Log(1./40), .9)
		for j := range rates {
			rates[j] = min(math.Exp(l), .7)
			most = max(most, rates[j])
			l += s.normal(-sd*sd/2, sd) // the mean rate stays
		}
		orders := s.poissonOrders(first, most, never, func(t float64) float64 { return rates[int((t-first)/step)] })
		cs[i] = customer{orders, s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}

func sales(s *shop) []customer {
	var starts []float64
	for t := s.uniform(5, 30); t < float64(s.end); t += s.uniform(35, 75) {
		starts = append(starts, t)
	}
	on := make([]bool, s.end)
	for _, a := range starts {
		for d := int(a); d < min(int(a)+7, s.end); d++ {
			on[d] = true
		}
	}
	cs := make([]customer, s.buyers)
	for i := range cs {
		first, rate := s.join(), s.gamma(.9, 1./40)
		spend, inSale, outside := math.Exp(3.4), 1., 1.
		if s.chance(.6) { // a hunter
			spend, inSale, outside = math.Exp(3.1), 14, .35
			if s.chance(.7) {
				first = min(s.one(starts...)+s.uniform(0, 7), float64(s.end)-.01)
			}
		}
		orders := s.poissonOrders(first, rate*inSale, first+s.exponential(s.one(50, 250, 1200)), func(t float64) float64 {
			if on[int(t)] {
				return rate * inSale
			}
			return rate * outside
		})
		cs[i] = customer{orders, s.lognormal(spend, .5)}
	}
	return cs
}

func rich(s *shop) []customer {
	cs := make([]customer, s.buyers)
	for i := range cs {
		first, z := s.join(), s.normal(0, 1) // z: how rich
		rate := math.Exp(.7*(.75*z+.66*s.normal(0, 1))) / 50
		gone := first + s.exponential(150*math.Exp(.6*z))
		cs[i] = customer{s.poissonOrders(first, rate, gone, always(rate)), math.Exp(3.3 + .7*z)}
	}
	return cs
}
