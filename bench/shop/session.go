package shop

import (
	"github.com/dangol-dev/dangol/engine/event"
)

// visit is what the customer does at that time: buys, or only looks. It sets
// the next visit.
func (s *Shop) visit(c *customer, at int64) {
	if c.nextOrder <= at {
		s.buy(c, at)
		return
	}
	s.browse(c, at)
	c.nextLook = s.atTheirHour(c, at, s.rng.ExpFloat64()*float64(c.look))
	if c.habit == prospect && s.chance(.1) || c.habit == once && c.orders > 0 && s.chance(.3) {
		s.farewell(c, at+hour)
	}
}

// browse is a visit without an order; now and then a message brought it about,
// and now and then it leaves something in the cart.
func (s *Shop) browse(c *customer, at int64) {
	if c.consented && s.chance(.06) {
		for i, typ := range []event.Type{event.MessageSent, event.MessageOpened, event.MessageClicked} {
			s.send(c, typ, at, s.encode(c, &act{typ: typ, at: at, channel: "email"}))
			at += int64(1+i) * minute
		}
	}
	session := s.seq + 1
	at = s.look(c, at, session, 3+s.rng.IntN(7))
	if s.chance(.12) {
		l := []line{s.line(s.cat.draw(s.rng))}
		s.send(c, event.ProductAdded, at, s.encode(c, &act{typ: event.ProductAdded, at: at, session: session, lines: l}))
		if s.chance(.4) {
			at = s.pause(at)
			s.send(c, event.ProductRemoved, at, s.encode(c, &act{typ: event.ProductRemoved, at: at, session: session, lines: l}))
		}
	}
	if s.chance(.004) {
		at = s.pause(at)
		s.send(c, event.ProductShared, at, s.encode(c, &act{typ: event.ProductShared, at: at, lines: []line{s.line(int(c.favourite[0]))}}))
	}
}

// look sends n views and returns when they are done.
func (s *Shop) look(c *customer, at int64, session uint64, n int) int64 {
	for i := range n {
		a := act{typ: event.ProductViewed, at: at, session: session}
		switch {
		case i == 0:
			a.typ = event.PageViewed
		case s.chance(.1):
			a.typ = event.ProductsSearched
		case s.chance(.3):
			a.lines = []line{s.line(int(c.favourite[s.rng.IntN(len(c.favourite))]))}
		default:
			a.lines = []line{s.line(s.cat.draw(s.rng))}
		}
		s.send(c, a.typ, at, s.encode(c, &a))
		at = s.pause(at)
	}
	return at
}

// pause is the instant of the next click.
func (s *Shop) pause(at int64) int64 { return at + 3000 + s.rng.Int64N(60_000) }

// buy is a visit with an order, and what follows from it.
func (s *Shop) buy(c *customer, at int64) {
	session := s.seq + 1
	at = s.look(c, at, session, 4+s.rng.IntN(8))
	o := order{number: s.orders, lines: s.basket(c, at)}
	s.orders++
	for i := range o.lines {
		o.cents += o.lines[i].total()
		s.send(c, event.ProductAdded, at, s.encode(c, &act{typ: event.ProductAdded, at: at, session: session, lines: o.lines[i : i+1]}))
		at = s.pause(at)
	}
	if s.chance(float64(c.deals)) {
		o.discount = o.cents * int64(5+5*s.rng.IntN(4)) / 100
		if s.chance(.5) {
			o.coupon = true
			s.send(c, event.CouponApplied, at, s.encode(c, &act{typ: event.CouponApplied, at: at, session: session, order: &o}))
			at = s.pause(at)
		}
	}
	for _, typ := range []event.Type{event.CartViewed, event.CheckoutStarted} {
		s.send(c, typ, at, s.encode(c, &act{typ: typ, at: at, session: session, lines: o.lines}))
		at = s.pause(at)
	}
	o.at, o.session = at, session
	s.place(c, &o)
	c.orders++
	s.aftermath(c, &o)
	s.decide(c, at)
}

// decide sets what the customer does after an order: come again, or not.
func (s *Shop) decide(c *customer, at int64) {
	switch {
	case c.habit == once:
		c.nextOrder = never
	case s.chance(float64(c.leave)):
		if s.chance(.01) {
			s.send(c, event.ErasureRequested, at+2*day, s.encode(c, &act{typ: event.ErasureRequested, at: at + 2*day}))
		}
		s.farewell(c, at+hour)
		return
	default:
		s.plan(c, at)
	}
	c.nextLook = s.atTheirHour(c, at, s.rng.ExpFloat64()*float64(c.look))
}

// basket fills the basket at a time: favourites, what is popular, and what goes
// with it then.
func (s *Shop) basket(c *customer, at int64) []line {
	var lines []line
	add := func(item int) {
		for i := range lines {
			if lines[i].item == item {
				return
			}
		}
		lines = append(lines, s.line(item))
	}
	for range 1 + min(int(s.rng.ExpFloat64()*1.3), 7) {
		if s.chance(.35) {
			add(int(c.favourite[s.rng.IntN(len(c.favourite))]))
		} else {
			add(s.cat.draw(s.rng))
		}
	}
	for i := 0; i < len(lines); i++ {
		for _, p := range s.cat.with[lines[i].item] {
			if s.chance(p.probability) && !(p.ends && at >= s.stop) {
				add(p.item)
			}
		}
	}
	return lines
}

func (s *Shop) line(item int) line {
	l := line{item: item, quantity: 1, cents: s.cat.items[item].Cents}
	if s.chance(.15) {
		l.quantity = 2 + s.rng.Int64N(2)
	}
	return l
}

// line is one article of a basket.
type line struct {
	item     int
	quantity int64
	cents    int64 // price of one
}

func (l *line) total() int64 { return l.quantity * l.cents }

// order is what was bought.
type order struct {
	number   uint64
	at       int64
	session  uint64
	lines    []line
	cents    int64 // before the discount
	discount int64
	coupon   bool // gave the discount
}
