package rfm

import (
	"math"

	"github.com/dangol-dev/dangol/engine/event"
)

// Cuts are the quintile cut points of the population, ascending: of Recency in
// days, Frequency in purchase days, Monetary in currency units.
type Cuts struct {
	Recency, Frequency, Monetary [4]float64
	Customers                    int // that they rest on; 0: no cut points yet, every score is 3
}

// fixedCustomers marks configured cut points, which rest on no customers.
const fixedCustomers = -1

// known says whether there are cut points at all.
func (c *Cuts) known() bool { return c.Customers != 0 }

// Fixed says whether the cut points are configured rather than computed.
func (c *Cuts) Fixed() bool { return c.Customers == fixedCustomers }

// Score places a customer: 1 to 5 each, 5 best. recency is in whole calendar
// days.
func (c *Cuts) Score(recency, frequency int, monetary event.Micro) (r, f, m uint8) {
	if !c.known() {
		return 3, 3, 3
	}
	r = 5 - exceeded(&c.Recency, float64(recency))
	f = 1 + exceeded(&c.Frequency, float64(frequency))
	m = 1 + exceeded(&c.Monetary, monetary.Float())
	return r, f, m
}

// exceeded is how many of the ascending cut points v strictly exceeds.
func exceeded(cuts *[4]float64, v float64) (n uint8) {
	for _, c := range cuts {
		if v > c {
			n++
		}
	}
	return n
}

// NextRecency is the least recency, in days, above the given one at which R
// becomes another; ok is false where it stays for good.
func (c *Cuts) NextRecency(recency int) (days int, ok bool) {
	if !c.known() {
		return 0, false
	}
	for _, cut := range c.Recency {
		if float64(recency) <= cut {
			return int(math.Floor(cut)) + 1, true
		}
	}
	return 0, false
}

// Moved says whether c differs from the published cut points enough to replace
// them: a recency by a day, a frequency by one, a monetary cut point by more
// than 1 %; or where one of them rests on no customers. Configured cut points
// are never replaced.
func (c *Cuts) Moved(published *Cuts) bool {
	if published.Fixed() {
		return false
	}
	if c.known() != published.known() {
		return true
	}
	for i := range 4 {
		if math.Abs(c.Recency[i]-published.Recency[i]) >= 1 ||
			math.Abs(c.Frequency[i]-published.Frequency[i]) >= 1 ||
			math.Abs(c.Monetary[i]-published.Monetary[i]) > 0.01*math.Abs(published.Monetary[i]) {
			return true
		}
	}
	return false
}

// Same says whether both cut the same way, whomever they rest on.
func (c *Cuts) Same(o *Cuts) bool {
	return c.known() == o.known() && c.Recency == o.Recency && c.Frequency == o.Frequency && c.Monetary == o.Monetary
}
