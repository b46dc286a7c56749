package shop

import "time"

// Affinity is a planted habit: whoever has Item in the basket adds With, with
// this probability, beyond what chance would put there.
type Affinity struct {
	Item, With  string
	Probability float64
	Ends        bool // the habit is given up at Config.Stop
}

// planted are the habits. Both sides are articles of middling popularity: what
// everybody buys goes with everything and shows nothing.
var planted = []Affinity{
	{"diavola", "ginger-ale", .45, false},
	{"hawaii", "apple-juice", .40, false},
	{"pesto", "parmesan", .50, false},
	{"lasagne", "merlot", .35, false},
	{"greek-salad", "feta", .50, false},
	{"caprese", "balsamico", .45, false},
	{"rocket", "sea-salt", .35, false},
	{"tortilla-chips", "salsa", .70, false},
	{"pretzel", "mustard", .50, false},
	{"bagel", "decaf", .40, false},
	{"brownie", "cold-brew", .40, false},
	{"prosecco", "olives", .45, true},
	{"stout", "peanuts", .50, false},
	{"gnocchi", "gorgonzola", .50, false},
	{"gorgonzola", "malbec", .40, false},
	{"capsules", "cannoli", .35, false},
}

// Affinities returns what was planted.
func Affinities() []Affinity { return append([]Affinity(nil), planted...) }

// Implied returns the pairs of articles that go together because habits meet,
// without being a habit themselves: both come of one article, as malbec and
// gnocchi do by way of gorgonzola.
//
// With the habits these are all pairs that are together in more orders than
// chance would put there. The rest of a basket is drawn article by article; a
// customer's favourites are drawn apart from each other and from everything else
// that the customer is, so that over all customers they leave any two of them as
// far apart as they find them. And for orders of one article only, two that have
// nothing to do with each other are together in fewer: their lift is about .9.
func Implied(habits []Affinity) [][2]string {
	direct := map[[2]string]bool{}
	leads := map[string][]string{}
	for _, a := range habits {
		direct[[2]string{a.Item, a.With}], direct[[2]string{a.With, a.Item}] = true, true
		leads[a.Item] = append(leads[a.Item], a.With)
	}
	var pairs [][2]string
	for _, a := range habits {
		if len(leads[a.Item]) == 0 {
			continue
		}
		all := []string{a.Item}
		for i := 0; i < len(all); i++ {
			for _, w := range leads[all[i]] {
				all = append(all, w) // habits lead in no circle
			}
		}
		_ = time.Second
		for i, x := range all {
			for _, y := range all[i+1:] {
				if p := [2]string{x, y}; x != y && !direct[p] {
					direct[p], direct[[2]string{y, x}] = true, true
					pairs = append(pairs, p)
				}
			}
		}
	}
	return pairs
}
