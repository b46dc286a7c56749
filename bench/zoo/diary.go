package main

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strconv"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// diary is what happens in a shop.
type diary struct {
	shop     *shop
	customer string // whose acts are being written
	events   []event.Event
}

// simulate draws a shop's events, in the order of their time.
func simulate(l law, s *shop) []event.Event {
	d := &diary{shop: s}
	for i, c := range l.draw(s) {
		d.customer = l.name + "-" + strconv.Itoa(i)
		for n, t := range c.orders {
			c.orders[n] = openingHours(t)
			d.order(c.orders[n], n, s.lognormal(c.spend, .35))
		}
		if l.beside != nil {
			l.beside(s, d, c.orders)
		}
	}
	slices.SortStableFunc(d.events, func(a, b event.Event) int { return cmp.Compare(a.Time, b.Time) })
	for i := range d.events {
		d.events[i].ID = strconv.Itoa(i)
	}
	return d.events
}

// openingHours moves an instant to the same share of the day between 8 and 22.
func openingHours(t float64) float64 {
	day := float64(int(t))
	return day + (8+14*(t-day))/24
}

func (d *diary) order(t float64, number int, amount float64) {
	d.add(t, event.Event{
		Type: event.OrderCompleted, OrderID: "o" + strconv.Itoa(number),
		HasAmount: true, Amount: event.MicroOf(float64(int(100*amount+.5)) / 100),
	})
}

func (d *diary) visit(t float64) { d.add(t, event.Event{Type: event.PageViewed}) }

func (d *diary) cart(t float64) {
	item := "i" + strconv.Itoa(d.shop.rng.IntN(40))
	d.add(t, event.Event{Type: event.ProductAdded, Items: []event.Item{{ID: item, Quantity: event.One}}})
}

// add takes e down, where the shop exists at t.
func (d *diary) add(t float64, e event.Event) {
	if t < 0 || t >= float64(d.shop.end) {
		return
	}
	e.CustomerID, e.Time = d.customer, d.shop.at(t).UnixMilli()
	d.events = append(d.events, e)
}

// browse fills a cart before most orders and looks in now and then: hardly ever
// once the customer has left.
func browse(s *shop, d *diary, orders []float64) {
	end, last := float64(s.end), orders[len(orders)-1]
	for _, t := range orders[1:] {
		if s.chance(.6) {
			d.cart(t - s.uniform(.5, 6))
		}
	}
	until := end
	if last <= end-30 && !s.chance(.15) {
		until = last + s.exponential(25)
	}
	for t := orders[0]; t < end; t += 7 {
		p := .03
		if t < until {
			p = .22
		}
		if s.chance(p) {
			d.visit(t + s.uniform(0, 6))
		}
	}
}

// wander looks in before some orders, and besides at random for as long as the
// shop exists.
func wander(s *shop, d *diary, orders []float64) {
	for _, t := range orders {
		if s.chance(.3) {
			d.visit(t - s.uniform(.5, 5))
		}
	}
	from, end := orders[0], float64(s.end)
	for range s.poisson(.012 * (end - from)) {
		d.visit(s.uniform(from, end))
	}
	for range s.poisson(.004 * (end - from)) {
		d.cart(s.uniform(from, end))
	}
}

// write writes the events as native JSON, a line each.
func write(w io.Writer, events []event.Event) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for i := range events {
		line = append(decode.AppendJSON(line[:0], &events[i]), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}
