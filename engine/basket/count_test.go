package basket

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plain counts baskets as one would on paper.
type plain struct {
	orders int
	items  map[uint64]int
	pairs  map[[2]uint64]int
}

func (p *plain) count(items []uint64, sign int) {
	if p.items == nil {
		p.items, p.pairs = map[uint64]int{}, map[[2]uint64]int{}
	}
	if len(items) == 0 {
		return
	}
	p.orders += sign
	for i, a := range items {
		p.items[a] += sign
		for _, b := range items[i+1:] {
			p.pairs[[2]uint64{min(a, b), max(a, b)}] += sign
		}
	}
	for k, n := range p.items {
		if n == 0 {
			delete(p.items, k)
		}
	}
	for k, n := range p.pairs {
		if n == 0 {
			delete(p.pairs, k)
		}
	}
}

// read is what Counts tell, in the form of plain.
func read(c *Counts) plain {
	p := plain{orders: c.Orders(), items: map[uint64]int{}, pairs: map[[2]uint64]int{}}
	c.EachItem(func(it uint64, n int) { p.items[it] = n })
	c.EachPair(func(a, b uint64, n int) { p.pairs[[2]uint64{min(a, b), max(a, b)}] = n })
	return p
}

// baskets draws sorted, distinct items, few of them, so that pairs meet again.
func baskets(items uint64) *rapid.Generator[[]uint64] {
	return rapid.Custom(func(t *rapid.T) []uint64 {
		set := rapid.SliceOfNDistinct(rapid.Uint64Range(1, items), 0, 8, rapid.ID).Draw(t, "items")
		return sorted(set)
	})
}

func TestCountsMatchPlainCountingInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, p := New(DefaultConfig()), plain{items: map[uint64]int{}, pairs: map[[2]uint64]int{}}
		for _, b := range rapid.SliceOfN(baskets(40), 0, 60).Draw(t, "baskets") {
			sign := 1
			if rapid.Bool().Draw(t, "away") { // also of what was never there
				sign = -1
			}
			c.Apply(b, sign)
			p.count(b, sign)
		}
		got := read(c)
		require.Equal(t, p, got)
		require.Equal(t, len(p.pairs), c.Pairs())
		for k, n := range p.pairs {
			require.Equal(t, n, c.Pair(k[0], k[1]))
			require.Equal(t, n, c.Pair(k[1], k[0]))
		}
		for it, n := range p.items {
			require.Equal(t, n, c.Count(it))
		}
		require.Zero(t, c.Count(999))
		require.Zero(t, c.Pair(1, 999))
	})
}

func TestRemoveTakesBackWhatAddGave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stay := rapid.SliceOfN(baskets(30), 0, 30).Draw(t, "stay")
		pass := rapid.SliceOfN(baskets(300), 0, 60).Draw(t, "pass")
		c, want := New(DefaultConfig()), New(DefaultConfig())
		for _, b := range stay {
			want.Add(b)
		}
		for _, b := range pass {
			c.Add(b)
		}
		for _, b := range stay {
			c.Add(b)
		}
		for _, b := range rapid.Permutation(pass).Draw(t, "order") {
			c.Remove(b)
		}
		require.Equal(t, read(want), read(c))
	})
}

// Beyond the bound, pairs are left out, never miscounted: each count is at most
// the true one, a pair in time is exact, and every pair is counted or dropped.
func TestPairsBeyondTheBoundAreDroppedAndCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := DefaultConfig()
		cfg.MaxPairs = rapid.IntRange(1, 60).Draw(t, "bound")
		c := New(cfg)
		var p plain
		all := rapid.SliceOfN(baskets(25), 1, 40).Draw(t, "baskets")
		total := 0
		for _, b := range all {
			c.Add(b)
			p.count(b, 1)
			total += len(b) * (len(b) - 1) / 2
			require.LessOrEqual(t, c.Pairs(), cfg.MaxPairs)
		}
		got := read(c)
		counted := 0
		for k, n := range got.pairs {
			require.Equal(t, p.pairs[k], n, "nothing was taken away, so what is counted is exact")
			counted += n
		}
		require.Equal(t, total, counted+c.Dropped())
		require.Equal(t, p.items, got.items)
		for _, b := range all {
			c.Remove(b)
		}
		require.Zero(t, c.Orders())
		require.Zero(t, c.Pairs())
		require.Zero(t, c.Dropped())
	})
}

func TestRoomOfDeadPairsIsUsedAgain(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPairs = 100
	c := New(cfg)
	for i := uint64(1); i <= 100; i++ {
		c.Add([]uint64{i, i + 1000})
	}
	c.Add([]uint64{5000, 5001})
	require.Equal(t, 1, c.Dropped())
	for i := uint64(1); i <= 50; i++ {
		c.Remove([]uint64{i, i + 1000})
	}
	c.Add([]uint64{6000, 6001})
	require.Equal(t, 1, c.Pair(6000, 6001))
	require.Equal(t, 1, c.Pair(51, 1051))
	require.Equal(t, 1, c.Dropped())
	require.Equal(t, 51, c.Pairs())
}

func TestGiantBasketIsCutAndCounted(t *testing.T) {
	giant := make([]uint64, 100)
	for i := range giant {
		giant[i] = uint64(i + 1)
	}
	c := New(DefaultConfig())
	c.Add(giant)
	require.Equal(t, MaxItems*(MaxItems-1)/2, c.Pairs())
	require.Equal(t, MaxItems, c.Items())
	require.Equal(t, 1, c.Giants())
	c.Remove(giant)
	require.Zero(t, c.Pairs())
	require.Zero(t, c.Giants())
	c.Add(giant[:MaxItems])
	require.Zero(t, c.Giants(), "as many as there may be are no giant")
}

func TestCountingKnownPairsDoesNotAllocate(t *testing.T) {
	c := New(DefaultConfig())
	b := []uint64{1, 2, 3, 4, 5}
	for range 5 {
		c.Add(b)
	}
	room := c.Neighbours(1, 10, nil)
	require.Positive(t, c.Bytes())
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c.Add(b)
		c.Remove(b)
		room = c.Neighbours(1, 10, room[:0])
	}))
}

func TestConfigNamesEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := Config{MaxPairs: 0, MinCount: -1, PriorOrders: -1}
	require.EqualError(t, bad.Validate(), "max_pairs: 0 is outside 1 to 536870912\n"+
		"min_count: -1 is outside 1 to 1000000\n"+
		"prior_orders: -1 is outside 0 to 1000000")
}

func BenchmarkAddFiveItems(b *testing.B) {
	c := New(DefaultConfig())
	all := random(4096, 5, 5000, 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Add(all[i%len(all)])
	}
}

func BenchmarkNeighbours(b *testing.B) {
	c := New(DefaultConfig())
	for _, bk := range random(50_000, 5, 2000, 1) {
		c.Add(bk)
	}
	var dst []Neighbour
	for i := range 2000 {
		dst = c.Neighbours(uint64(i+1), 10, dst[:0])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = c.Neighbours(uint64(i%2000+1), 10, dst[:0])
	}
}

func BenchmarkExact(b *testing.B) {
	c := New(DefaultConfig())
	for _, bk := range random(50_000, 5, 2000, 1) {
		c.Add(bk)
	}
	var dst []Neighbour
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = c.Exact(uint64(i%2000+1), 10, dst[:0])
	}
}
