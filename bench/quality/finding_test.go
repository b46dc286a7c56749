package quality

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func say(r *Report) string { return strings.Join(Findings(r), "\n") }

func TestFindingsOfTheTopTenth(t *testing.T) {
	r := example()
	require.Contains(t, say(r), "Of 100 customers that dangol put in the top tenth by churn risk, more than 99 did not order in the next 91 days; on average 87 of 100 did not, in the bottom tenth 53.")
	require.Contains(t, say(r), "For comparison: ranked by recency alone, 99 of 100 in the top tenth did not order, in the bottom tenth 59; by frequency alone, 98 and 63; by MBG/NBD, 99 and 55.")
}

// Tenths that come the safest first are turned round.
func TestTenthsFromEitherEnd(t *testing.T) {
	a, b := example(), example()
	for i := range b.Churn {
		slices.Reverse(b.Churn[i].Deciles[:])
	}
	slices.Reverse(b.Orders.ByDecile[:])
	slices.Reverse(b.Value.ByDecile[:])
	require.Equal(t, say(a), say(b))
	require.True(t, htmlOf(t, a) == htmlOf(t, b))
}

func TestASmallSampleIsSaid(t *testing.T) {
	for _, c := range []struct {
		buyers, left int
		want         string
	}{
		{0, 0, "Nobody could be judged"},
		{150, 75, "Only 150 customers were judged"},
		{500, 29, "Only 29 of the 500 customers judged left"},
		{500, 480, "Only 20 of the 500 customers judged stayed"},
		{500, 0, "All 500 customers judged ordered again"},
		{500, 500, "None of the 500 customers judged ordered again"},
	} {
		r := example()
		r.Data.Buyers, r.Data.Churned = c.buyers, c.left
		require.Contains(t, Findings(r)[0], c.want)
	}
	require.NotContains(t, say(example()), "Only")
}

func TestWhereABaselineWinsItIsSaid(t *testing.T) {
	r := example()
	r.Churn[1].AUC, r.Churn[1].Lead = 0.9, &Lead{-.088, -.095, -.081}
	require.Contains(t, say(r), "dangol ranks worse than recency alone: given one customer who left and one who stayed, it called the one who left riskier 81.2 times in 100, against 90.0. "+
		"It is behind by 8.8 (95 % interval 8.1 to 9.5): more than chance explains. On this data the simpler score is the better one.")
	require.Equal(t, "recency alone tells who leaves better than dangol does", r.headVersus())
	r.Orders.Models[1].MAE = 0.2
	require.Contains(t, say(r), "MBG/NBD came closer.")
	r.NextBest.Models[2].All.PHR10 = 0.5
	require.Contains(t, say(r), "“bestsellers” found more.")
	r.Churn[3].Brier = 0.08
	require.Contains(t, say(r), "The probabilities of dangol were further from what happened than those of MBG/NBD")
}

// What judged nobody is not spoken of, whatever its zeros say.
func TestNobodyJudged(t *testing.T) {
	r := &Report{Churn: []Judged{{Name: "dangol", AUC: 0.5}, {Name: "recency only", AUC: 0.5}}}
	require.Equal(t, []string{"Nobody could be judged: no customer had ordered before the cut."}, Findings(r))
	require.Empty(t, r.sections())
}

func TestVerdicts(t *testing.T) {
	a, nan := Judged{AUC: 0.8}, math.NaN()
	for _, c := range []struct {
		lead *Lead
		want verdict
	}{
		{&Lead{.1, .05, .15}, better},
		{&Lead{.006, .001, .011}, better},
		{&Lead{.1, -.05, .25}, open},
		{&Lead{.001, -.01, .012}, open},
		{&Lead{-.1, -.25, .05}, open},
		{&Lead{.001, -.002, .004}, level},
		{&Lead{.003, .002, .004}, level}, // certain, and for nothing
		{&Lead{-.1, -.15, -.05}, worse},
		{&Lead{.1, nan, nan}, unclear},
		{nil, unclear},
	} {
		require.Equal(t, c.want, compare(&a, &Judged{AUC: 0.7, Lead: c.lead}), c.lead)
	}
	require.Equal(t, unclear, compare(&a, &Judged{AUC: nan, Lead: &Lead{.1, .05, .15}}))
}

func TestVerdictsInWords(t *testing.T) {
	r := example()
	require.Contains(t, say(r), "dangol ranks better than recency alone and frequency alone: given one customer who left and one who stayed, "+
		"it called the one who left riskier 81.2 times in 100, against 77.1 and 74.2. It is ahead by 4.1 (95 % interval 3.5 to 4.7) and 7.0 (6.3 to 7.7): more than chance explains.")
	require.Contains(t, say(r), "dangol ranks neither clearly better nor clearly worse than MBG/NBD: ")
	require.Contains(t, say(r), "The difference is 0.6 (95 % interval −0.1 to 1.3): that may be chance.")
	require.Equal(t, "dangol tells who leaves better than recency alone and frequency alone, but not clearly better than MBG/NBD", r.headVersus())
	r.Churn[3].Lead = &Lead{.001, -.001, .003}
	require.Contains(t, say(r), "dangol ranks as well as MBG/NBD: ")
	require.Contains(t, say(r), "The difference is 0.1 (95 % interval −0.1 to 0.3): too little to matter.")
}

func TestProbabilitiesThatSayNothing(t *testing.T) {
	r := example()
	r.Churn[0].Brier = 0.12 // of a constant: 0.1146
	require.NotContains(t, say(example()), "say nothing")
	require.Contains(t, say(r), "The same probability for everybody (87 %) would have been closer")
}

func TestTendency(t *testing.T) {
	j := example().Churn[3] // slants low by 3.4 points
	require.InDelta(t, -0.034, j.bias(), 0.002)
	require.Equal(t, "low", j.tendency())
	require.Contains(t, headReliability(&j), "a little too low")
	j.ECE = 0.2
	require.Empty(t, j.tendency())
}

// Those who stayed are counted from the gains of those who left.
func TestStayed(t *testing.T) {
	j := example().Churn[0]
	got, d := j.stayed(), j.tenths()
	sum := 0.0
	for i := range got {
		sum += (1 - d[9-i].Rate) / 10
		require.InDelta(t, sum/(1-j.Base), got[i], 1e-8)
	}
	require.InDelta(t, 1, got[9], 1e-12)
}

func TestFurthestGroupIsLargeEnough(t *testing.T) {
	g, gap := furthest([]Group{{"tiny", 29, 0, 1}, {"a", 30, .5, .6}, {"b", 900, .5, .45}})
	require.Equal(t, "a", g.Name)
	require.InDelta(t, 0.1, gap, 1e-12)
	g, _ = furthest([]Group{{"tiny", 29, 0, 1}})
	require.Nil(t, g)
}
