package shop

import "slices"

// Affinity is a planted habit: whoever has Item in the basket adds With, with
// this probability, beyond what chance would put there.
type Affinity struct {
	Item, With  string
	Probability float64
	Ends        bool // nobody has it any more from Config.Stop on
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
func Affinities() []Affinity { return slices.Clone(planted) }

// Implied returns the pairs of articles that go together because of habits
// without being one: habits lead to both from one article, as they do from
// gnocchi by way of gorgonzola to malbec.
//
// With the habits these are all pairs that are together in more orders than
// chance would have it. The rest of a basket is drawn article by article. A
// customer's favourites are in it again and again, but what they are has nothing
// to do with each other, nor with how often the customer orders: over all
// customers, two of them are together no more often than any two. As many orders
// are of one article only, any two are together even less often than their
// popularity says, with a lift of .86.
func Implied(habits []Affinity) [][2]string {
	var pairs [][2]string
	known := func(a, b string) bool {
		habit := func(h Affinity) bool { return h.Item == a && h.With == b || h.Item == b && h.With == a }
		return slices.ContainsFunc(habits, habit) || slices.Contains(pairs, [2]string{a, b}) || slices.Contains(pairs, [2]string{b, a})
	}
	for _, from := range habits {
		led := []string{from.Item}
		for i := 0; i < len(led); i++ {
			for _, h := range habits {
				if h.Item == led[i] && !slices.Contains(led, h.With) {
					led = append(led, h.With)
				}
			}
		}
		for i, a := range led {
			for _, b := range led[i+1:] {
				if !known(a, b) {
					pairs = append(pairs, [2]string{a, b})
				}
			}
		}
	}
	return pairs
}
