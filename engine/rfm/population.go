// Package rfm places a customer in the population by recency, frequency and
// monetary value.
//
// The measures, within a window of calendar days that ends today (0: of all
// time):
//
//   - recency: whole calendar days since the day of the last order (of all
//     orders: whoever has none in the window is scored by how long ago it was),
//   - frequency: distinct purchase days in the window,
//   - monetary: spend in the window, net of discounts and refunds.
//
// The population is every customer with a purchase day in the window. Its
// quintiles are the cut points. A score is 1 + the number of cut points that
// the measure strictly exceeds; for recency, where little is good, 5 − that
// number. So equal customers get equal scores, whatever their number, and a
// score may stay empty: where 40 % of all customers bought on one day only,
// both lower cut points of the frequency are 1 and nobody scores 2.
package rfm

import "github.com/dangol-dev/dangol/engine/event"

// Population counts the customers' measures. It is linear: adding, taking away
// and merging in any order give the same as building it from the customers
// that remain. One goroutine at a time. The zero Population is empty.
type Population struct {
	last      dayCount
	frequency Histogram
	monetary  Histogram
}

// Customer is what one customer contributes.
type Customer struct {
	LastDay   int32 // calendar day of the last order, days since 1970
	Frequency int
	Monetary  event.Micro
}

// Add counts c. A customer without a purchase day in the window (Frequency 0)
// is not of the population.
func (p *Population) Add(c Customer) { p.count(c, 1) }

// Remove takes c away, as it was added.
func (p *Population) Remove(c Customer) { p.count(c, -1) }

func (p *Population) count(c Customer, n int64) {
	if c.Frequency <= 0 {
		return
	}
	p.last.add(c.LastDay, n)
	p.frequency.Add(int64(c.Frequency), n)
	p.monetary.Add(int64(c.Monetary), n)
}

// Merge adds all customers of o.
func (p *Population) Merge(o *Population) {
	p.last.merge(&o.last)
	p.frequency.Merge(&o.frequency)
	p.monetary.Merge(&o.monetary)
}

// Len is the number of customers.
func (p *Population) Len() int { return int(p.last.n) }

// Cuts are the population's cut points as of a calendar day. Recency is exact;
// frequency is exact up to 255 and monetary within 0.4 % (exact where a
// customer at the cut shares a bin with no other amount).
func (p *Population) Cuts(day int32) Cuts {
	c := Cuts{
		Recency:   p.last.quintiles(day),
		Frequency: p.frequency.Quintiles(),
		Monetary:  p.monetary.Quintiles(),
		Customers: p.Len(),
	}
	for i := range c.Monetary {
		c.Monetary[i] /= float64(event.One)
	}
	return c
}
