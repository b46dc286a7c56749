package rhythm

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The tables agree with package math.
func TestPower(t *testing.T) {
	check := func(t require.TestingT, u, x float64) {
		want := math.Log(1 + u)
		require.InDelta(t, want, ln(1+u), 1e-15*max(1, want), "ln(1+%g)", u)
		require.InEpsilon(t, math.Exp(x), exp(x), 1e-15, "exp(%g)", x)
	}
	for _, u := range []float64{0, 1e-300, 1e-16, 1. / 128, 1 - 1e-16, 1, 3, 1e18, 1e300} {
		check(t, u, 0)
	}
	for i := range 200_000 {
		f := float64(i) / 200_000
		check(t, math.Exp(f*60-30), -700*f)
	}
	check(t, 1, -700)
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Float64Range(0, 1e12).Draw(t, "u"), rapid.Float64Range(-700, 0).Draw(t, "x"))
	})
}
