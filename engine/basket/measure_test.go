package basket_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

// cells is the table of four counts: both, only A, only B, neither.
func cells(both, a, b, neither float64) basket.Table2 {
	return basket.Table2{Both: both, A: both + a, B: both + b, N: both + a + b + neither}
}

func TestMeasures(t *testing.T) {
	for _, c := range []struct {
		name string
		basket.Table2
		support, confidence, lift, leverage, conviction, cosine, llr, chance float64
	}{
		// Dunning 1993, table 1: "the swiss", and the bigram after it.
		{"Dunning's bigram", cells(110, 2442, 111, 29114), .0034616232, .0431034483, 6.1977298, .0029030923, 1.0377771, .1464725, 270.72, math.NaN()},
		{"made to be together", cells(10, 0, 0, 90), .1, 1, 10, .09, math.Inf(1), 1, 65.016594, 7.4e-16},
		{"nothing to do with each other", cells(8, 12, 32, 48), .08, .4, 1, 0, 1, .2828427, 0, 1},
		{"never together", cells(0, 50, 50, 0), 0, 0, 0, -.25, .5, 0, 138.629436, math.NaN()},
		// The four cells' terms k·ln(k·N/(row·column)) by hand: 60·ln(60·200/(80·100)) = 24.32791,
		// 20·ln(20·200/(80·100)) = −13.86294, 40·ln(40·200/(120·100)) = −16.21860, 80·ln(80·200/(120·100)) = 23.01457.
		{"by hand", cells(60, 20, 40, 80), .3, .75, 1.5, .1, 2, .6708204, 34.521881, 4.22e-9},
	} {
		t.Run(c.name, func(t *testing.T) {
			same := func(want, got float64, what string) {
				if math.IsInf(want, 1) {
					require.True(t, math.IsInf(got, 1), what)
					return
				}
				require.InDelta(t, want, got, 1e-6*math.Max(1, math.Abs(want))+1e-9, what)
			}
			same(c.support, c.Support(), "support")
			same(c.confidence, c.Confidence(), "confidence")
			same(c.lift, c.Lift(), "lift")
			same(c.leverage, c.Leverage(), "leverage")
			same(c.conviction, c.Conviction(), "conviction")
			same(c.cosine, c.Cosine(), "cosine")
			require.InDelta(t, c.llr, c.LLR(), .005, "LLR")
			if !math.IsNaN(c.chance) {
				require.InEpsilon(t, c.chance, c.Chance(), .02, "chance")
			}
		})
	}
}

// 5 % and 1 % of a χ² of one degree lie beyond 3.841 and 6.635.
func TestChanceIsThatOfChiSquare(t *testing.T) {
	for _, c := range []struct{ llr, chance float64 }{{3.841, .05}, {6.635, .01}, {10.828, .001}} {
		lo, hi := 25., 50. // by how many of 100 are both, with both margins 50 of 100
		for range 60 {
			if mid := (lo + hi) / 2; (basket.Table2{Both: mid, A: 50, B: 50, N: 100}).LLR() < c.llr {
				lo = mid
			} else {
				hi = mid
			}
		}
		require.InEpsilon(t, c.chance, basket.Table2{Both: lo, A: 50, B: 50, N: 100}.Chance(), .001)
	}
}

func TestMeasuresOfAnyTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(label string) float64 { return float64(rapid.IntRange(0, 1000).Draw(t, label)) }
		v := cells(1+n("both"), n("a"), n("b"), n("neither"))
		require.GreaterOrEqual(t, v.LLR(), 0.)
		back := basket.Table2{Both: v.Both, A: v.B, B: v.A, N: v.N}
		for name, f := range map[string]func(basket.Table2) float64{
			"support": basket.Table2.Support, "lift": basket.Table2.Lift, "leverage": basket.Table2.Leverage, "cosine": basket.Table2.Cosine, "LLR": basket.Table2.LLR,
		} {
			require.InDelta(t, f(v), f(back), 1e-7*(1+math.Abs(f(v))), "%s is the same both ways", name)
		}
		require.Equal(t, v.Lift() > 1+1e-12, v.Leverage() > 1e-12*v.Support(), "lift and leverage agree")
		if v.A > v.Both && v.B < v.N {
			require.Equal(t, v.Lift() > 1+1e-9, v.Conviction() > 1+1e-9*v.B/(v.N-v.B), "lift and conviction agree")
		}
		require.LessOrEqual(t, v.Strength(10), v.Confidence())
		require.InDelta(t, v.Confidence()-v.B/v.N, v.Strength(0), 1e-12)

		rows, columns := 1+n("rows"), 1+n("columns") // A independent of B
		share := rapid.Float64Range(.01, .99).Draw(t, "share")
		free := cells(rows*columns*share, rows*(1000-columns)*share, (1000-rows)*columns*share, (1000-rows)*(1000-columns)*share)
		if rows <= 1000 && columns <= 1000 {
			require.InDelta(t, 0, free.LLR(), 1e-6*(1+free.N/1e3))
			require.InDelta(t, 1, free.Lift(), 1e-9)
		}
	})
}

func TestStrengthBelievesTheManyMore(t *testing.T) {
	require.InDelta(t, .9*3/13, basket.Table2{Both: 3, A: 3, B: 100, N: 1000}.Strength(10), 1e-12)
	require.InDelta(t, .9*300/310, basket.Table2{Both: 300, A: 300, B: 100, N: 1000}.Strength(10), 1e-12)
	require.InDelta(t, -.1*3/13, basket.Table2{Both: 0, A: 3, B: 100, N: 1000}.Strength(10), 1e-12)
	require.Zero(t, basket.Table2{B: 5, N: 10}.Strength(0))
	require.Zero(t, basket.Table2{A: 1, B: 5}.Strength(0))
}
