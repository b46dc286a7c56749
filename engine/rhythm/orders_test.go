package rhythm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plainOrders is the definition: for each rate, and each number of steps that
// the silence may hold, the orders of a Poisson process of steps; integrated
// over the rate, and weighed against having left.
func plainOrders(p Params, gaps []float64, e, h float64) float64 {
	x, span := float64(len(gaps)), 0.0
	for _, g := range gaps {
		span += g
	}
	lgr, _ := math.Lgamma(p.R)
	var orders, stayed, left float64
	for i, k := range Grid {
		if p.Weights[i] == 0 {
			continue
		}
		kf := float64(k)
		lgk, _ := math.Lgamma(kf)
		density := func(y float64) float64 { // of ln rate, and the closed gaps
			mu := math.Exp(y)
			l := p.R*math.Log(p.Alpha) + p.R*y - p.Alpha*mu - lgr
			for _, g := range gaps {
				l += kf*math.Log(kf*mu) + (kf-1)*math.Log(g) - kf*mu*g - lgk
			}
			return math.Exp(l)
		}
		shape := p.R + kf*x
		mode := math.Log(shape / (p.Alpha + kf*span))
		step := 0.4 / math.Sqrt(shape+1+4*kf) // an order is known to 1/√k of the rate
		for _, way := range []float64{step, -step} {
			y := mode
			if way < 0 {
				y += way
			}
			for ; density(y) > 1e-11*density(mode); y += way {
				weight := p.Weights[i] * density(y) * step
				o, s := fixedRate(p, x, k, kf*math.Exp(y), e, h)
				orders += weight * o
				stayed += weight * s
				left += weight
			}
		}
	}
	stay := beta(p.A, p.B+x+1) / beta(p.A, p.B)
	left *= beta(p.A+1, p.B+x) / beta(p.A, p.B)
	return stay * orders / (stay*stayed + left)
}

// fixedRate is the probability of the silence where steps come at this rate,
// and the expected orders times that.
func fixedRate(p Params, x float64, k int, rate, e, h float64) (orders, silent float64) {
	in := make([]float64, k) // P(J = j)
	for j := range in {
		in[j] = poisson(j, rate*e)
		silent += in[j]
	}
	mean := rate * h
	sd := math.Sqrt(mean)
	from, to := max(int(mean-9*sd), 0), int(mean+9*sd+20)
	sum := make([]float64, to/k+2) // Σσ
	stay := 1.0
	for n := 1; n < len(sum); n++ {
		sum[n] = sum[n-1] + stay
		stay *= (p.B + x + float64(n)) / (p.A + p.B + x + float64(n))
	}
	for m := from; m <= to; m++ {
		here := 0.0
		for j := range in {
			here += in[j] * sum[(m+j)/k]
		}
		orders += here * poisson(m, mean)
	}
	return orders, silent
}

func poisson(n int, mean float64) float64 {
	if mean == 0 {
		return map[bool]float64{true: 1}[n == 0]
	}
	lg, _ := math.Lgamma(float64(n) + 1)
	return math.Exp(float64(n)*math.Log(mean) - mean - lg)
}

// few2 leaves two of the regularities, for the plain ways are slow.
func few2(t *rapid.T, p *Params) {
	i, j := rapid.IntRange(0, Size-1).Draw(t, "k"), rapid.IntRange(0, Size-1).Draw(t, "k")
	for l := range p.Weights {
		if l != i && l != j {
			p.Weights[l] = 0
		}
	}
}

func TestOrdersEqualIntegration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := drawParams(t)
		params.R = math.Max(params.R, 0.5)
		few2(t, &params)
		h, gaps := drawHistory(t, 5)
		e := rapid.Float64Range(0, 200).Draw(t, "e")
		within := rapid.Float64Range(1, 400).Draw(t, "h")
		prior, err := NewPrior(params)
		require.NoError(t, err)
		var q Posterior
		prior.Posterior(h, &q)
		for i := range q.comp[:q.n] {
			if q.comp[i].top(e, within) > mostSteps {
				t.Skip("fluid")
			}
		}
		want := plainOrders(params, gaps, e, within)
		require.InDelta(t, want, q.Orders(e, within), 4e-4*math.Max(1, want))
	})
}

// A customer's future, drawn many times: the rate and the leaving from what the
// past leaves of them, the silence by rejection.
func TestOrdersEqualSimulation(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	p := DefaultParams()
	p.Weights = [Size]float64{.6, 0, .3, 0, 0, 0, .1}
	h := History{Repeats: 3, Sum: 70, LnSum: math.Log(20) + math.Log(22) + math.Log(28)}
	const e, horizon, n = 28.0, 180.0, 400_000
	prior, err := NewPrior(p)
	require.NoError(t, err)
	var q Posterior
	prior.Posterior(h, &q)
	kept, alive, orders, squares := 0.0, 0.0, 0.0, 0.0
	for range n {
		c, pick := 0, rng.Float64()
		for ; pick >= q.comp[c].w; c++ {
			pick -= q.comp[c].w
		}
		k, r := q.comp[c].k, q.comp[c].r
		mu := gamma(rng, r, p.Alpha+k*h.Sum)
		u, v := gamma(rng, p.A, 1), gamma(rng, p.B+3, 1)
		leave := u / (u + v)
		if rng.Float64() < leave {
			kept++
			continue
		}
		at := gamma(rng, k, k*mu)
		if at < e {
			continue
		}
		kept++
		alive++
		got := 0.0
		for at < e+horizon {
			got++
			if rng.Float64() < leave {
				break
			}
			at += gamma(rng, k, k*mu)
		}
		orders += got
		squares += got * got
	}
	require.InDelta(t, alive/kept, q.Alive(e), 0.005)
	mean := orders / kept
	sd := math.Sqrt((squares/kept - mean*mean) / kept)
	require.InDelta(t, mean, q.Orders(e, horizon), 4*sd)
	require.Less(t, 4*sd, 0.02*mean)
}

