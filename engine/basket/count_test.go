package basket_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

const catalogue = 9 // items of the properties below: few, so that pairs meet again

// numbers are the items of that catalogue.
var numbers = func() (is []uint64) {
	for i := range uint64(catalogue) {
		is = append(is, i+1)
	}
	return is
}()

// told is all that counts say of a small catalogue.
type told struct {
	Total, Lost [basket.NumKinds]float64
	Count       map[uint64][basket.NumKinds]float64
	Tables      map[[2]uint64][basket.NumKinds]basket.Table2
	Triples     map[[3]uint64]float64
	Pairs       int
	Near        map[uint64][basket.NumKinds]map[uint64]float32
}

func tell(c *basket.Counts, ids []uint64) told {
	x := told{
		Count: map[uint64][basket.NumKinds]float64{}, Tables: map[[2]uint64][basket.NumKinds]basket.Table2{},
		Triples: map[[3]uint64]float64{}, Pairs: c.Pairs(), Near: map[uint64][basket.NumKinds]map[uint64]float32{},
	}
	c.Settle()
	for i, a := range ids {
		var counts [basket.NumKinds]float64
		var near [basket.NumKinds]map[uint64]float32
		for k := range basket.Kind(basket.NumKinds) {
			x.Total[k], x.Lost[k], counts[k] = c.Total(k), c.LostPairs(k), c.Count(k, a)
			near[k] = map[uint64]float32{}
			var buf [basket.MaxNear]basket.Near
			for _, n := range c.Near(k, c.Ref(a), &buf) {
				near[k][c.Item(n.To)] = n.Strength
			}
		}
		x.Count[a], x.Near[a] = counts, near
		for j, b := range ids {
			var tables [basket.NumKinds]basket.Table2
			for k := range basket.Kind(basket.NumKinds) {
				tables[k] = c.Table2(k, a, b)
			}
			x.Tables[[2]uint64{a, b}] = tables
			for _, d := range ids[min(i, j)+1:] {
				if a != b && b != d {
					x.Triples[[3]uint64{a, b, d}] = c.Triple(d, a, b)
				}
			}
		}
	}
	return x
}

// Rows of every kind, added and taken away in any order, also such as never
// came: the counts are those of maps. Under decay the maps are told what a row
// counts, and rounding is allowed for.
func TestCountsAreThoseOnPaper(t *testing.T) {
	check := func(t *rapid.T, cfg basket.Config, begin, span int64, weight func(int64) float64, tolerance float64) {
		c, p := basket.New(cfg), newOnPaper()
		near := func(want, got float64) {
			require.InDelta(t, want, got, tolerance)
		}
		for _, r := range rapid.SliceOfN(rows(catalogue, begin, span), 0, 60).Draw(t, "rows") {
			sign := rapid.SampledFrom([]int{1, 1, -1}).Draw(t, "sign")
			c.Apply(&r, sign)
			p.row(&r, float64(sign)*weight(r.At))
		}
		c.Advance(begin + span)
		x := tell(c, numbers)
		for k := range basket.Kind(basket.NumKinds) {
			near(p.total[k], x.Total[k])
			for a := uint64(1); a <= catalogue; a++ {
				near(p.left[k][a], x.Count[a][k])
				for b := uint64(1); b <= catalogue; b++ {
					want, got := p.table(k, a, b), x.Tables[[2]uint64{a, b}][k]
					near(want.Both, got.Both)
					near(want.Both, c.Pair(k, a, b))
					near(want.N, got.N)
					near(want.A, got.A)
					near(want.B, got.B)
				}
			}
		}
		for k, got := range x.Triples {
			slices.Sort(k[:])
			near(p.triples[k], got)
		}
	}
	t.Run("plain", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			check(t, plain(), 1, 1e9, func(int64) float64 { return 1 }, 0)
		})
	})
	t.Run("decayed", func(t *testing.T) {
		cfg := plain()
		cfg.HalfLife = 10 * time.Hour
		const begin, span = 4e11, 300 * hourMS
		weight := weigher(cfg, begin+span)
		rapid.Check(t, func(t *rapid.T) { check(t, cfg, begin, span, weight, 1e-8) })
	})
}

// A row counts half as much a half-life later.
func TestHalfLife(t *testing.T) {
	cfg := plain()
	cfg.HalfLife = 180 * 24 * time.Hour
	for _, now := range []int64{1e12, 1.7e12, 5e12} {
		weight := weigher(cfg, now)
		for _, halves := range []float64{0, .1, .5, 1, 1.7, 2, 5, 20} {
			age := halves * float64(cfg.HalfLife.Milliseconds())
			require.InEpsilon(t, math.Exp2(-halves), weight(now-int64(age)), .015, "%g half-lives", halves)
		}
	}
	cfg.HalfLife = 0
	require.Equal(t, 1., weigher(cfg, 5e12)(1))
}

