package nextbest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// requireFigures wants a rule's figures to be those of the counts.
func requireFigures(t require.TestingT, s *shop, k basket.Kind, from, to string, b score.Because) {
	v := s.counts.Table2(k, event.Hash(from), event.Hash(to))
	require.Equal(t, k.String(), b.Kind)
	require.Equal(t, []float64{v.Support(), v.Confidence(), v.Lift()}, []float64{b.Support, b.Confidence, b.Lift}, "%s → %s, %s", from, to, k)
}

// By value, what is likely and cheap stands behind what is less so and dear; by
// probability, before it. An unknown price is taken for the average of what is sold.
func TestRankedByValueOrByProbability(t *testing.T) {
	s := newShop()
	s.knows("", 2, "A")
	s.knows("", 5, "cheap")
	s.knows("", 500, "dear")
	s.sold(40, []string{"A", "cheap"})
	s.sold(20, []string{"A", "dear"})
	s.sold(30, []string{"A", "unpriced"})
	c := s.shopper().bought(0, "A")
	ids := func() []string { return without(idsOf(s.offers(c, 50, 9)), "A") }
	require.Equal(t, []string{"dear", "unpriced", "cheap"}, ids())
	s.cfg.Rank = ByProbability
	require.Equal(t, []string{"cheap", "unpriced", "dear"}, ids())

	s.cfg.Rank = ByValue
	dear, unpriced := s.offered(t, c, 50, "dear"), s.offered(t, c, 50, "unpriced")
	require.InDelta(t, 500*dear.Score, dear.Value, 1e-9)
	require.Zero(t, unpriced.Value, "nobody knows")
	mean := (90*2 + 40*5 + 20*500) / 150.
	require.InDelta(t, mean, s.recommender().trends().price(s.counts.Ref(event.Hash("unpriced"))), 1e-9)
}

// However many of what most speaks for may not be offered, a list is as long as
// asked for where there is enough else.
func TestListsAreFilled(t *testing.T) {
	s := newShop()
	for i := range 30 {
		id := "hidden" + strconv.Itoa(i)
		s.sold(10, []string{"A", id})
		s.becomes(id, event.ItemState{HasHidden: true, Hidden: true})
	}
	for i := range 5 {
		s.sold(3, []string{"A", "shown" + strconv.Itoa(i)})
	}
	c := s.shopper().bought(0, "A")
	got := idsOf(s.offers(c, 5, 5))
	require.Equal(t, []string{"shown0", "shown1", "shown2", "shown3", "shown4"}, got)
	require.Len(t, s.offers(c, 5, 2), 2)
}

// A price that was told is worth at once what it says.
func TestNewPrices(t *testing.T) {
	s := pairShop()
	s.knows("", 10, "A", "B", "Z")
	r := s.recommender()
	c := s.shopper().bought(0, "A")
	before, ok := r.Offer(c.Ledger, s.model, days(50), "B")
	require.True(t, ok)
	require.InDelta(t, 10*before.Score, before.Value, 1e-9)
	s.names.Observe(&event.Item{ID: "B", Price: 30 * event.One}, days(1))
	r.trends().Price(s.counts.Ref(event.Hash("B")), 30)
	after, _ := r.Offer(c.Ledger, s.model, days(50), "B")
	require.Equal(t, before.Score, after.Score)
	require.InDelta(t, 30*before.Score, after.Value, 1e-9)
	require.Equal(t, 30., r.trends().price(s.counts.Ref(event.Hash("B"))))
	r.trends().Price(0, 1)
	r.trends().Price(1<<20, 1) // met since: nothing is kept
}

// No category has more offers in a list than it may have; who gives way makes
// room for the next best of another. Items of no category are no category.
func TestPerCategory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, c := drawn(t)
		now := rapid.Float64Range(31, 100).Draw(t, "day")
		all := s.offers(c, now, 1000)
		s.cfg.PerCategory = rapid.IntRange(1, 3).Draw(t, "per category")
		k := rapid.IntRange(1, 10).Draw(t, "k")
		var want []string
		had := map[string]int{}
		for _, o := range all {
			it, _ := s.names.Lookup(event.Hash(o.ItemID))
			if had[it.Category]++; it.Category != "" && had[it.Category] > s.cfg.PerCategory {
				continue
			}
			want = append(want, o.ItemID)
		}
		require.Equal(t, want[:min(k, len(want))], idsOf(s.offers(c, now, k)))
	})
}

// steppingShop sells things of a category X, after which those of Y are bought
// and those of Z never. N is of no category. Nobody who bought x has had one of
// those named last, all equally popular.
func steppingShop() *shop {
	s := newShop()
	s.cfg.Rank = ByProbability
	s.knows("X", 0, "x", "x1", "x2", "x3")
	s.knows("Y", 0, "y", "y1", "y2", "y3")
	s.knows("Z", 0, "z", "z1", "z2", "z3")
	for _, x := range []string{"x1", "x2", "x3"} {
		for _, y := range []string{"y1", "y2", "y3"} {
			s.sold(30, []string{x}, []string{y})
		}
	}
	for _, z := range []string{"z1", "z2", "z3"} {
		s.sold(90, []string{z}, []string{z})
	}
	s.sold(10, []string{"x"})
	for _, id := range []string{"y", "z", "n"} {
		s.sold(50, []string{id})
	}
	return s
}

