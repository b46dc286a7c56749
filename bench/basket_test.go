package bench

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// fives are n baskets of five of a catalogue's items, of which some are bought
// much more than others.
func fives(n, catalogue int, seed uint64) [][]uint64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	all := make([][]uint64, n)
	for i := range all {
		b := make([]uint64, 0, 5)
		for len(b) < 5 {
			u := rng.Float64()
			if it := mixed(uint64(u * u * float64(catalogue))); !slices.Contains(b, it) {
				b = append(b, it)
			}
		}
		slices.Sort(b)
		all[i] = b
	}
	return all
}

// mixed is the hash of an item of the catalogue, by its number.
func mixed(v uint64) uint64 { return event.Hash("item-" + strconv.Itoa(int(v))) }

// grown are counts of a catalogue in which every item is in some basket, with so
// many distinct pairs; and what adds a basket to them.
func grown(items, pairs int) (*basket.Counts, func([]uint64)) {
	c := basket.New(basket.DefaultConfig())
	at := opened
	add := func(is []uint64) {
		at += 1000
		c.Apply(&basket.Row{Kind: basket.SameOrder, At: at, To: is}, 1)
	}
	for i := uint64(0); i < uint64(items); i += 5 {
		add([]uint64{mixed(i), mixed(i + 1), mixed(i + 2), mixed(i + 3), mixed(i + 4)})
	}
	for seed := uint64(1); c.Pairs() < 2*pairs; seed++ { // a pair is in both items' lists
		for _, is := range fives(10_000, items, seed) {
			add(is)
		}
	}
	return c, add
}

// catalogue is how many items and pairs the benchmarks have.
func catalogue() (items, pairs int) {
	if testing.Short() {
		return 100_000, 1_000_000
	}
	return 1_000_000, 10_000_000
}

// BenchmarkBasket is what a basket of five costs where a million items and ten
// million distinct pairs are counted, under the default configuration.
func BenchmarkBasket(b *testing.B) {
	items, pairs := catalogue()
	c, add := grown(items, pairs)
	held, bytes := c.Pairs()/2, c.Bytes()
	more := fives(1<<18, items, 0)
	b.ReportAllocs()
	n := 0
	for ; b.Loop(); n++ {
		add(more[n%len(more)])
	}
	b.ReportMetric(float64(c.Items()), "items")
	b.ReportMetric(float64(held), "pairs")
	b.ReportMetric(float64(bytes)/float64(held), "bytes/pair")
}

// BenchmarkOffers is what a list of three offers costs, for customers with five
// orders of five items: of a small catalogue and of a large one.
func BenchmarkOffers(b *testing.B) {
	for _, size := range []string{"small", "large"} {
		items, pairs := catalogue()
		if size == "small" {
			items, pairs = items/100, pairs/100
		}
		b.Run(size, func(b *testing.B) {
			c, _ := grown(items, pairs)
			rec, ledgers := offering(c, items)
			m := score.BuiltInOffers()
			var out []score.Offer
			b.ReportAllocs()
			n, offered := 0, 0
			for ; b.Loop(); n++ {
				l := ledgers[n%len(ledgers)]
				out = rec.Offers(l, m, l.Last+7*day, 3, out)
				offered += len(out)
			}
			b.ReportMetric(float64(items), "items")
			b.ReportMetric(float64(offered)/float64(n), "offers")
		})
	}
}

const day = 24 * 60 * 60 * 1000 // ms

// offering is a recommender over the counts, to which the orders of a thousand
// customers are added, and these customers.
func offering(c *basket.Counts, items int) (*nextbest.Recommender, []*ledger.Ledger) {
	names, cfg := basket.NewDictionary(), basket.DefaultConfig()
	for i := range items {
		it := event.Item{ID: "item-" + strconv.Itoa(i), Category: "category-" + strconv.Itoa(i%100), Price: event.Micro(i%50+1) * event.One}
		names.Observe(&it, 1)
	}
	lcfg := ledger.DefaultConfig()
	rules := lcfg.Rules(ledger.NewCalendar(time.UTC))
	source := basket.NewSource(cfg, &rules)
	rng := rand.New(rand.NewPCG(7, 7))
	ledgers := make([]*ledger.Ledger, 1000)
	for k := range ledgers {
		l := &ledger.Ledger{}
		for o := range 5 {
			ev := event.Event{
				Type: event.OrderCompleted, OrderID: strconv.Itoa(o), Time: opened + int64(o)*10*day, Amount: event.One, HasAmount: true,
			}
			for range 5 {
				u := rng.Float64()
				ev.Items = append(ev.Items, event.Item{ID: "item-" + strconv.Itoa(int(u*u*float64(items))), Quantity: event.One})
			}
			l.Apply(&ev, &rules)
		}
		source.Each(l, c.Apply)
		ledgers[k] = l
	}
	c.Settle()
	trends := nextbest.NewTrends(c, names)
	return nextbest.New(nextbest.DefaultConfig(), c, names, func() *nextbest.Trends { return trends }, &rules), ledgers
}
