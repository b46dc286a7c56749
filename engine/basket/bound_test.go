package basket_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

// heaviest are the n items of the greatest counts.
func heaviest(counts map[uint64]float64, n int) []uint64 {
	var is []uint64
	for it := range counts {
		is = append(is, it)
	}
	slices.SortFunc(is, func(a, b uint64) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return is[:min(n, len(is))]
}

// recall is the share of the true ten neighbours by count that are among the ten
// which are held with the greatest counts, over the 50 most frequent items. A
// neighbour that has as many as the true tenth is as good as it.
func recall(c, exact *basket.Counts) float64 {
	neighbours := func(c *basket.Counts) map[uint64]map[uint64]float64 {
		of := map[uint64]map[uint64]float64{}
		c.EachPair(basket.SameOrder, func(a, b uint64, n float64) {
			if of[a] == nil {
				of[a] = map[uint64]float64{}
			}
			of[a][b] = n
		})
		return of
	}
	held, truth, often := neighbours(c), neighbours(exact), map[uint64]float64{}
	exact.EachItem(func(it uint64, n float64) { often[it] = n })
	found, asked := 0, 0
	for _, a := range heaviest(often, 50) {
		best := heaviest(truth[a], 10)
		asked += len(best)
		for _, b := range heaviest(held[a], 10) {
			if truth[a][b] >= truth[a][best[len(best)-1]] {
				found++
			}
		}
	}
	return float64(found) / float64(asked)
}

// requireBound requires what is promised beyond the bounds: no count is too
// great, and none too small by more than is said; and from whichever list a pair
// is read, it is the same.
func requireBound(t require.TestingT, p *onPaper, c *basket.Counts) {
	for k := range basket.Kind(basket.NumKinds) {
		for ab, want := range p.pairs[k] {
			a, b := ab[0], ab[1]
			short := c.Lost(k, a)
			if k != basket.SameSession {
				short = min(short, c.Lost(k, b))
			}
			got, rounding := c.Pair(k, a, b), 1e-9*(1+want)
			require.LessOrEqual(t, got, want+rounding, "%s %v", k, ab)
			require.GreaterOrEqual(t, got+short, want-rounding, "%s %v", k, ab)
			require.Equal(t, c.Table2(k, a, b), c.Between(k, c.Ref(a), c.Ref(b)), "%s %v", k, ab)
		}
	}
	for x, want := range p.triples {
		got, rounding := c.Triple(x[0], x[1], x[2]), 1e-9*(1+want)
		require.LessOrEqual(t, got, want+rounding)
		require.GreaterOrEqual(t, got+c.LostTriples(), want-rounding)
	}
}

// With a tenth of the room that all pairs need, the neighbours of the items that
// matter most are still known, and no count is off by more than is said.
func TestTenthOfTheRoom(t *testing.T) {
	var share, bytes, recalled float64
	shapes := []struct {
		baskets, catalogue, size, neighbours int
		skew                                 float64
	}{
		{3000, 400, 15, 28, 1}, {4000, 400, 8, 13, 1}, {4000, 400, 8, 14, .8}, {4000, 600, 10, 20, 1.1},
	}
	const seeds = 2
	for _, s := range shapes {
		for seed := range uint64(seeds) {
			all := zipf(s.baskets, s.catalogue, s.size, s.skew, 1+seed)
			cfg := plain()
			cfg.Triples = 0
			exact := basket.New(cfg)
			cfg.Neighbours = s.neighbours
			c := basket.New(cfg)
			add(exact, 1, all...)
			add(c, 1, all...)
			exact.EachPair(basket.SameOrder, func(a, b uint64, want float64) {
				got := c.Pair(basket.SameOrder, a, b)
				short := min(c.Lost(basket.SameOrder, a), c.Lost(basket.SameOrder, b))
				if got > want || got+short < want {
					t.Fatalf("%d and %d are together %g times; counted %g, short by up to %g", a, b, want, got, short)
				}
			})
			r := recall(c, exact)
			require.Greater(t, r, .9, "%+v, seed %d", s, seed)
			require.Zero(t, exact.LostPairs(basket.SameOrder))
			require.Positive(t, c.Dropped())
			require.Less(t, c.LostPairs(basket.SameOrder), float64(s.baskets)/4, "a bound that says nothing")
			recalled += r
			share += float64(c.Pairs()) / float64(exact.Pairs())
			bytes += float64(c.Bytes()) / float64(exact.Bytes())
		}
	}
	n := float64(seeds * len(shapes))
	t.Logf("pairs held %.3f, bytes %.3f, recall %.4f", share/n, bytes/n, recalled/n)
	require.Less(t, share/n, .12)
	require.Less(t, bytes/n, .15, "an item's own counts, and its shelf, are as large as ever")
	require.GreaterOrEqual(t, recalled/n, .95)
}

// Rows of all kinds come, and some go again; room for a few neighbours and a
// tenth of the triples.
func TestBoundsHoldForEveryPairAndTriple(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 1))
		cfg := plain()
		cfg.Neighbours = rapid.SampledFrom([]int{8, 9, 13, 40}).Draw(t, "neighbours")
		cfg.Triples = rapid.SampledFrom([]int{1, 20, 100, 1000}).Draw(t, "triples")
		decay := rapid.Bool().Draw(t, "decay")
		if decay {
			cfg.HalfLife = 64 * time.Hour
		}
		c, p := basket.New(cfg), newOnPaper()
		weight := func(at int64) float64 { return 1 }
		if decay {
			weight = weigher(cfg, 1000*hourMS)
		}
		baskets := zipf(100, 45, 5, rapid.SampledFrom([]float64{0, 1, 2}).Draw(t, "skew"), seed)
		var there []basket.Row
		apply := func(r *basket.Row, sign int) {
			c.Apply(r, sign)
			p.row(r, float64(sign)*weight(r.At))
		}
		for i, b := range baskets {
			r := basket.Row{Kind: basket.Kind(rng.IntN(basket.NumKinds)), At: int64(1+rng.IntN(1000)) * hourMS, To: b}
			from := baskets[rng.IntN(len(baskets))]
			switch r.Kind {
			case basket.SameSession:
				r.From, r.To = from[:1], b[rng.IntN(5):][:1]
			case basket.NextOrder:
				r.From = from
			case basket.SameCustomer:
				r.From = slices.DeleteFunc(slices.Clone(from), func(it uint64) bool { return slices.Contains(b, it) })
			}
			apply(&r, 1)
			if there = append(there, r); rng.IntN(3) == 0 {
				gone := rng.IntN(len(there))
				apply(&there[gone], -1)
				there = slices.Delete(there, gone, gone+1)
			}
			if i%33 == 32 {
				c.Advance(1000 * hourMS)
				requireBound(t, p, c)
				require.LessOrEqual(t, c.Triples(), cfg.Triples)
			}
		}
	})
}

