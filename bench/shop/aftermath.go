package shop

import "github.com/dangol-dev/dangol/engine/event"

// place sends the order. A few are cancelled, and of these some cancellations
// arrive before the order does.
func (s *Shop) place(c *customer, o *order) {
	buf := s.encode(c, &act{typ: event.OrderCompleted, at: o.at, session: o.session, order: o, lines: o.lines})
	if !s.chance(.015) {
		s.send(c, event.OrderCompleted, o.at, buf)
		return
	}
	late := s.c.Lateness.Milliseconds()
	cancelled := o.at + 1 + s.rng.Int64N(late/3)
	cancel := s.encode(c, &act{typ: event.OrderCancelled, at: cancelled, order: o})
	if s.chance(.3) {
		s.push(arrival{at: o.at + late/2 + s.rng.Int64N(late/3), time: o.at, id: c.id, kind: Late, typ: event.OrderCompleted, buf: buf})
	} else {
		s.send(c, event.OrderCompleted, o.at, buf)
	}
	s.send(c, event.OrderCancelled, cancelled, cancel)
}

// aftermath is what may follow an order in the days after it.
func (s *Shop) aftermath(c *customer, o *order) {
	follow := func(probability, days float64, a act) (at int64, happened bool) {
		if !s.chance(probability) {
			return 0, false
		}
		a.at = o.at + minute + int64(s.rng.Float64()*days*float64(day))
		s.send(c, a.typ, a.at, s.encode(c, &a))
		return a.at, true
	}
	if c.orders == 1 {
		a := act{typ: event.ConsentUpdated, channel: "email", granted: s.rng.Float64() < .7}
		_, happened := follow(.8, .01, a)
		c.consented = happened && a.granted
		follow(.3, .01, act{typ: event.Identified})
	}
	follow(.02, .05, act{typ: event.OrderUpdated, order: s.changed(o), lines: o.lines})
	follow(.025, 10, act{typ: event.OrderRefunded, order: o, cents: o.lines[0].total() * (o.cents - o.discount) / o.cents})
	follow(.01, 10, act{typ: event.OrderRefunded, order: o}) // the whole order
	if at, unhappy := follow(.012, 3, act{typ: event.ComplaintRaised, order: o}); unhappy {
		c.leave = min(2*c.leave, .9)
		if s.chance(.8) {
			at += hour + s.rng.Int64N(2*day)
			s.send(c, event.ComplaintResolved, at, s.encode(c, &act{typ: event.ComplaintResolved, at: at, order: o}))
		}
	}
	follow(.04, 4, act{typ: event.SurveyAnswered, rating: s.rng.IntN(11)})
	follow(.02, 8, act{typ: event.ProductReviewed, lines: o.lines[:1], rating: 2 * (1 + s.rng.IntN(5))})
	if c.habit == clockwork {
		follow(.05, 5, act{typ: event.ReferralMade})
	}
	if c.consented {
		if _, withdrawn := follow(.005, 6, act{typ: event.ConsentUpdated, channel: "email"}); withdrawn {
			c.consented = false
		}
	}
}

// changed is o as it is after a change of mind: one article more of the first.
func (s *Shop) changed(o *order) *order {
	p := *o
	p.lines = append([]line(nil), o.lines...)
	p.lines[0].quantity++
	p.cents += p.lines[0].cents
	return &p
}
