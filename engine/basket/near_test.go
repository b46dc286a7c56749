package basket_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

const dayMS = 24 * hourMS

// rankedBy are the neighbours of a with their strength, the strongest first,
// equals by item: the plain way to what Near says.
func rankedBy(p *onPaper, k basket.Kind, a uint64) []basket.Neighbour {
	var ns []basket.Neighbour
	for ab, n := range p.pairs[k] {
		if ab[0] != a || n <= 0 {
			continue
		}
		b := ab[1]
		v := n / math.Sqrt(p.left[k][a]+1) / math.Pow(p.right[k][b]+1, .15)
		if k == basket.SameSession {
			v = n / (p.left[k][a] + 5)
		}
		ns = append(ns, basket.Neighbour{Item: b, Strength: v})
	}
	slices.SortFunc(ns, func(x, y basket.Neighbour) int {
		return cmp.Or(cmp.Compare(float32(y.Strength), float32(x.Strength)), cmp.Compare(x.Item, y.Item))
	})
	return ns
}

// At rest, who is at hand are the 20 strongest, and how strong they are; before,
// most of them.
func TestNearIsThePlainTop(t *testing.T) {
	for _, k := range []basket.Kind{basket.SameOrder, basket.SameSession, basket.NextOrder} {
		c, p := basket.New(plain()), newOnPaper()
		rng := rand.New(rand.NewPCG(3, uint64(k)))
		all := zipf(4000, 80, 6, .7, 5)
		for i, b := range all {
			r := basket.Row{Kind: k, At: 1, To: b}
			switch k {
			case basket.SameSession:
				r.From, r.To = b[rng.IntN(6):][:1], b[rng.IntN(6):][:1]
			case basket.NextOrder:
				r.From = all[rng.IntN(i+1)]
			}
			c.Apply(&r, 1)
			p.row(&r, 1)
			if i%5 == 0 {
				c.Apply(&r, -1)
				p.row(&r, -1)
			}
		}
		near := func(a uint64) map[uint64]float32 {
			var buf [basket.MaxNear]basket.Near
			m := map[uint64]float32{}
			for _, n := range c.Near(k, c.Ref(a), &buf) {
				m[c.Item(n.To)] = n.Strength
			}
			return m
		}
		missed, asked, cut := 0, 0, 0
		want := map[uint64][]basket.Neighbour{}
		for a := uint64(1); a <= 80; a++ {
			want[a] = rankedBy(p, k, a)
			if len(want[a]) > basket.MaxNear {
				cut++
			}
			want[a] = want[a][:min(len(want[a]), basket.MaxNear)]
			now := near(a)
			for _, n := range want[a] {
				if asked++; now[n.Item] == 0 {
					missed++
				}
			}
		}
		require.Greater(t, cut, 20, "lists longer than a shelf")
		require.Less(t, float64(missed), .1*float64(asked), k)
		c.Settle()
		for a, ns := range want {
			got := near(a)
			require.Len(t, got, len(ns))
			for i, n := range ns {
				v, ok := got[n.Item]
				require.True(t, ok || i >= 17, "%s: %d of %d, place %d", k, n.Item, a, i+1)
				if ok {
					require.InEpsilon(t, n.Strength, v, 1e-5)
				}
			}
		}
	}
	c := basket.New(plain())
	var buf [basket.MaxNear]basket.Near
	require.Empty(t, c.Near(basket.SameOrder, c.Ref(1), &buf), "an item never seen")
}

// Neighbours are all that hold, the strongest first, with the figures of maps.
func TestNeighboursAreThePlainRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := plain()
		cfg.MinCount = rapid.SampledFrom([]float64{1, 3}).Draw(t, "min")
		cfg.Certainty = rapid.SampledFrom([]float64{.01, .99}).Draw(t, "certainty")
		c, p := basket.New(cfg), newOnPaper()
		for _, b := range zipf(rapid.IntRange(1, 300).Draw(t, "baskets"), catalogue, 3, rapid.SampledFrom([]float64{.5, 2}).Draw(t, "skew"), rapid.Uint64().Draw(t, "seed")) {
			if len(b) > 1 && b[0] == 1 {
				b = []uint64{1, 2}
			}
			r := basket.Row{To: b}
			c.Apply(&r, 1)
			p.row(&r, 1)
		}
		n := 0.
		for range p.left[0] {
			n++
		}
		for a := range p.left[0] {
			var want []basket.Neighbour
			for b := range p.left[0] {
				v := p.table(basket.SameOrder, a, b)
				holds := v.Both >= cfg.MinCount && v.Lift() > 1 && v.Chance() <= (1-cfg.Certainty)/(n*(n-1)/2)
				require.Equal(t, holds && a != b, c.Holds(basket.SameOrder, a, b) && a != b)
				if holds && a != b {
					want = append(want, basket.Neighbour{Item: b, Count: v.Both, Table2: v, Strength: v.Strength(cfg.Prior)})
				}
			}
			slices.SortFunc(want, func(x, y basket.Neighbour) int {
				return cmp.Or(cmp.Compare(y.Strength, x.Strength), cmp.Compare(x.Item, y.Item))
			})
			require.Equal(t, want, c.Neighbours(basket.SameOrder, a, 100, nil))
			require.Equal(t, want[:min(2, len(want))], c.Neighbours(basket.SameOrder, a, 2, nil))
		}
	})
}

