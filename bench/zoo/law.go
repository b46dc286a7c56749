package main

import (
	"fmt"
	"math"
	"strings"
)

// customer is who buys: when, in days since the shop opened and ascending, and
// what an order usually comes to (its median).
type customer struct {
	orders []float64
	spend  float64
}

// law is a way in which customers come, buy and leave.
type law struct {
	name   string
	like   string // what shop it is like
	source string // where it is from, or ""
	draw   func(*shop) []customer
	beside func(*shop, *diary, []float64) // what a customer does beside these orders; nil: nothing
}

// laws are all laws, in the order of the table.
func laws() []law {
	return []law{
		{"mbg", "who has ordered may have done so for the last time; else the next order comes at random",
			"MBG/NBD: Batislam, Denizel and Filiztekin 2007", mbg, nil},
		{"pareto", "orders at random for an exponential lifetime, whatever is ordered meanwhile",
			"Pareto/NBD: Schmittlein, Morrison and Colombo 1987", pareto, nil},
		{"grocery", "half of them try it once, the others come as regularly as the fridge empties",
			"regular gaps: Platzer and Reutterer 2016", grocery, nil},
		{"seasonal", "a summer, a winter and a Christmas, the same for all",
			"seasonal rates: Bachmann, Meierer and Näf 2021", seasonal, nil},
		{"club", "all begin in the first twelve weeks, and their zeal wears off, not always to nothing",
			"fading rates: Fader, Hardie and Huang 2004", club, nil},
		{"growing", "ever more newcomers, half of them for one order, of Christmas's even more", "", growing, nil},
		{"wholesale", "standing orders by the fortnight, month or quarter, skipped now and then; closed in August and over New Year",
			"", wholesale, nil},
		{"drift", "nobody leaves, but each one's rate wanders, up and down",
			"log-Gaussian Cox process: Møller, Syversveen and Waagepetersen 1998", drift, nil},
		{"sales", "a week of sale every other month, and hunters who buy little else", "", sales, nil},
		{"rich", "who spends more also orders more often and stays longer",
			"correlated rates and spend: Abe 2009", rich, nil},
		{"browsing", "mbg, where visits and carts tell who is still there", "", mbg, browse},
		{"noisy", "seasonal, where visits and carts tell nothing", "", seasonal, wander},
		{"sleepers", "nobody leaves, but many pause for months and come back in the old rhythm",
			"hidden states: Netzer, Lattin and Srinivasan 2008", sleepers, nil},
	}
}

// describe lists the laws, a line each.
func describe() string {
	var b strings.Builder
	for _, l := range laws() {
		fmt.Fprintf(&b, "  %-10s %s", l.name, l.like)
		if l.source != "" {
			fmt.Fprintf(&b, " (%s)", l.source)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// renewal draws the orders of a customer who, after each, leaves with
// probability drop, and else orders again at next of that order's instant.
func (s *shop) renewal(first, drop float64, next func(t float64) float64) []float64 {
	var orders []float64
	for t := first; t < float64(s.end); t = next(t) {
		orders = append(orders, t)
		if s.chance(drop) {
			break
		}
	}
	return orders
}

// regular returns a next for renewal: gamma gaps of that mean, the more regular
// the larger k, exponential at 1.
func (s *shop) regular(k, mean float64) func(float64) float64 {
	return func(t float64) float64 { return t + max(s.gamma(k, mean/k), .02) }
}

// poissonOrders draws a first order and then those of a rate that moves (orders
// a day, never above most), until the customer is gone or the shop ends. It
// draws at the highest rate and keeps each with the probability rate/most (Lewis
// and Shedler 1979).
func (s *shop) poissonOrders(first, most, gone float64, rate func(t float64) float64) []float64 {
	orders := []float64{first}
	for t := first; ; {
		t += s.exponential(1 / math.Max(most, 1e-9))
		if t >= min(gone, float64(s.end)) {
			return orders
		}
		if s.chance(rate(t) / most) {
			orders = append(orders, t)
		}
	}
}
