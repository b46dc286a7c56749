package shop

import (
	"math"
	"strconv"
)

const (
	minute = int64(60_000)
	hour   = 60 * minute
	day    = 24 * hour
	never  = math.MaxInt64
)

// habit is what sort of customer somebody is.
type habit uint8

const (
	prospect  habit = iota // looks, never buys
	once                   // buys once
	regular                // buys again and again, with a rhythm more or less firm
	clockwork              // buys every one, two, three or four weeks, almost to the day
)

// customer is one of those that the shop has at present.
type customer struct {
	id        uint32
	habit     habit
	shape     uint8 // k of the Gamma gaps
	hour      uint8 // of the day at which they come
	channel   uint8
	consented bool
	orders    uint16
	favourite [4]uint16 // articles
	gap       float32   // mean days between orders
	look      float32   // mean days between visits without an order
	leave     float32   // probability of leaving after an order
	deals     float32   // share of orders with a discount
	nextOrder int64
	nextLook  int64
}

// next is when the customer next does something.
func (c *customer) next() int64 { return min(c.nextOrder, c.nextLook) }

// welcome makes *c a new customer, who comes for the first time after at.
func (s *Shop) welcome(c *customer, at int64) {
	r := s.rng
	*c = customer{
		id:      s.ids,
		hour:    uint8(8 + r.IntN(14)),
		channel: uint8(r.IntN(len(channels))),
		deals:   float32(r.Float64() * r.Float64() * .8),
	}
	s.ids++
	s.names = append(s.names, "c-"+strconv.FormatUint(uint64(c.id)+1, 10))
	for i := range c.favourite {
		c.favourite[i] = uint16(s.cat.draw(r))
	}
	switch u := r.Float64(); {
	case u < .35:
		c.habit, c.look = prospect, 8
	case u < .60:
		c.habit, c.gap, c.look, c.shape = once, 4, 6, 1
	case u < .92:
		c.habit = regular
		c.shape = [...]uint8{1, 1, 2, 2, 3, 4, 6}[r.IntN(7)]
		c.gap = float32(min(max(14*math.Exp(.6*r.NormFloat64()), 2), 90))
		c.leave = float32(.03 + .17*r.Float64())
	default:
		c.habit, c.shape = clockwork, 24
		c.gap = float32(7 * (1 + r.IntN(4)))
		c.leave = .02
	}
	if c.habit >= regular {
		c.look = .3 * c.gap
	}
	c.nextOrder, c.nextLook = never, s.atTheirHour(c, at, r.ExpFloat64()*float64(c.look))
	if c.habit != prospect {
		c.nextOrder = s.atTheirHour(c, at, r.Float64()*float64(c.gap))
	}
}

// farewell lets the customer go and a new one come.
func (s *Shop) farewell(c *customer, at int64) {
	s.welcome(c, at+int64(s.rng.ExpFloat64()*float64(2*day)))
}

// plan sets the customer's next order, one Gamma gap after the one at.
func (s *Shop) plan(c *customer, at int64) {
	c.nextOrder = s.atTheirHour(c, at, s.gamma(float64(c.shape))*float64(c.gap)/float64(c.shape))
}

// atTheirHour is the instant days after at, moved to the hour of that day at
// which the customer comes, and never before at.
func (s *Shop) atTheirHour(c *customer, at int64, days float64) int64 {
	t := at + int64(days*float64(day))
	t = t/day*day + int64(c.hour)*hour + int64(s.rng.NormFloat64()*.8*float64(hour))
	for t < at+hour {
		t += day
	}
	return t
}

// gamma draws from Gamma(k, 1), k ≥ 1 (Marsaglia and Tsang 2000).
func (s *Shop) gamma(k float64) float64 {
	d := k - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if u := 1 - s.rng.Float64(); math.Log(u) < .5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
