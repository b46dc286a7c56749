package rhythm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// far is a start that nobody would choose.
func far() Params {
	return Params{R: 5, Alpha: 0.2, A: 8, B: 0.1, Weights: [Size]float64{1, 1, 1, 1, 1, 1, 1, 1, 1}}
}

func requireSame(t *testing.T, want, got Fit, tolerance float64) {
	require.InEpsilon(t, want.R, got.R, tolerance)
	require.InEpsilon(t, want.Alpha, got.Alpha, tolerance)
	require.InEpsilon(t, want.A, got.A, tolerance)
	require.InEpsilon(t, want.B, got.B, tolerance)
	for i := range want.Weights {
		require.InDelta(t, want.Weights[i], got.Weights[i], tolerance)
	}
	require.InEpsilon(t, want.LogLikelihood, got.LogLikelihood, 1e-12)
}

// plainLogLikelihood is a customer after another, as scoring sees them.
func plainLogLikelihood(t testing.TB, p Params, obs []Observation) float64 {
	prior, err := NewPrior(p)
	require.NoError(t, err)
	sum := 0.0
	for _, o := range obs {
		sum += prior.LogLikelihood(o.History, o.Silence)
	}
	return sum
}

// The published optimum of MBG/NBD.
func TestFitOfMBGOnCDNOW(t *testing.T) {
	f, err := FitPrior(cdnow(t, 7), far(), FitOptions{K: 1})
	require.NoError(t, err)
	require.InDelta(t, .525, f.R, .0005)
	require.InDelta(t, 6.183, f.Alpha, .0005)
	require.InDelta(t, .891, f.A, .0005)
	require.InDelta(t, 1.614, f.B, .0005)
	require.InDelta(t, -9582.14, f.LogLikelihood, .01)
	require.Equal(t, only(1), f.Weights)
	require.Equal(t, 2357, f.Customers)
}

// The mixture gains over k = 1, the floor of its weights notwithstanding, and
// sees that the pizza customer is missed.
func TestFitOfMixtureOnCDNOW(t *testing.T) {
	obs := cdnow(t, 7)
	f, err := FitPrior(obs, DefaultParams(), FitOptions{})
	require.NoError(t, err)
	require.Greater(t, f.LogLikelihood, -9581.0)
	require.InDelta(t, plainLogLikelihood(t, f.Params, obs), f.LogLikelihood, 1e-6)
	again, err := FitPrior(obs, far(), FitOptions{})
	require.NoError(t, err)
	requireSame(t, f, again, 1e-6)
	warm, err := FitPrior(obs, f.Params, FitOptions{})
	require.NoError(t, err)
	requireSame(t, f, warm, 1e-6)
	require.LessOrEqual(t, warm.Iterations, 2)

	prior, err := NewPrior(f.Params)
	require.NoError(t, err)
	var q Posterior
	prior.Posterior(History{Repeats: 9, Sum: 27, LnSum: 9 * math.Log(3)}, &q)
	require.GreaterOrEqual(t, q.Overdue(5), 0.95)
	require.LessOrEqual(t, q.Alive(5), 0.25)
}

// The unit of time is no matter.
func TestFitDoesNotDependOnUnit(t *testing.T) {
	weeks, err := FitPrior(cdnow(t, 7), DefaultParams(), FitOptions{})
	require.NoError(t, err)
	days, err := FitPrior(cdnow(t, 1), DefaultParams(), FitOptions{})
	require.NoError(t, err)
	days.Alpha /= 7
	days.LogLikelihood += 2457 * math.Log(7)
	requireSame(t, weeks, days, 1e-6)
}

// Where BG/NBD and k = 1 say that nobody ever leaves, the mixture finds that
// the regular ones do.
func TestFitOfOnlineRetail(t *testing.T) {
	obs := onlineRetail(t)
	_, err := FitPrior(obs, DefaultParams(), FitOptions{K: 1})
	require.ErrorIs(t, err, ErrDegenerate)
	require.ErrorContains(t, err, "nobody ever leaves")
	f, err := FitPrior(obs, DefaultParams(), FitOptions{})
	require.NoError(t, err)
	require.InDelta(t, .829, f.R, .001)
	require.InDelta(t, 61.63, f.Alpha, .01)
	require.InDelta(t, .111, f.A, .001)
	require.InDelta(t, 2.005, f.B, .001)
	require.Less(t, f.Weights[0], 0.3)
	again, err := FitPrior(obs, far(), FitOptions{})
	require.NoError(t, err)
	requireSame(t, f, again, 1e-6)
}

// A simulated population is recovered, at a place of no slope: no small move
// raises the likelihood by more than the weak prior may have cost.
func TestFitRecoversPopulation(t *testing.T) {
	truth := shop()
	obs := simulate(truth, 5000, 7)
	f, err := FitPrior(obs, DefaultParams(), FitOptions{})
	require.NoError(t, err)
	require.InEpsilon(t, truth.R, f.R, 0.1)
	require.InEpsilon(t, truth.Alpha, f.Alpha, 0.15)
	require.InEpsilon(t, truth.A, f.A, 0.25)
	require.InEpsilon(t, truth.B, f.B, 0.25)
	require.InDelta(t, truth.Weights[0], f.Weights[0], 0.06)
	regular := f.Weights[4] + f.Weights[5] + f.Weights[6] + f.Weights[7] + f.Weights[8]
	require.InDelta(t, 0.15, regular, 0.05)
	best := plainLogLikelihood(t, f.Params, obs)
	require.InDelta(t, best, f.LogLikelihood, 1e-6)
	require.Greater(t, best, plainLogLikelihood(t, truth, obs))
	for i := range 4 {
		for _, by := range []float64{0.97, 1.03} {
			p := f.Params
			*[]*float64{&p.R, &p.Alpha, &p.A, &p.B}[i] *= by
			require.Less(t, plainLogLikelihood(t, p, obs), best)
		}
	}
	for i, w := range f.Weights {
		if w < 2*Floor {
			continue
		}
		p := f.Params
		p.Weights[i] *= 1.1
		require.Less(t, plainLogLikelihood(t, p, obs), best+1e-3)
	}
}

