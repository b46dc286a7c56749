package rhythm

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Why the overdue percentile rests on the closed gaps: with the open gap among
// the evidence it can fall while nothing happens, here by more than a point.
func TestOpenGapAsEvidenceWouldNotBeMonotone(t *testing.T) {
	prior, err := NewPrior(Params{
		R: 0.44, Alpha: 73, A: 0.075, B: 4.9,
		Weights: [Size]float64{.004, .04, 0, .02, 0, 0, 0, 0, .43},
	})
	require.NoError(t, err)
	var q Posterior
	prior.Posterior(History{Repeats: 3, Sum: 60, LnSum: math.Log(14) + math.Log(20) + math.Log(26)}, &q)
	highest, fall := 0.0, 0.0
	for e := 0.0; e < 200; e += 0.5 {
		s, w := 0.0, q.Weights(e)
		for i := range q.comp[:q.n] {
			sk := q.comp[i].survival(e)
			s += w[q.comp[i].i] * sk
		}
		highest = math.Max(highest, 1-s)
		fall = math.Max(fall, highest-(1-s))
	}
	require.Greater(t, fall, 0.01)
}