// Few baskets, of which no list and no table is full, are counted exactly, up to
// the last entry that there is room for.
func TestExactUpToTheBound(t *testing.T) {
	for _, n := range []int{90, 97, 100, 100_000} {
		cfg := plain()
		cfg.Neighbours, cfg.Triples = 8, n
		c := basket.New(cfg)
		for i := range uint64(n) {
			add(c, 1, []uint64{3*i + 1, 3*i + 2, 3*i + 3})
		}
		require.Equal(t, n, c.Triples())
		require.Zero(t, c.LostTriples()+c.LostPairs(basket.SameOrder))
		add(c, 1, []uint64{1, 2, 9})
		require.Equal(t, 1., c.LostTriples())
	}
	cfg := plain()
	cfg.Neighbours = 8
	c := basket.New(cfg)
	for i := range uint64(8) {
		add(c, 1, []uint64{1, 2 + i})
	}
	require.Zero(t, c.Lost(basket.SameOrder, 1))
	require.Zero(t, c.Dropped())
	add(c, 1, []uint64{1, 10})
	require.Equal(t, 1, c.Dropped())
	require.Len(t, held(c), 8+9, "the pair that 1 let go is held by the other")
	require.Zero(t, c.Lost(basket.SameOrder, 10))
}

// What one item has let go it learns again from the other.
func TestListsLearnFromEachOther(t *testing.T) {
	cfg := plain()
	cfg.Neighbours = 8
	c := basket.New(cfg)
	add(c, 1, []uint64{1, 50}, []uint64{1, 50})
	for i := range uint64(8) {
		add(c, 1, []uint64{1, 2 + i}, []uint64{1, 2 + i}, []uint64{1, 2 + i})
	}
	require.NotContains(t, held(c), [2]uint64{1, 50})
	require.Equal(t, 2., c.Pair(basket.SameOrder, 1, 50))
	add(c, 1, []uint64{1, 50})
	require.Equal(t, 3., held(c)[[2]uint64{1, 50}])
}

// A triple that was let go with its pairs is taken in again, for how often it
// was there nobody knows any more.
func TestTripleOfForgottenPairs(t *testing.T) {
	cfg := plain()
	cfg.Neighbours, cfg.Triples = 8, 1
	c, p := basket.New(cfg), newOnPaper()
	put := func(is ...uint64) {
		r := basket.Row{To: is}
		c.Apply(&r, 1)
		p.row(&r, 1)
	}
	put(1, 2, 3)
	put(4, 5, 6)
	for range 1000 { // so that 1, 2 and 3 are rare
		put(9)
	}
	for a := uint64(1); a <= 3; a++ {
		for i := range uint64(8) {
			put(a, 10*a+i)
			put(a, 10*a+i)
		}
	}
	require.Zero(t, c.Pair(basket.SameOrder, 1, 2))
	put(1, 2, 3)
	requireBound(t, p, c)
}

// held are the pairs that are told.
func held(c *basket.Counts) map[[2]uint64]float64 {
	m := map[[2]uint64]float64{}
	c.EachPair(basket.SameOrder, func(a, b uint64, n float64) { m[[2]uint64{a, b}] = n })
	return m
}

// What was lost stays a number however long the counts live.
func TestLostUnderDecay(t *testing.T) {
	cfg := plain()
	cfg.Neighbours, cfg.Triples, cfg.HalfLife = 8, 10, time.Hour
	c := basket.New(cfg)
	for i, b := range zipf(3000, 60, 6, 1, 1) {
		c.Apply(&basket.Row{To: b, At: int64(i) * hourMS}, 1)
		if i%100 == 0 {
			lost := c.LostPairs(basket.SameOrder)
			require.Less(t, lost, 3.)
			require.Less(t, c.LostTriples(), 3.)
			require.True(t, i == 0 || lost > 0)
		}
	}
}
