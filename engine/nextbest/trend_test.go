package nextbest

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
)

// The most popular come first, equals by their hash, whoever was met first.
func TestPopularDoesNotHangOnTheOrderOfArrival(t *testing.T) {
	ids := make([]string, 100)
	times := map[string]int{}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range ids {
		ids[i] = strconv.Itoa(i)
		times[ids[i]] = 1 + rng.IntN(4)
	}
	var want []uint64
	for range 5 {
		s := newShop()
		for _, id := range ids {
			s.sold(times[id], []string{id})
		}
		look := NewTrends(s.counts, s.names)
		require.Len(t, look.Popular, mostPopular)
		var got []uint64
		for i, ref := range look.Popular {
			got = append(got, s.counts.Item(ref))
			if i > 0 {
				a, b := s.counts.Count(basket.SameOrder, got[i-1]), s.counts.Count(basket.SameOrder, got[i])
				require.True(t, a > b || a == b && got[i-1] < got[i])
			}
		}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
		rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
}

// Trends grow old as the counts grow, and, where these only keep their level,
// with time.
func TestTrendsGrowOld(t *testing.T) {
	s := newShop()
	empty := NewTrends(s.counts, s.names)
	require.False(t, empty.Old(s.counts))
	s.sold(100, []string{"A"})
	require.True(t, empty.Old(s.counts))
	look := NewTrends(s.counts, s.names)
	s.sold(40, []string{"A"})
	require.False(t, look.Old(s.counts))
	s.sold(2, []string{"A"})
	require.True(t, look.Old(s.counts))

	cfg := basket.DefaultConfig()
	cfg.HalfLife = 10 * 24 * time.Hour
	c := basket.New(cfg)
	daily := func(from, to int) {
		for d := from; d < to; d++ {
			for range 10 {
				c.Apply(&basket.Row{To: []uint64{event.Hash("A")}, At: days(float64(d))}, 1)
			}
		}
	}
	daily(0, 300)
	look = NewTrends(c, s.names)
	daily(300, 304)
	require.False(t, look.Old(c))
	before := c.Orders()
	daily(304, 320)
	require.InEpsilon(t, before, c.Orders(), .02, "as many orders, decayed, as ever")
	require.True(t, look.Old(c))

	c.Advance(days(400))
	fading := NewTrends(c, s.names)
	c.Advance(days(420))
	require.True(t, fading.Old(c), "hardly any is left")
}

// Prices, categories and steps are those of the dictionary when trends are made,
// and of items met since nothing is known but their share.
func TestTrendsKnowTheCatalogue(t *testing.T) {
	s := newShop()
	s.knows("wine", 12, "A")
	s.sold(30, []string{"A"}, []string{"B"})
	look := NewTrends(s.counts, s.names)
	ref := func(id string) basket.Ref { return s.counts.Ref(event.Hash(id)) }
	require.Equal(t, 12., look.price(ref("A")))
	require.Equal(t, 12., look.known(ref("A")))
	require.Zero(t, look.known(ref("B")))
	require.Equal(t, 12., look.price(ref("B")), "the average of what has one")
	require.NotZero(t, look.category(ref("A")))
	require.Zero(t, look.category(ref("B")))
	s.knows("wine", 99, "C")
	s.sold(30, []string{"C"})
	require.Zero(t, look.category(ref("C")))
	require.Zero(t, look.known(ref("C")))
	require.InDelta(t, NewTrends(s.counts, s.names).share(ref("C"), s.counts), look.share(ref("C"), s.counts), 1e-6)
}