// The same rows in two orders, between them others that go again, also before
// they came: every figure is the same to the last bit, over 30 half-lives and
// across the instants at which weights are scaled down.
func TestOrderMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := plain()
		cfg.HalfLife = rapid.SampledFrom([]time.Duration{0, time.Minute, 7 * 24 * time.Hour, 180 * 24 * time.Hour}).Draw(t, "half-life")
		half := max(1, cfg.HalfLife.Milliseconds())
		begin := half * rapid.SampledFrom([]int64{0, 113, 385, 100_000}).Draw(t, "begin")
		span := max(30*half, 1000)
		stay := rapid.SliceOfN(rows(catalogue, begin, span), 0, 30).Draw(t, "stay")
		pass := rapid.SliceOfN(rows(catalogue+5, begin, span), 0, 30).Draw(t, "pass")
		want := basket.New(cfg)
		var steps []signed
		for _, r := range stay {
			want.Apply(&r, 1)
			steps = append(steps, signed{r, 1})
		}
		for _, r := range pass {
			steps = append(steps, signed{r, 1}, signed{r, -1})
		}
		got := basket.New(cfg)
		for _, s := range rapid.Permutation(steps).Draw(t, "order") {
			got.Apply(&s.Row, s.sign)
		}
		want.Advance(begin + span)
		got.Advance(begin + span)
		require.Equal(t, tell(want, numbers), tell(got, numbers))
	})
}

func TestGiantBasketIsCutAndCounted(t *testing.T) {
	giant := make([]uint64, 100)
	for i := range giant {
		giant[i] = uint64(i + 1)
	}
	c := basket.New(plain())
	add(c, 1, giant)
	require.Equal(t, basket.MaxItems*(basket.MaxItems-1), c.Pairs())
	require.Equal(t, basket.MaxItems, c.Items())
	require.Zero(t, c.Count(basket.SameOrder, basket.MaxItems+1))
	require.Equal(t, 1, c.Giants())
	require.Zero(t, c.Triples(), "it would have too many")
	add(c, -1, giant)
	require.Zero(t, c.Pairs())
	require.Zero(t, c.Giants())
	add(c, 1, giant[:basket.MaxItems-1], giant[:basket.MaxTripleSize])
	require.Zero(t, c.Giants())
	require.Equal(t, 32*31*30/6, c.Triples())
}

func TestCountingKnownPairsDoesNotAllocate(t *testing.T) {
	cfg := plain()
	cfg.HalfLife = 24 * time.Hour
	c := basket.New(cfg)
	row := basket.Row{At: 1e12, To: []uint64{1, 2, 3, 4, 5}}
	next := basket.Row{Kind: basket.NextOrder, At: 1e12, From: row.To[:2], To: row.To}
	c.Apply(&row, 1)
	c.Apply(&next, 1)
	require.Positive(t, c.Bytes())
	var buf [basket.MaxNear]basket.Near
	require.Zero(t, testing.AllocsPerRun(100, func() {
		row.At++
		c.Apply(&row, 1)
		c.Apply(&next, 1)
		c.Near(basket.SameOrder, 1, &buf)
	}))
	require.Len(t, c.Near(basket.SameOrder, c.Ref(1), &buf), 4)
}

// Room of what is gone is used again.
func TestRoomIsUsedAgain(t *testing.T) {
	c := basket.New(plain())
	all := zipf(500, 300, 8, .5, 1)
	add(c, 1, all...)
	add(c, -1, all...)
	require.Zero(t, c.Pairs())
	bytes := c.Bytes()
	slices.Reverse(all)
	add(c, 1, all...)
	require.Less(t, float64(c.Bytes()), 1.2*float64(bytes))
}

func TestConfigNamesEveryFault(t *testing.T) {
	good := basket.DefaultConfig()
	require.NoError(t, good.Validate())
	bad := basket.Config{HalfLife: time.Second, Neighbours: 7, Triples: -1, Prior: -1, Certainty: 1}
	require.EqualError(t, bad.Validate(), `half_life: 1s is neither 0s (no decay) nor within 1m to 876000h
window: 0s is not above 0s and at most 876000h
session_gap: 0s is not above 0s and at most 24h
neighbours: 7 is outside 8 to 65536
triples: -1 is outside 0 to 268435456
min_count: 0 is not above 0 and at most 1000000
prior: -1 is outside 0 to 1000000
certainty: 1 is not between 0 and 1`)
}

func TestKindsHaveNames(t *testing.T) {
	for i, name := range basket.Kinds() {
		k, err := basket.ParseKind(name)
		require.NoError(t, err)
		require.Equal(t, basket.Kind(i), k)
		require.Equal(t, name, k.String())
	}
	_, err := basket.ParseKind("same_day")
	require.EqualError(t, err, `kind of evidence "same_day" is unknown: give same_order, same_session, next_order, same_customer`)
	require.Equal(t, "kind(9)", basket.Kind(9).String())
}
