package basket

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// rules finds the neighbours of an item from plain counts.
func (p *plain) rules(a uint64, cfg Config) []Neighbour {
	var out []Neighbour
	for b := range p.items {
		nAB := p.pairs[[2]uint64{min(a, b), max(a, b)}]
		if b == a || nAB < cfg.MinCount {
			continue
		}
		n, share := float64(p.orders), float64(p.items[b])/float64(p.orders)
		conf := float64(nAB) / float64(p.items[a])
		if conf <= share {
			continue
		}
		prior := float64(cfg.PriorOrders)
		drawn := (float64(nAB) + prior*share) / (float64(p.items[a]) + prior)
		out = append(out, Neighbour{
			Item: b, Count: nAB, Support: float64(nAB) / n, Confidence: conf, Lift: conf / share, Strength: drawn - share,
		})
	}
	return out
}

func byItem(ns []Neighbour) []Neighbour {
	ns = slices.Clone(ns)
	slices.SortFunc(ns, func(a, b Neighbour) int { return cmp.Compare(a.Item, b.Item) })
	return ns
}

func requireClose(t require.TestingT, want, got []Neighbour) {
	require.Len(t, got, len(want))
	for i := range want {
		w, g := want[i], got[i]
		require.Equal(t, w.Item, g.Item)
		require.Equal(t, w.Count, g.Count)
		require.InDelta(t, w.Support, g.Support, 1e-12)
		require.InDelta(t, w.Confidence, g.Confidence, 1e-12)
		require.InDelta(t, w.Lift, g.Lift, 1e-9)
		require.InDelta(t, w.Strength, g.Strength, 1e-12)
	}
}

func TestExactFindsAllAndTheStrongest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := DefaultConfig()
		cfg.MinCount = rapid.IntRange(1, 3).Draw(t, "min")
		cfg.PriorOrders = rapid.IntRange(0, 20).Draw(t, "prior")
		c := New(cfg)
		var p plain
		for _, b := range rapid.SliceOfN(baskets(9), 1, 50).Draw(t, "baskets") {
			c.Add(b)
			p.count(b, 1)
		}
		for it := range p.items {
			all := c.Exact(it, 100, []Neighbour{})
			requireClose(t, byItem(p.rules(it, cfg)), byItem(all))
			require.True(t, slices.IsSortedFunc(all, stronger))
			for _, n := range all {
				require.True(t, n.Strength > 0 && n.Strength <= 1 && n.Lift > 1)
			}
			k := rapid.IntRange(0, 4).Draw(t, "k")
			require.Equal(t, all[:min(k, len(all))], c.Exact(it, k, []Neighbour{}))
		}
	})
}

// What is at hand may lack one of the strongest, but no figure is wrong, nor the
// rank; and after everybody's turn it is right.
func TestNeighboursAreWrongOnlyInWhoTheyAre(t *testing.T) {
	cfg := DefaultConfig()
	c := New(cfg)
	missed, asked := 0, 0
	for i, b := range random(6000, 6, 60, 5) {
		c.Add(b)
		if i%7 == 0 {
			c.Remove(b)
		}
		if i%11 != 0 {
			continue
		}
		item := uint64(i%60) + 1
		all := c.Exact(item, 1000, nil)
		got := c.Neighbours(item, MaxNeighbours, nil)
		require.True(t, slices.IsSortedFunc(got, stronger))
		for _, n := range got {
			require.Contains(t, all, n)
		}
		for _, n := range all[:min(len(all), MaxNeighbours)] {
			asked++
			if !slices.Contains(got, n) {
				missed++
			}
		}
	}
	require.Positive(t, asked)
	require.Less(t, float64(missed), .06*float64(asked))

	for range lookEvery / 2 * 63 { // everybody's turn
		c.Add([]uint64{61, 62})
		c.Remove([]uint64{61, 62})
	}
	for item := uint64(1); item <= 60; item++ {
		want := c.Exact(item, MaxNeighbours, []Neighbour{})
		require.Equal(t, want, c.Neighbours(item, 100, []Neighbour{}))
		require.Equal(t, want[:min(3, len(want))], c.Neighbours(item, 3, []Neighbour{}))
	}
	require.Empty(t, c.Neighbours(12345, 5, nil))
	require.Empty(t, c.Exact(12345, 5, nil))
}

func TestStrengthBelievesTheManyMore(t *testing.T) {
	require.InDelta(t, .9*3/13, Strength(3, 3, 100, 1000, 10), 1e-12)
	require.InDelta(t, .9*300/310, Strength(300, 300, 100, 1000, 10), 1e-12)
	require.InDelta(t, .9, Strength(3, 3, 100, 1000, 0), 1e-12)
	require.Zero(t, Strength(0, 0, 5, 10, 0))
	require.Zero(t, Strength(0, 1, 5, 0, 0))
}