// Where steps are too many to be counted, the fluid answer is near. Each case
// has a k alone, a history and a horizon.
func TestFluidIsNear(t *testing.T) {
	for _, c := range []struct {
		name      string
		k         int
		h         History
		e, within float64
		tolerance float64
	}{
		{"daily", 1, History{Repeats: 300, Sum: 300}, 1, 3650, 1e-3},
		{"daily for a week", 4, History{Repeats: 6, Sum: 6}, 1, 730, 2e-3},
		{"regular, weekly", 24, History{Repeats: 40, Sum: 280, LnSum: 40 * math.Log(7)}, 3, 730, 1e-3},
		{"new, for decades", 1, History{}, 10, 16_000, 0.04},
		{"new and regular", 24, History{}, 10, 1500, 0.03},
	} {
		p := DefaultParams()
		p.Weights = only(c.k)
		prior, err := NewPrior(p)
		require.NoError(t, err)
		var q Posterior
		prior.Posterior(c.h, &q)
		require.GreaterOrEqual(t, q.comp[0].top(c.e, c.within), float64(mostSteps), c.name)
		gaps := make([]float64, c.h.Repeats)
		for i := range gaps {
			gaps[i] = c.h.Sum / float64(c.h.Repeats)
		}
		want := plainOrders(p, gaps, c.e, c.within)
		require.InEpsilon(t, want, q.Orders(c.e, c.within), c.tolerance, c.name)
	}
}

// Reading a slight k off a parabola moves the answer by little.
func TestSlightRegularities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, err := NewPrior(drawParams(t))
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "default") {
			prior = Default()
		}
		h, _ := drawHistory(t, 8)
		e := rapid.Float64Range(0, 60).Draw(t, "e")
		within := rapid.SampledFrom([]float64{30, 91, 365}).Draw(t, "h")
		var q Posterior
		prior.Posterior(h, &q)
		sum, all := 0.0, 0.0
		for i := range q.comp[:q.n] {
			c := &q.comp[i]
			g := stayed{sigma: 1}
			part := c.w * c.survival(e)
			if part == 0 {
				continue
			}
			all += part
			sum += part * q.ordersOf(c, e, within, c.top(e, within), &g)
		}
		if all == 0 {
			return
		}
		want := q.AliveAt(all) * sum / all
		require.InDelta(t, want, q.Orders(e, within), 1e-4+5e-3*want)
	})
}

func TestOrdersDoNotAllocate(t *testing.T) {
	var q Posterior
	for _, h := range []History{{}, pizza(), {Repeats: 300, Sum: 300}} {
		Default().Posterior(h, &q)
		require.Zero(t, testing.AllocsPerRun(10, func() { sink += q.Orders(3, 365) + q.Orders(3, 3650) }))
	}
}

// At the edges: one order or a thousand, gaps of a minute or of years, silent
// for a millisecond or for decades.
func TestOrdersAtTheEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, err := NewPrior(drawParams(t))
		require.NoError(t, err)
		x := rapid.SampledFrom([]int{0, 1, 2, 5, 30, 300, 900}).Draw(t, "x")
		gap := rapid.SampledFrom([]float64{1. / 1440, 0.1, 1, 7, 90, 1000}).Draw(t, "gap")
		uneven := rapid.Float64Range(0, 2).Draw(t, "uneven")
		h := History{Repeats: x, Sum: gap * float64(x), LnSum: float64(x) * (math.Log(gap) - uneven)}
		e := rapid.SampledFrom([]float64{0, 1e-8, 1. / 1440, 1, 30, 1000, 20000}).Draw(t, "e")
		var q Posterior
		prior.Posterior(h, &q)
		alive, before := q.Alive(e), 0.0
		require.True(t, alive >= 0 && alive <= 1)
		for _, within := range []float64{1e-8, 1. / 1440, 1, 30, 365, 3650, 36500} {
			n, once := q.Orders(e, within), q.OrderWithin(e, within)
			require.False(t, math.IsNaN(n) || math.IsInf(n, 0), "%g", within)
			require.True(t, once >= 0 && once <= alive+1e-12)
			require.GreaterOrEqual(t, n, once*(1-2e-3)-1e-9, "%g", within)
			require.GreaterOrEqual(t, n, before*(1-5e-2)-1e-9, "%g", within)
			before = n
		}
	})
}

func BenchmarkOrders(b *testing.B) {
	prior := Default()
	for _, c := range []struct {
		name string
		h    History
		e    float64
	}{
		{"five", History{Repeats: 4, Sum: 100, LnSum: math.Log(21) + math.Log(24) + math.Log(10) + math.Log(45)}, 30},
		{"fresh", History{}, 30},
		{"weekly", History{Repeats: 50, Sum: 350, LnSum: 50 * math.Log(7)}, 3},
		{"daily", History{Repeats: 300, Sum: 400, LnSum: 300*math.Log(400./300) - 30}, 3},
		{"pizza", pizza(), 10},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var q Posterior
			prior.Posterior(c.h, &q)
			for b.Loop() {
				sink += q.Orders(c.e, 365)
			}
		})
	}
}