// What follows the category of what was bought last, or looked at last, ranks
// above what has none, and that above what follows it never.
func TestCategoriesThatFollow(t *testing.T) {
	s := steppingShop()
	look := s.recommender().trends()
	category := func(id string) uint32 { return look.category(s.counts.Ref(event.Hash(id))) }
	require.Greater(t, look.step(category("x"), category("y")), .3)
	require.Less(t, look.step(category("x"), category("z")), -.3, "it counts against")
	require.Zero(t, look.step(category("x"), category("n")))

	scores := func(c shopper) (y, n, z float64) {
		return s.offered(t, c, 50, "y").Score, s.offered(t, c, 50, "n").Score, s.offered(t, c, 50, "z").Score
	}
	for why, c := range map[string]shopper{
		"bought":                           s.shopper().bought(0, "x"),
		"looked at":                        s.shopper().looked(0, "x"),
		"looked at after something else":   s.shopper().bought(0, "z3").looked(2, "z1").looked(3, "x"),
		"bought after something else":      s.shopper().bought(0, "z3").bought(3, "x"),
		"bought, and nothing looked since": s.shopper().looked(0, "z2").bought(3, "x"),
	} {
		y, n, z := scores(c)
		require.Greater(t, y, n, why)
		require.Greater(t, n, z, why)
	}
	y, n, z := scores(s.shopper().bought(0, "n1"))
	require.Equal(t, []float64{y, n}, []float64{n, z}, "where nothing is known of what was bought")
	y, n, z = scores(s.shopper().bought(0, "x").looked(5, "z1"))
	require.Greater(t, z, n, "the look came after the order")
	require.Greater(t, n, y)
	s.model.New.Weights[score.NewCategory] = 0
	y, n, z = scores(s.shopper().bought(0, "x"))
	require.Equal(t, []float64{y, n}, []float64{n, z}, "it was the category alone")
}

// An item that was looked at since the latest order is likelier than it was.
func TestLookedAtCounts(t *testing.T) {
	s := pairShop()
	before := s.offered(t, s.shopper().bought(0, "A"), 50, "B").Score
	require.Greater(t, s.offered(t, s.shopper().bought(0, "A").looked(5, "B"), 50, "B").Score, before)
	require.Equal(t, before, s.offered(t, s.shopper().looked(0, "B").bought(5, "A"), 50, "B").Score, "the order came after it")
}

// The same shop, told in another order, offers the same, equals by their ids.
func TestOffersDoNotHangOnTheOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, other := newShop(), newShop()
		other.cfg.Rank = ByProbability
		one.cfg.Rank = ByProbability
		n := rapid.IntRange(2, 60).Draw(t, "items") // beyond a shelf, and beyond the best sellers
		id := rapid.Custom(func(t *rapid.T) string { return string(rune('a' + rapid.IntRange(0, n-1).Draw(t, "id"))) })
		some := rapid.SliceOfNDistinct(id, 1, min(n, 4), rapid.ID)
		lives := rapid.SliceOfN(rapid.SliceOfN(some, 1, 3), 1, 30).Draw(t, "lives")
		for _, l := range lives {
			one.sold(1, l...)
		}
		for _, l := range rapid.Permutation(lives).Draw(t, "otherwise") {
			other.sold(1, l...)
		}
		own := rapid.SliceOfN(some, 1, 4).Draw(t, "own")
		want, got := one.shopper(), other.shopper()
		for i, b := range own {
			one.orders, other.orders = 1000+i, 1000+i
			want.bought(float64(i), b...)
			got.bought(float64(i), b...)
		}
		all := one.offers(want, 50, 10)
		require.Equal(t, all, other.offers(got, 50, 10))
		require.True(t, slices.IsSortedFunc(all, func(a, b score.Offer) int { return byRank(a, b, func(o score.Offer) float64 { return o.Score }) }))
	})
}

// Offers writes over what out held, and allocates nothing once its memory has
// grown.
func TestOffersAreWrittenIntoOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, c := drawn(t)
		other, d := drawn(t)
		used := other.offers(d, 50, 10)
		want := s.offers(c, 50, 5)
		got := s.recommender().Offers(c.Ledger, s.model, days(50), 5, used)
		require.Equal(t, copied(want), copied(got))
	})
}

// copied are the offers, without a difference between no rules and none.
func copied(offers []score.Offer) []score.Offer {
	out := append([]score.Offer{}, offers...)
	for i := range out {
		out[i].Because = append([]score.Because{}, out[i].Because...)
	}
	return out
}

func TestOffersDoNotAllocate(t *testing.T) {
	s := steppingShop()
	s.cfg.PerCategory = 2
	c := s.shopper().bought(0, "x1", "y2", "z1").bought(3, "x2").bought(9, "x2").looked(10, "y3", "z2").carted(11, "y1")
	r := s.recommender()
	out := r.Offers(c.Ledger, s.model, days(50), 10, nil)
	require.Greater(t, len(out), 3)
	require.Zero(t, testing.AllocsPerRun(100, func() { out = r.Offers(c.Ledger, s.model, days(50), 10, out) }))
	var l Lesson
	order := hashesOf([]string{"x1", "z2", "y3"})
	require.Zero(t, testing.AllocsPerRun(100, func() { r.Study(c.Ledger, s.model, days(50), order, &l) }))
	require.NotEmpty(t, l.Examples)
}

func TestConfigNamesEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := Config{Rank: "best", PerCategory: -1, DueShare: 11, Audience: -1, Judged: 2}
	require.EqualError(t, bad.Validate(), `rank: "best" is neither value nor probability
per_category: -1 is outside 0 to 100
due_share: 11 is outside 0 to 10
audience: -1 is outside 0 to 10000
judged: 2 is outside 0 to 1`)
}
