package shop

import (
	"math"
	"math/rand/v2"
	"sort"

	"github.com/dangol-dev/dangol/engine/event"
)

// Item is one article of the shop.
type Item struct {
	ID       string
	Category string
	Cents    int64 // price
	Cost     int64 // what it costs the shop, in cents: 40 to 80 % of the price
}

// shelves are the articles by category with the price of the cheapest in
// cents. The first of each are the most wanted.
var shelves = []struct {
	category string
	cents    int64
	items    []string
}{
	{"pizza", 850, []string{"margherita", "salami", "funghi", "quattro-formaggi", "diavola", "hawaii", "verdure", "tonno"}},
	{"pasta", 790, []string{"carbonara", "bolognese", "pesto", "lasagne", "arrabbiata", "gnocchi", "ravioli", "aglio-olio"}},
	{"drinks", 220, []string{"water", "cola", "lemonade", "apple-juice", "iced-tea", "ginger-ale", "tonic", "orange-juice"}},
	{"salad", 590, []string{"green-salad", "caesar", "caprese", "greek-salad", "rocket", "coleslaw", "potato-salad", "quinoa"}},
	{"bread", 180, []string{"baguette", "ciabatta", "focaccia", "rye", "pretzel", "croissant", "bagel", "toast"}},
	{"dessert", 390, []string{"tiramisu", "panna-cotta", "brownie", "cheesecake", "gelato", "apple-pie", "mousse", "cannoli"}},
	{"wine", 990, []string{"chianti", "riesling", "rose", "prosecco", "merlot", "pinot-grigio", "malbec", "champagne"}},
	{"beer", 250, []string{"pils", "wheat-beer", "ipa", "stout", "lager", "radler", "porter", "alcohol-free"}},
	{"coffee", 490, []string{"espresso-beans", "filter-coffee", "decaf", "cappuccino-mix", "capsules", "cold-brew", "matcha", "chai"}},
	{"cheese", 360, []string{"mozzarella", "gouda", "parmesan", "brie", "feta", "cheddar", "gorgonzola", "halloumi"}},
	{"pantry", 190, []string{"olive-oil", "balsamico", "oregano", "tomatoes", "flour", "honey", "mustard", "sea-salt"}},
	{"snacks", 160, []string{"crisps", "peanuts", "olives", "grissini", "popcorn", "almonds", "salsa", "tortilla-chips"}},
}

// Items returns every article.
func Items() []Item { return newCatalogue().items }

// catalogue is the articles with what is drawn from them.
type catalogue struct {
	items []Item
	upTo  []float64       // cumulative popularity
	with  [][]partnership // by article
}

type partnership struct {
	item        int
	probability float64
	ends        bool
}

func newCatalogue() *catalogue {
	c := &catalogue{}
	index := map[string]int{}
	total := 0.
	for rank := range shelves[0].items {
		for _, shelf := range shelves {
			name := shelf.items[rank]
			index[name] = len(c.items)
			// Rarer articles of a shelf are dearer.
			cents := shelf.cents * int64(100+12*rank) / 100 / 10 * 10
			total += math.Pow(float64(len(c.items)+6), -.8)
			c.items = append(c.items, Item{name, shelf.category, cents, cents * int64(40+event.Hash(name)%41) / 100})
			c.upTo = append(c.upTo, total)
		}
	}
	for i := range c.upTo {
		c.upTo[i] /= total
	}
	c.with = make([][]partnership, len(c.items))
	for _, a := range planted {
		i := index[a.Item]
		c.with[i] = append(c.with[i], partnership{index[a.With], a.Probability, a.Ends})
	}
	return c
}

// draw picks an article by its popularity.
func (c *catalogue) draw(r *rand.Rand) int {
	return min(sort.SearchFloat64s(c.upTo, r.Float64()), len(c.items)-1)
}
