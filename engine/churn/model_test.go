package churn

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogit(t *testing.T) {
	m := &Model{Bias: 0.5, Weights: []float64{2, -1}, Lo: []float64{0, -1}, Hi: []float64{1, 1}, Mean: []float64{0.25, 0}}
	require.NoError(t, m.Check(2))
	require.InDelta(t, 0.1+0.5+2*0.5+1*0.5, m.Logit(0.1, []float64{0.5, -0.5}), 1e-15)
	require.InDelta(t, 0.1+0.5+2*1-1*1, m.Logit(0.1, []float64{9, 9}), 1e-15)
	require.InDelta(t, 0.5+2*0.25, m.Logit(0, []float64{math.NaN(), math.NaN()}), 1e-15)
	require.Equal(t, 0.7, (*Model)(nil).Logit(0.7, nil))
	x := []float64{0.3, 0.3}
	require.Zero(t, testing.AllocsPerRun(100, func() { m.Logit(0.2, x) }))
}

func TestLogOdds(t *testing.T) {
	for _, p := range []float64{1e-8, 0.1, 0.5, 0.999} {
		require.InEpsilon(t, p, Logistic(LogOdds(p)), 1e-9)
	}
	require.Equal(t, -20.0, LogOdds(0))
	require.Equal(t, 20.0, LogOdds(1))
	require.Equal(t, 0.0, Logistic(-1e9))
	require.Equal(t, 1.0, Logistic(1e9))
}

func TestCheck(t *testing.T) {
	good := func() *Model {
		return &Model{Weights: make([]float64, 2), Lo: make([]float64, 2), Hi: make([]float64, 2), Mean: make([]float64, 2)}
	}
	require.NoError(t, good().Check(2))
	require.ErrorContains(t, good().Check(3), "2 columns, want 3")
	m := good()
	m.Weights[1] = math.NaN()
	require.ErrorContains(t, m.Check(2), "column 1 holds NaN")
	m = good()
	m.Lo[0] = 1
	require.ErrorContains(t, m.Check(2), "column 0 is clamped to 1 to 0")
	m = good()
	m.Bias = math.Inf(1)
	require.ErrorContains(t, m.Check(2), "bias is +Inf")
}