// habits are orders at a steady rate over some half-lives: 1 is in one of four
// and goes with 2 in six of ten of these, until it stops; 3 goes with 4 alike, and
// does not.
func habits(c *basket.Counts, seed uint64, from, until, stop float64, halfLife time.Duration, perHalf int) {
	rng := rand.New(rand.NewPCG(seed, 7))
	half := float64(halfLife.Milliseconds())
	for at := from; at < until; at += rng.ExpFloat64() / float64(perHalf) {
		var b []uint64
		for i := range uint64(2) {
			head, tail := 2*i+1, 2*i+2
			with := .05
			if rng.Float64() < .25 {
				if b = append(b, head); i == 1 || at < stop {
					with = .6
				}
			}
			if rng.Float64() < with {
				b = append(b, tail)
			}
		}
		for it := uint64(10); it < 60; it++ {
			if rng.Float64() < .04 {
				b = append(b, it)
			}
		}
		if len(b) > 0 {
			c.Apply(&basket.Row{At: 1_600_000_000_000 + int64(at*half), To: b}, 1)
		}
	}
}

// A habit that has stopped is no affinity any more within two half-lives, and
// with many orders within one; one that goes on is, all the time.
func TestHabitsThatStop(t *testing.T) {
	cfg := basket.DefaultConfig()
	cfg.HalfLife = 30 * 24 * time.Hour
	for _, r := range []struct {
		perHalf int
		within  float64 // half-lives
		back    int     // of 6·8 looks after that, how often chance may bring it back
	}{{200, 2, 3}, {600, 2, 4}, {3000, 1, 0}} {
		back := 0
		for seed := range uint64(6) {
			c := basket.New(cfg)
			const stop = 6
			habits(c, seed, 0, stop, stop, cfg.HalfLife, r.perHalf)
			require.True(t, c.Holds(basket.SameOrder, 1, 2), "it is one")
			for at := float64(stop); at < stop+4; at += .25 {
				require.True(t, c.Holds(basket.SameOrder, 3, 4), "seed %d, %d: goes on, %g half-lives", seed, r.perHalf, at)
				holds := c.Holds(basket.SameOrder, 1, 2)
				if at >= stop+r.within && holds {
					back++
				}
				all := c.Neighbours(basket.SameOrder, 1, 100, nil)
				require.Equal(t, holds, slices.ContainsFunc(all, func(n basket.Neighbour) bool { return n.Item == 2 }))
				habits(c, seed+100*uint64(at*4), at, at+.25, stop, cfg.HalfLife, r.perHalf)
			}
		}
		t.Logf("%d orders a half-life: held %d times of 48", r.perHalf, back)
		require.LessOrEqual(t, back, r.back, "%d orders a half-life", r.perHalf)
	}
}

// Where nothing goes with anything, hardly any catalogue shows an affinity at
// all, for all of its pairs are judged together.
func TestIndependentItemsShowNoAffinity(t *testing.T) {
	cfg := basket.DefaultConfig()
	fooled, shown := 0, 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 11))
		c := basket.New(cfg)
		for i := range 3000 {
			var b []uint64
			for it := uint64(1); it <= 60; it++ {
				if rng.Float64() < .5/float64(it+1) {
					b = append(b, it)
				}
			}
			c.Apply(&basket.Row{At: 1_600_000_000_000 + int64(i)*dayMS/20, To: b}, 1)
		}
		affinities := 0
		for a := uint64(1); a <= 60; a++ {
			affinities += len(c.Neighbours(basket.SameOrder, a, 100, nil))
		}
		if affinities > 0 {
			fooled++
		}
		for range 200 { // the same test sees what is there
			c.Apply(&basket.Row{At: 1_600_000_000_000 + 150*dayMS, To: []uint64{30, 50}}, 1)
		}
		if c.Holds(basket.SameOrder, 30, 50) {
			shown++
		}
	}
	t.Logf("%d of 50 catalogues", fooled)
	require.LessOrEqual(t, fooled, 3)
	require.Equal(t, 50, shown)
}
