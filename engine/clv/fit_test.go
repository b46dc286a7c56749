package clv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// gamma draws from Gamma(shape, 1) (Marsaglia, Tsang 2000).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := r.NormFloat64()
		v := 1 + c*z
		if v > 0 && math.Log(r.Float64()) < z*z/2+d-d*v*v*v+3*d*math.Log(v) {
			return d * v * v * v
		}
	}
}

// draw simulates n customers of the model.
func draw(seed uint64, n int, p Params) []Observation {
	r := rand.New(rand.NewPCG(seed, 1))
	obs := make([]Observation, n)
	for i := range obs {
		x := 1 + int(r.ExpFloat64()*2)
		rate := gamma(r, p.Q) / p.V
		obs[i] = Observation{Orders: x, Mean: gamma(r, p.P*float64(x)) / rate / float64(x)}
	}
	return obs
}

func TestFitRecoversParameters(t *testing.T) {
	for i, want := range []Params{{6.25, 3.74, 15.44}, {1.5, 2.5, 3e4}, {40, 12, 0.02}, {0.6, 6, 100}} {
		fit, err := FitSpend(draw(uint64(i), 20_000, want), Params{})
		require.NoError(t, err)
		require.InEpsilon(t, want.P, fit.P, 0.1)
		require.InEpsilon(t, want.Q, fit.Q, 0.1)
		require.InEpsilon(t, want.V, fit.V, 0.15)
		require.InEpsilon(t, want.Mean(), fit.Params.Mean(), 0.03)
	}
}

func near(t require.TestingT, want, got Params, eps float64) {
	require.InEpsilon(t, want.P, got.P, eps)
	require.InEpsilon(t, want.Q, got.Q, eps)
	require.InEpsilon(t, want.V, got.V, eps)
}

// Wherever it starts, in whatever order and currency.
func TestFitDependsOnTheMultisetOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth := Params{
			P: rapid.Float64Range(0.5, 30).Draw(t, "p"),
			Q: rapid.Float64Range(2, 15).Draw(t, "q"),
			V: rapid.Float64Range(0.1, 1e5).Draw(t, "v"),
		}
		obs := draw(rapid.Uint64().Draw(t, "seed"), 800, truth)
		want, err := FitSpend(obs, Params{})
		if err != nil { // 800 customers may look like the bound
			require.ErrorIs(t, err, ErrDegenerate)
			t.Skip("degenerate draw")
		}
		slices.Reverse(obs)
		got, err := FitSpend(obs, Params{})
		require.NoError(t, err)
		require.Equal(t, want, got, "order")

		ln := rapid.Float64Range(-5, 5)
		start := Params{
			P: math.Exp(ln.Draw(t, "ln p")), Q: math.Exp(ln.Draw(t, "ln q")), V: truth.V * math.Exp(ln.Draw(t, "ln v")),
		}
		got, err = FitSpend(obs, start)
		require.NoError(t, err)
		near(t, want.Params, got.Params, 1e-6)

		unit := math.Exp(rapid.Float64Range(-20, 20).Draw(t, "ln unit"))
		for i := range obs {
			obs[i].Mean *= unit
		}
		got, err = FitSpend(obs, start)
		require.NoError(t, err)
		got.V /= unit
		near(t, want.Params, got.Params, 1e-6)
	})
}

// plain is the log-likelihood as the paper writes it.
func plain(p Params, obs []Observation) float64 {
	ln := func(x float64) float64 { l, _ := math.Lgamma(x); return l }
	sum := 0.0
	for _, o := range obs {
		x := float64(o.Orders)
		sum += ln(p.P*x+p.Q) - ln(p.P*x) - ln(p.Q) + p.Q*math.Log(p.V) +
			(p.P*x-1)*math.Log(o.Mean) + p.P*x*math.Log(x) - (p.P*x+p.Q)*math.Log(p.V+x*o.Mean)
	}
	return sum
}

// The likelihood is the paper's and its derivatives are those of it.
func TestLikelihoodAndDerivatives(t *testing.T) {
	obs := draw(1, 200, Params{6, 4, 15})
	s, fit, err := newSample(obs)
	require.NoError(t, err)
	at := func(ln vector) Params { return Params{math.Exp(ln[0]), math.Exp(ln[1]), math.Exp(ln[2])} }
	ln := vector{1, 1.5, -0.3}
	ll, d, h := s.likelihood(at(ln))
	money := at(ln)
	money.V *= fit.Mean
	require.InDelta(t, plain(money, obs), ll-200*math.Log(fit.Mean), 1e-8)
	for i := range 3 {
		up, down := ln, ln
		up[i] += 1e-5
		down[i] -= 1e-5
		lu, du, _ := s.likelihood(at(up))
		ld, dd, _ := s.likelihood(at(down))
		require.InEpsilon(t, (lu-ld)/2e-5, d[i], 1e-5)
		for j := range 3 {
			require.InDelta(t, (du[j]-dd[j])/2e-5, h[i][j], 1e-4*math.Abs(h[i][i]), "%d %d", i, j)
		}
	}
}

