package quality

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// wins is the kernel of Mann and Whitney.
func wins(left, stayed float64) float64 {
	switch {
	case left > stayed:
		return 1
	case left == stayed:
		return 0.5
	}
	return 0
}

// plainDeLong is written as in the paper: components by pairs, and the matrices
// of their covariances.
func plainDeLong(customers []scored) (a, b, variance float64) {
	var x, y [][2]float64 // who left, who stayed
	for _, c := range customers {
		if c.left {
			x = append(x, [2]float64{c.a, c.b})
		} else {
			y = append(y, [2]float64{c.a, c.b})
		}
	}
	m, n := float64(len(x)), float64(len(y))
	v10, v01 := make([][2]float64, len(x)), make([][2]float64, len(y))
	var theta [2]float64
	for k := range theta {
		for i := range x {
			for j := range y {
				w := wins(x[i][k], y[j][k])
				v10[i][k] += w / n
				v01[j][k] += w / m
				theta[k] += w / m / n
			}
		}
	}
	covariance := func(v [][2]float64, r, s int) float64 {
		sum := 0.0
		for i := range v {
			sum += (v[i][r] - theta[r]) * (v[i][s] - theta[s])
		}
		return sum / float64(len(v)-1)
	}
	s := func(r, q int) float64 { return covariance(v10, r, q)/m + covariance(v01, r, q)/n }
	return theta[0], theta[1], s(0, 0) + s(1, 1) - 2*s(0, 1)
}

func TestDeLongIsThePlainOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		score := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.2, 0.5, 1})) // with ties
		customers := make([]scored, rapid.IntRange(4, 60).Draw(rt, "n"))
		for i := range customers {
			customers[i] = scored{score.Draw(rt, "a"), score.Draw(rt, "b"), i%2 == 0 || rapid.Bool().Draw(rt, "left") && i > 3}
		}
		a, b, variance := plainDeLong(customers)
		got := delong(customers)
		require.InDelta(rt, a-b, got.AUC, 1e-12)
		half := 1.96 * math.Sqrt(max(variance, 0))
		require.InDelta(rt, a-b-half, got.Low, 1e-7) // the plain variance of two like scores is 0 but for rounding
		require.InDelta(rt, a-b+half, got.High, 1e-7)

		for i := range customers {
			customers[i].a, customers[i].b = customers[i].b, customers[i].a
		}
		back := delong(customers)
		require.InDelta(rt, -got.Low, back.High, 1e-12)
		require.InDelta(rt, -got.High, back.Low, 1e-12)
	})
}

// Two who left and two who stayed, by hand. Score a ranks all right. Score b puts
// one who stayed above one who left: the placements are 1 and 1/2 of those who
// left, 1/2 and 1 of those who stayed. The differences are 0 and 1/2 in either
// class: mean 1/4, variance 1/8, so the variance of the lead is 1/16 + 1/16.
func TestDeLongByHand(t *testing.T) {
	got := delong([]scored{{0.9, 0.9, true}, {0.8, 0.4, true}, {0.3, 0.5, false}, {0.1, 0.1, false}})
	require.InDelta(t, 0.25, got.AUC, 1e-12)
	require.InDelta(t, 0.25-1.96*math.Sqrt(0.125), got.Low, 1e-12)
	require.InDelta(t, 0.25+1.96*math.Sqrt(0.125), got.High, 1e-12)
}

// The lead is what the AUCs of the table differ by.
func TestLeadIsTheDifferenceOfTheAUCs(t *testing.T) {
	r, cases := new(Report), drawn(rand.New(rand.NewPCG(1, 2)), 400, 0.3)
	r.Judge(cases)
	require.Nil(t, r.Churn[0].Lead)
	require.InDelta(t, r.Churn[0].AUC-r.Churn[1].AUC, r.Churn[1].Lead.AUC, 1e-12)
}

// Of scores that are equally good, about 5 in 100 are called different; an
// interval that took them for independent would call next to none.
func TestIntervalOfTheLeadCovers(t *testing.T) {
	const rounds = 1000
	rng, missed := rand.New(rand.NewPCG(7, 0)), 0
	for range rounds {
		r := new(Report)
		r.Judge(drawn(rng, 200, 0.3))
		if l := r.Churn[1].Lead; l.Low > 0 || l.High < 0 {
			missed++
		}
	}
	require.InDelta(t, 0.05, float64(missed)/rounds, 0.025)
}

// drawn are customers whose two scores see the same truth, each with noise of
// its own.
func drawn(rng *rand.Rand, n int, noise float64) []Case {
	cases := make([]Case, n)
	for i := range cases {
		truth := rng.NormFloat64()
		p := func() float64 { return 1 / (1 + math.Exp(-truth-noise*rng.NormFloat64())) }
		cases[i] = Case{Probability: p(), Rivals: []Rival{{Name: "rival", Probability: p()}}}
		if rng.Float64() > 1/(1+math.Exp(-truth)) {
			cases[i].Ordered = 1
		}
	}
	return cases
}

func TestLeadOfTooFew(t *testing.T) {
	require.Nil(t, delong(nil))
	require.Nil(t, delong([]scored{{0.1, 0.2, true}, {0.3, 0.4, true}}))
	require.Nil(t, delong([]scored{{0.9, 0.1, true}, {0.5, 0.5, false}, {0.4, 0.4, false}}))
	like := delong([]scored{{0.9, 0.9, true}, {0.5, 0.5, true}, {0.5, 0.5, false}, {0.4, 0.4, false}})
	require.Equal(t, &Lead{}, like)
}
