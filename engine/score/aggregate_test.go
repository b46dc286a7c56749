package score

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// Adding, taking away and merging, in any order, is building it anew.
func TestAggregateIsLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) []Emission {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Emission {
				em := drawEmission(t)
				em.LastDay = rapid.Int32Range(20000, 20400).Draw(t, "last day")
				em.Monetary = event.Micro(rapid.Int64Range(0, 1e9).Draw(t, "m"))
				em.Frequency = rapid.Uint32Range(0, 300).Draw(t, "frequency")
				return em
			}), 0, 20).Draw(t, label)
		}
		stay, gone, other := draw("stay"), draw("gone"), draw("other")
		a, b, want := NewAggregate(), NewAggregate(), NewAggregate()
		for i := range gone {
			a.Add(&gone[i])
		}
		for i := range stay {
			a.Add(&stay[i])
			want.Add(&stay[i])
		}
		for i := range other {
			b.Add(&other[i])
			want.Add(&other[i])
		}
		a.Merge(b)
		for i := range gone {
			a.Remove(&gone[i])
		}
		require.Equal(t, want.Cuts(20500), a.Cuts(20500))
		got := a.Population(1, Cuts{})
		require.Equal(t, want.Population(1, Cuts{}), got)
		levels, moves := plainRelations(append(stay, other...))
		require.Equal(t, levels, got.Levels)
		require.Equal(t, Profile(levels), got.Profile)
		require.Equal(t, moves, got.Migrations)
	})
}

// plainRelations counts levels and migrations one customer after another.
func plainRelations(ems []Emission) (levels [4]int, moves map[string]map[string]int) {
	moves = map[string]map[string]int{}
	for _, em := range ems {
		levels[min(em.Level, 3)]++
		if from := em.PreviousSegment; em.Buyer && from != "" {
			if moves[from] == nil {
				moves[from] = map[string]int{}
			}
			moves[from][em.Segment]++
		}
	}
	return levels, moves
}

func TestNobodyDoesNotCount(t *testing.T) {
	a := NewAggregate()
	a.Add(&Emission{})
	a.Add(&Emission{Version: 9, AsOf: epoch}) // erased
	require.Zero(t, a.Population(0, Cuts{}).Customers)
}

func TestConfigReportsEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := DefaultConfig()
	bad.RFM.WindowDays, bad.Journey.DormantDays, bad.HorizonDays = -1, 0, 0
	bad.BandLimits, bad.ProbabilityStep, bad.OverdueAt, bad.Offers = [2]float64{0.7, 0.4}, 0, 1, 9
	bad.RFM.Cuts = "x"
	for _, want := range []string{
		"rfm.window_days: -1", `rfm.cuts: "x"`, "journey.dormant_days: 0", "horizon_days: 0", "band_limits: [0.7 0.4]",
		"probability_step: 0", "overdue_at: 1", "offers: 9",
	} {
		require.ErrorContains(t, bad.Validate(), want)
	}
	bad = DefaultConfig()
	bad.BandMargin = 0.3
	require.ErrorContains(t, bad.Validate(), "band_margin: 0.3")
}
