package churn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBaseline(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, churned := make([]float64, 20_000), make([]bool, 20_000)
	var byX, byP []Outcome
	for i := range x {
		x[i] = math.Log1p(r.ExpFloat64() * 90)
		churned[i] = r.Float64() < Logistic(-3+0.9*x[i])
	}
	c, err := FitBaseline(x, churned)
	require.NoError(t, err)
	require.InDelta(t, -3, c.Bias, 0.15)
	require.InDelta(t, 0.9, c.Weight, 0.05)
	for i := range x {
		byX = append(byX, Outcome{P: x[i] / 10, Churned: churned[i]})
		byP = append(byP, Outcome{P: c.P(x[i]), Churned: churned[i]})
	}
	require.InDelta(t, Judge(byX).AUC, Judge(byP).AUC, 1e-12)
	require.Less(t, Judge(byP).MaxGap, 0.03)

	slices.Reverse(x)
	slices.Reverse(churned)
	again, err := FitBaseline(x, churned)
	require.NoError(t, err)
	require.Equal(t, c, again)
}

func TestBaselineRefuses(t *testing.T) {
	_, err := FitBaseline([]float64{1}, nil)
	require.ErrorContains(t, err, "1 values and 0 outcomes")
	_, err = FitBaseline(make([]float64, 100), make([]bool, 100))
	require.ErrorIs(t, err, ErrTooFew)
	require.ErrorContains(t, err, "0 churned and 100 stayed")
	x, churned := make([]float64, 100), make([]bool, 100)
	for i := range 50 {
		churned[i] = true
	}
	c, err := FitBaseline(x, churned) // a constant feature
	require.NoError(t, err)
	require.InDelta(t, 0.5, c.P(0), 1e-9)
	for i := range x {
		x[i] = float64(i) // separable
	}
	c, err = FitBaseline(x, churned)
	require.NoError(t, err)
	require.True(t, finite(c.Weight) && c.Weight < 0)
	x[3] = math.NaN()
	_, err = FitBaseline(x, churned)
	require.ErrorContains(t, err, "value 3 is not a number")
}
