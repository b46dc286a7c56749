package main

import "math"

// The laws that are made of gaps: an order's instant follows from the one before.

func mbg(s *shop) []customer {
	cs := make([]customer, s.buyers)
	for i := range cs {
		rate, drop := s.gamma(.7, 1./22), s.beta(.9, 2.2)
		cs[i] = customer{s.renewal(s.join(), drop, s.regular(1, 1/max(rate, 1e-6))), s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}

func grocery(s *shop) []customer {
	cs := make([]customer, s.buyers)
	for i := range cs {
		first := s.join()
		if s.chance(.5) {
			cs[i] = customer{[]float64{first}, s.lognormal(math.Exp(3), .6)}
			continue
		}
		next := s.regular(s.uniform(6, 24), s.lognormal(16, .5))
		cs[i] = customer{s.renewal(first, s.beta(1, 18), next), s.lognormal(math.Exp(3.7), .4)}
	}
	return cs
}

func growing(s *shop) []customer {
	const growth = 2.2 // logarithm of the newcomers a day at the end over those at the opening
	cs := make([]customer, s.buyers)
	for i := range cs {
		first := math.Log1p(s.rng.Float64()*math.Expm1(growth)) / growth * float64(s.end)
		once := .45
		if d := s.yearday(first); d >= 320 && d <= 358 {
			once = .7
		}
		if s.chance(once) {
			cs[i] = customer{[]float64{first}, s.lognormal(math.Exp(3.6), .5)}
			continue
		}
		next := s.regular(s.one(1, 2, 3), s.lognormal(35, .6))
		cs[i] = customer{s.renewal(first, s.beta(1, 5), next), s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}

// wholesale wins its last customers a fifth of the time before the end.
func wholesale(s *shop) []customer {
	var cs []customer
	for range s.buyers {
		first := s.open(.8 * s.join())
		cycle, jitter, drop := s.one(15, 30, 30, 60, 91), s.uniform(.05, .35), s.beta(1, 9)
		orders := s.renewal(first, drop, func(t float64) float64 {
			gap := cycle
			if s.chance(.12) {
				gap = 2 * cycle // skipped once
			}
			return s.open(t + max(s.normal(gap, cycle*jitter), 1))
		})
		if len(orders) > 0 {
			cs = append(cs, customer{orders, s.lognormal(math.Exp(5.5), .8)})
		}
	}
	return cs
}

// open moves what falls into a wholesaler's holidays to the first days after
// them.
func (s *shop) open(t float64) float64 {
	if !s.closed(t) {
		return t
	}
	for s.closed(t) {
		t++
	}
	return t + s.uniform(0, 6)
}

// closed says whether t falls into a wholesaler's holidays: August, and the days
// around New Year.
func (s *shop) closed(t float64) bool {
	d := s.yearday(t)
	return d >= 210 && d <= 240 || d >= 355 || d <= 4
}

func sleepers(s *shop) []customer {
	cs := make([]customer, s.buyers)
	for i := range cs {
		k, mean, sleep := s.one(1, 2, 4), s.lognormal(22, .6), s.beta(1.2, 4)
		orders := s.renewal(s.join(), 0, func(t float64) float64 {
			t += max(s.gamma(k, mean/k), .05)
			if s.chance(sleep) {
				t += s.gamma(2, 70)
			}
			return t
		})
		cs[i] = customer{orders, s.lognormal(math.Exp(3.3), .5)}
	}
	return cs
}