// No parameter vector nearby is likelier.
func TestFitIsAMaximum(t *testing.T) {
	obs := draw(3, 2000, Params{3, 3, 20})
	fit, err := FitSpend(obs, Params{})
	require.NoError(t, err)
	require.InDelta(t, plain(fit.Params, obs), fit.LogLikelihood, 1e-6)
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0.9, 1.1)
		p := Params{fit.P * f.Draw(t, "p"), fit.Q * f.Draw(t, "q"), fit.V * f.Draw(t, "v")}
		require.LessOrEqual(t, plain(p, obs), fit.LogLikelihood+1e-6)
	})
}

func TestDegenerateFitsSayWhy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	same := make([]Observation, 500)
	noise := make([]Observation, 2000) // no customer differs from another
	for i := range same {
		same[i] = Observation{Orders: 1 + i%7, Mean: 9.99}
	}
	for i := range noise {
		x := 1 + i%9
		shape := 4 * math.Pow(float64(x), 1.5) // even less spread than of equal customers
		noise[i] = Observation{Orders: x, Mean: gamma(r, shape) / shape}
	}
	bad := draw(1, 100, Params{6, 4, 15})
	bad[7].Mean = math.NaN()
	for _, c := range []struct {
		name, reason string
		obs          []Observation
	}{
		{"none", "0 customers, at least 50", nil},
		{"few", "49 customers, at least 50", draw(1, 49, Params{6, 4, 15})},
		{"unusable", "0 customers", make([]Observation, 500)},
		{"not a number", "mean spend is NaN", bad},
		{"same", "spend alike: 9.99 each", same},
		{"no differences", "customers do not differ", noise},
		{"infinite mean", "population's mean is not finite", draw(2, 5000, Params{5, 0.7, 15})},
	} {
		fit, err := FitSpend(c.obs, Params{})
		require.ErrorIs(t, err, ErrDegenerate, c.name)
		require.ErrorContains(t, err, c.reason, c.name)
		require.Zero(t, fit.Params, c.name)
	}
	fit, err := FitSpend(same, Params{1, 2, 3})
	require.ErrorIs(t, err, ErrNoSpread)
	require.InDelta(t, 9.99, fit.Mean, 1e-12)

}

// Customers who differ but each of whom always pays the same: the model's own
// limit, where a customer's mean is what the customer spends.
func TestConstantCustomers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	obs := make([]Observation, 2000)
	for i := range obs {
		obs[i] = Observation{Orders: 1 + i%7, Mean: 30 / gamma(r, 3)}
	}
	fit, err := FitSpend(obs, Params{})
	require.NoError(t, err)
	require.InEpsilon(t, 99, fit.Spend(2, 99), 0.05)
	for _, start := range []Params{{1, 2, 3}, {190, 5, 0.1}, {5, 50, 100}} {
		again, err := FitSpend(obs, start)
		require.NoError(t, err)
		near(t, fit.Params, again.Params, 1e-6)
	}
}

// Subscribers to two plans, with one stray invoice: no panic, no hang.
func TestTwoPrices(t *testing.T) {
	obs := make([]Observation, 400)
	for i := range obs {
		obs[i] = Observation{Orders: 1 + i%5, Mean: []float64{9.99, 19.99}[i%3%2]}
	}
	obs[0].Mean = 1e7
	fit, err := FitSpend(obs, Params{})
	require.Equal(t, 1, fit.Clamped)
	require.InDelta(t, 13.3, fit.Mean, 1)
	if err != nil {
		require.ErrorIs(t, err, ErrDegenerate)
	}
}

func TestSpendLiesBetweenTheMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{
			P: rapid.Float64Range(0.1, 50).Draw(t, "p"), Q: rapid.Float64Range(1.01, 50).Draw(t, "q"), V: rapid.Float64Range(0.1, 1e4).Draw(t, "v"),
		}
		m := rapid.Float64Range(0, 1e4).Draw(t, "m")
		lo, hi := math.Min(m, p.Mean()), math.Max(m, p.Mean())
		before := p.Spend(0, m)
		require.Equal(t, p.Mean(), before)
		for _, x := range []int{1, 2, 10, 1000} {
			s := p.Spend(x, m)
			require.True(t, s >= lo*(1-1e-12) && s <= hi*(1+1e-12))
			require.LessOrEqual(t, math.Abs(s-m), math.Abs(before-m)+1e-9*hi)
			before = s
		}
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, (&Params{1, 2, 3}).Validate())
	require.ErrorContains(t, (&Params{1, 1, 3}).Validate(), "q is 1")
	require.ErrorContains(t, (&Params{math.NaN(), 2, 3}).Validate(), "p is NaN")
	require.ErrorContains(t, (&Params{1, 2, math.Inf(1)}).Validate(), "v is +Inf")
}

// A day-by-day sum; no interest, and interest so high that little is left.
func TestDiscount(t *testing.T) {
	for _, c := range []struct{ days, rate float64 }{{365, .1}, {90, .15}, {3650, 1}, {1, .5}} {
		const steps = 100_000
		sum := 0.0
		for i := range steps {
			sum += math.Pow(1+c.rate, -(float64(i)+.5)/steps*c.days/365.25) / steps
		}
		require.InDelta(t, sum, Discount(c.days, c.rate), 1e-9)
	}
	require.Equal(t, 1.0, Discount(365, 0))
}
