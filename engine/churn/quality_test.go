package churn

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJudgeByHand(t *testing.T) {
	q := Judge([]Outcome{{P: 0.9, Churned: true}, {P: 0.6}, {P: 0.6, Churned: true}, {P: 0.2}})
	require.Equal(t, 4, q.N)
	require.Equal(t, 0.5, q.Base)
	require.InDelta(t, 0.575, q.MeanP, 1e-15)
	require.InDelta(t, 0.075, q.InTheLarge, 1e-15)
	require.InDelta(t, 3.5/4, q.AUC, 1e-15)
	require.InDelta(t, (0.01+0.36+0.16+0.04)/4, q.Brier, 1e-15)
	require.InDelta(t, -(math.Log(0.9)+math.Log(0.4)+math.Log(0.6)+math.Log(0.8))/4, q.LogLoss, 1e-15)
	require.Equal(t, 1.0, q.Caught[9])
	require.Equal(t, 1.0, q.Lift[9])
	require.Zero(t, q.MaxGap, "no bin has 200")

	q = Judge([]Outcome{{P: 0, Churned: true}, {P: 1}})
	require.InDelta(t, -math.Log(1e-6), q.LogLoss, 1e-9)
	require.Equal(t, 1.0, q.Brier)
	require.Zero(t, q.AUC)

	// A weight of three is three outcomes.
	q = Judge([]Outcome{{P: 0.9, Churned: true, Weight: 3}, {P: 0.3}})
	require.Equal(t, 0.75, q.Base)
	require.InDelta(t, (3*0.01+0.09)/4, q.Brier, 1e-15)
}

// Twenty outcomes: two a decile, the upper six churned.
func TestDecilesByHand(t *testing.T) {
	var all []Outcome
	for i := range 20 {
		all = append(all, Outcome{P: float64(i) / 20, Churned: i >= 14})
	}
	q := Judge(all)
	for b, bin := range q.Deciles {
		require.Equal(t, 2, bin.N)
		require.InDelta(t, (float64(b)*2+0.5)/20, bin.Mean, 1e-15)
		require.Equal(t, b >= 7, bin.Rate == 1)
	}
	require.InDelta(t, 1.0/3, q.Caught[0], 1e-15)
	require.InDelta(t, 10.0/3, q.Lift[0], 1e-12)
	require.InDelta(t, 1, q.Caught[2], 1e-15)
	require.InDelta(t, 2, q.Lift[4], 1e-12)
}

// Published: 1 of 10 has the interval .0179 to .4042.
func TestWilson(t *testing.T) {
	low, high := Wilson(0.1, 10)
	require.InDelta(t, 0.0179, low, 1e-4)
	require.InDelta(t, 0.4042, high, 1e-4)
	low, high = Wilson(0, 100)
	require.Zero(t, low)
	require.InDelta(t, 0.0370, high, 1e-4)
}

// Everybody alike: ties are spread, no bin is worse than another.
func TestTiesAreSpread(t *testing.T) {
	var all []Outcome
	for i := range 3000 {
		all = append(all, Outcome{P: 0.25, Churned: i%4 == 0})
	}
	q := Judge(all)
	require.Equal(t, 0.5, q.AUC)
	require.InDelta(t, 0, q.MaxGap, 1e-12)
	require.InDelta(t, 1, q.Lift[0], 1e-12)
}

func allFinite(t require.TestingT, v reflect.Value) {
	switch v.Kind() {
	case reflect.Float64:
		require.True(t, finite(v.Float()))
	case reflect.Struct:
		for i := range v.NumField() {
			allFinite(t, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			allFinite(t, v.Index(i))
		}
	}
}

func TestJudgeIsFinite(t *testing.T) {
	for _, all := range [][]Outcome{
		nil,
		{{P: 0.4}},
		{{P: 0.4, Churned: true}},
		{{P: 1, Churned: true}, {P: 1, Churned: true}},
		{{P: 0}, {P: 0}, {P: 0.2}},
		{{P: math.NaN()}, {P: 0.3, Weight: -1}, {P: 0.3, Weight: math.NaN()}, {P: 0.3, Weight: math.Inf(1)}},
		{{P: math.Inf(1)}, {P: -7, Churned: true, Weight: 1e-99}, {P: 0.5, Weight: 1e99}},
	} {
		allFinite(t, reflect.ValueOf(Judge(all)))
	}
	require.Equal(t, Quality{AUC: 0.5}, Judge(nil))
	require.Equal(t, 4, Judge([]Outcome{{P: math.NaN()}, {P: 0.3, Weight: -1}, {P: 1, Weight: math.NaN()}, {P: 1, Weight: math.Inf(1)}}).Invalid)
}

// AUC against all pairs, and the rest against plain sums, in any order.
func TestJudgeEqualsPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Outcome {
			return Outcome{
				P: float64(rapid.IntRange(0, 12).Draw(t, "p")) / 12, Churned: rapid.Bool().Draw(t, "churned"),
				Weight: rapid.SampledFrom([]float64{0, 1, 0.5, 3}).Draw(t, "weight"),
			}
		}), 1, 80).Draw(t, "all")
		q := Judge(all)
		allFinite(t, reflect.ValueOf(q))
		var won, pairs, count float64
		for _, a := range all {
			for _, b := range all {
				if !a.Churned || b.Churned {
					continue
				}
				w := cmpOr(a.Weight) * cmpOr(b.Weight)
				pairs += w
				if a.P > b.P {
					won += w
				} else if a.P == b.P {
					won += w / 2
				}
			}
		}
		if pairs > 0 {
			require.InDelta(t, won/pairs, q.AUC, 1e-12)
		} else {
			require.Equal(t, 0.5, q.AUC)
		}
		n := 0
		for b, bin := range q.Deciles {
			n += bin.N
			require.LessOrEqual(t, math.Abs(float64(bin.N)-float64(q.N)/10), 1.0)
			require.True(t, bin.Low <= bin.Rate && bin.Rate <= bin.High)
			count += bin.Rate
			if b > 0 && bin.N > 0 && q.Deciles[b-1].N > 0 {
				require.GreaterOrEqual(t, bin.Mean, q.Deciles[b-1].Mean-1e-12)
				require.GreaterOrEqual(t, q.Caught[b], q.Caught[b-1])
			}
		}
		require.Equal(t, len(all), n)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		require.Equal(t, q, Judge(all))
	})
}

func cmpOr(w float64) float64 {
	if w == 0 {
		return 1
	}
	return w
}

// A model fitted on well-specified data is calibrated in every decile.
func TestFittedModelIsCalibrated(t *testing.T) {
	w := truth{bias: 0.4, weights: []float64{0.6, -0.4, 0.2}, columns: 8, common: 0.3, each: 4}
	m := mustFit(t, simulate(20, 20_000, w), Options{})
	held := simulate(21, 40_000, w)
	all := make([]Outcome, len(held))
	for i, r := range held {
		all[i] = Outcome{P: m.Probability(r.Offset, r.X), Churned: r.Churned}
	}
	q := Judge(all)
	for _, bin := range q.Deciles {
		require.Equal(t, 4000, bin.N)
		require.InDelta(t, bin.Rate, bin.Mean, 0.03)
	}
	require.Less(t, q.MaxGap, 0.03)
	require.Less(t, q.ECE, 0.015)
	require.InDelta(t, logLoss(held, m), q.LogLoss, 1e-4)
}
