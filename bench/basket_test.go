package bench

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dangol-dev/dangol/engine/basket"
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

// mixed makes a hash of a number.
func mixed(v uint64) uint64 {
	v = (v + 1) * 0x9e3779b97f4a7c15
	return v ^ v>>29
}

// BenchmarkBasket is what a basket of five costs where a million items and ten
// million distinct pairs are counted, under the default configuration.
func BenchmarkBasket(b *testing.B) {
	items, pairs := 1_000_000, 10_000_000
	if testing.Short() {
		items, pairs = items/10, pairs/10
	}
	c := basket.New(basket.DefaultConfig())
	at := opened
	add := func(is []uint64) {
		at += 1000
		c.Apply(&basket.Row{Kind: basket.SameOrder, At: at, To: is}, 1)
	}
	for i := uint64(0); i < uint64(items); i += 5 { // each item is in some basket
		add([]uint64{mixed(i), mixed(i + 1), mixed(i + 2), mixed(i + 3), mixed(i + 4)})
	}
	for seed := uint64(1); c.Pairs() < 2*pairs; seed++ { // a pair is in both items' lists
		for _, is := range fives(10_000, items, seed) {
			add(is)
		}
	}
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