// The same customers in another order are the same sample.
func TestFitDependsOnTheMultiset(t *testing.T) {
	obs := simulate(shop(), 1000, 3)
	obs = append(obs, obs[:100]...)
	before := slices.Clone(obs)
	f, err := FitPrior(obs, DefaultParams(), FitOptions{})
	require.NoError(t, err)
	require.Equal(t, before, obs, "the input is not written to")
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(obs), func(i, j int) { obs[i], obs[j] = obs[j], obs[i] })
	g, err := FitPrior(obs, DefaultParams(), FitOptions{})
	require.NoError(t, err)
	require.Equal(t, f, g)
}

// One k restricts everything to it.
func TestFitOfOneK(t *testing.T) {
	truth := shop()
	truth.Weights = only(3)
	f, err := FitPrior(simulate(truth, 3000, 5), DefaultParams(), FitOptions{K: 3})
	require.NoError(t, err)
	require.Equal(t, only(3), f.Weights)
	require.InEpsilon(t, truth.R/truth.Alpha, f.R/f.Alpha, 0.1)
	_, err = FitPrior(simulate(truth, 300, 5), DefaultParams(), FitOptions{K: 5})
	require.ErrorContains(t, err, "k is 5")
}

// Derivatives against differences.
func TestSlopes(t *testing.T) {
	for _, firstStays := range []bool{false, true} {
		s, err := newSample(simulate(shop(), 400, 11))
		require.NoError(t, err)
		grid, err := (&FitOptions{}).grid()
		require.NoError(t, err)
		m := newMarginal(s, grid, firstStays)
		at := func(theta [4]float64, w [Size]float64) (float64, slope) {
			var p point
			p.set(theta)
			p.w = w
			m.fill(&p)
			var d slope
			m.slopes(&p, &d)
			return m.value(&w) + p.scale, d
		}
		theta, w := [4]float64{-.2, .1, -.5, .4}, shop().Weights
		for o := range w {
			w[o] += 0.01
		}
		_, d := at(theta, w)
		const step = 1e-5
		for i := range theta {
			up, down := theta, theta
			up[i] += step
			down[i] -= step
			a, da := at(up, w)
			b, db := at(down, w)
			require.InDelta(t, (a-b)/(2*step), d.g[i], 1e-4, "%d", i)
			for l := range theta {
				require.InDelta(t, (da.g[l]-db.g[l])/(2*step), d.h[i][l], 1e-4, "%d %d", i, l)
			}
			for o := range w {
				require.InDelta(t, (da.wg[o]-db.wg[o])/(2*step), d.tw[i][o], 1e-3, "%d w%d", i, o)
			}
		}
		for o := range w {
			up, down := w, w
			up[o] += step
			down[o] -= step
			a, da := at(theta, up)
			b, db := at(theta, down)
			require.InDelta(t, (a-b)/(2*step), d.wg[o], 1e-3)
			for l := range w {
				require.InDelta(t, (da.wg[l]-db.wg[l])/(2*step), d.wh[o][l], 1e-4*math.Abs(d.wh[o][o])+1e-3)
			}
		}
	}
}

// What is no knowledge is refused, and says why.
func TestFitRefuses(t *testing.T) {
	good := simulate(shop(), 1000, 3)
	with := func(o Observation) []Observation { return append(slices.Clone(good), o) }
	once := make([]Observation, 5000)
	for i := range once {
		once[i].Silence = float64(i)
	}
	for _, c := range []struct {
		name string
		obs  []Observation
		opts FitOptions
		want string
	}{
		{"nothing", nil, FitOptions{}, "0 customers"},
		{"few", good[:150], FitOptions{}, "150 customers"},
		{"no repeats", once, FitOptions{}, "with 0 gaps"},
		{"one regular", append(slices.Clone(once), Observation{History{500, 500, 0}, 1}), FitOptions{}, "1 of them with a gap"},
		{"gap of zero", with(Observation{History{1, 0, math.Inf(-1)}, 1}), FitOptions{}, "1 repeats with gaps that sum to 0"},
		{"no logarithm", with(Observation{History{2, 5, math.NaN()}, 1}), FitOptions{}, "logarithms: NaN"},
		{"silence", with(Observation{History{}, math.NaN()}), FitOptions{}, "a silence of NaN"},
		{"gaps of none", with(Observation{History{0, 3, 0}, 1}), FitOptions{}, "no repeats, but gaps"},
		{"cut short", good, FitOptions{Iterations: 1}, "no convergence in 1 steps"},
	} {
		_, err := FitPrior(c.obs, far(), c.opts)
		require.ErrorIs(t, err, ErrDegenerate, c.name)
		require.ErrorContains(t, err, c.want, c.name)
	}
	start := far()
	start.A = 0
	_, err := FitPrior(good, start, FitOptions{})
	require.ErrorContains(t, err, "start of the fit: a: 0")
}
