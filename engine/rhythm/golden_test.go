package rhythm

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// weeks is MBG/NBD as published: k = 1 alone, times in weeks.
func weeks(t testing.TB) *Prior {
	p, err := NewPrior(Params{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614, Weights: [Size]float64{1}})
	require.NoError(t, err)
	return p
}

// The published figures of MBG/NBD on five CDNOW customers.
func TestAliveOfPublishedCustomers(t *testing.T) {
	for _, c := range []struct {
		id         string
		x          int
		last, till float64 // days
		alive      float64
	}{
		{"0001", 2, 213, 272, .706138},
		{"0002", 1, 12, 272, .170951},
		{"0003", 0, 0, 272, .389723},
		{"0006", 7, 206, 272, .622680},
		{"1516", 26, 216, 217, .965485},
	} {
		var q Posterior
		weeks(t).Posterior(History{Repeats: c.x, Sum: c.last / 7}, &q)
		require.InDelta(t, c.alive, q.Alive((c.till-c.last)/7), 1e-4, c.id)
	}
}

func TestLogLikelihoodOfCDNOW(t *testing.T) {
	p, sum := weeks(t), 0.0
	for _, o := range cdnowSummary(t) {
		sum += p.LogLikelihood(o.History, o.Silence)
	}
	require.InDelta(t, -9582.14, sum, 0.02)
}

// pizza is a customer who ordered every three weeks, ten times.
func pizza() History {
	return History{Repeats: 9, Sum: 9 * 21, LnSum: 9 * math.Log(21)}
}

// Silent for five weeks, a regular is overdue although the population's own
// rhythm would not raise an eyebrow.
func TestRegularCustomerIsMissed(t *testing.T) {
	var q Posterior
	Default().Posterior(pizza(), &q)
	require.GreaterOrEqual(t, q.Overdue(35), 0.95)
	require.LessOrEqual(t, q.Alive(35), 0.25)
	require.Greater(t, q.Alive(14), 0.9)
	require.InDelta(t, 21, q.NextGap(0), 1)
	at := q.Reach(0, 0.9)
	require.Greater(t, at, int64(21*DayMS))
	require.Less(t, at, int64(35*DayMS))

	var one Posterior
	p := DefaultParams()
	p.Weights = [Size]float64{1}
	prior, err := NewPrior(p)
	require.NoError(t, err)
	prior.Posterior(pizza(), &one)
	require.Less(t, one.Overdue(35), 0.9, "k = 1 alone does not see it")
}

func TestEvenGapsShowRegularity(t *testing.T) {
	var q Posterior
	Default().Posterior(pizza(), &q)
	w := q.Weights(0)
	require.Less(t, w[0], 0.05)
	Default().Posterior(History{Repeats: 4, Sum: 100, LnSum: math.Log(1) + math.Log(2) + math.Log(7) + math.Log(90)}, &q)
	require.Greater(t, q.Weights(0)[0], 0.9)
}
