package rhythm

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawParams(t *rapid.T) Params {
	p := Params{
		R:     rapid.Float64Range(0.05, 20).Draw(t, "r"),
		Alpha: rapid.Float64Range(0.1, 400).Draw(t, "alpha"),
		A:     rapid.Float64Range(0.05, 20).Draw(t, "a"),
		B:     rapid.Float64Range(0.05, 20).Draw(t, "b"),
	}
	for i := range p.Weights {
		p.Weights[i] = rapid.Float64Range(0.001, 1).Draw(t, "w")
	}
	return p
}

// drawHistory draws gaps between whole days, or fractions of one.
func drawHistory(t *rapid.T, most int) (History, []float64) {
	n := rapid.IntRange(0, most).Draw(t, "x")
	usual := rapid.SampledFrom([]float64{1, 3, 21, 90, 700}).Draw(t, "usual")
	var h History
	var gaps []float64
	for range n {
		g := math.Max(1, math.Round(usual*rapid.Float64Range(0.3, 3).Draw(t, "gap")))
		gaps = append(gaps, g)
		h.Repeats++
		h.Sum += g
		h.LnSum += math.Log(g)
	}
	return h, gaps
}

// likelihood is that of the gaps and an open gap e given k, of one who has
// certainly not left, by plain numerical integration over the rate.
func likelihood(p Params, k int, gaps []float64, e float64) float64 {
	const nodes = 1600
	kf := float64(k)
	lgk, _ := math.Lgamma(kf)
	lgr, _ := math.Lgamma(p.R)
	sum := 0.0
	// Substituting rate = exp(y) spreads the mass; the trapezoid rule is then
	// accurate far beyond the tolerance.
	lo, hi := -40.0, 9.0
	for i := range nodes {
		y := lo + (hi-lo)*(float64(i)+0.5)/nodes
		mu := math.Exp(y)
		ln := p.R*math.Log(p.Alpha) + p.R*y - p.Alpha*mu - lgr
		for _, g := range gaps {
			ln += kf*math.Log(kf*mu) + (kf-1)*math.Log(g) - kf*mu*g - lgk
		}
		tail, term := 0.0, math.Exp(-kf*mu*e) // Erlang's survival function
		for j := range k {
			if j > 0 {
				term *= kf * mu * e / float64(j)
			}
			tail += term
		}
		sum += math.Exp(ln) * tail
	}
	return sum * (hi - lo) / nodes
}

// beta is ∫ p^(u-1) (1-p)^(v-1) dp, plainly.
func beta(u, v float64) float64 { return math.Exp(lnBeta(u, v)) }

// The closed forms against the definition: integrate the rate out, sum k out,
// and weigh "left after the last order" against "stayed".
func TestClosedFormsEqualIntegration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := drawParams(t)
		params.R = math.Max(params.R, 0.5) // the grid of the integration is finite
		h, gaps := drawHistory(t, 5)
		e := rapid.Float64Range(0, 300).Draw(t, "e")
		within := rapid.Float64Range(1, 200).Draw(t, "h")
		prior, err := NewPrior(params)
		require.NoError(t, err)
		w := prior.Params().Weights
		x := float64(h.Repeats)
		left := beta(params.A+1, params.B+x) / beta(params.A, params.B)
		stay := beta(params.A, params.B+x+1) / beta(params.A, params.B)
		var gone, now, later float64
		for i, k := range Grid {
			gone += w[i] * left * likelihood(params, k, gaps, 0)
			now += w[i] * stay * likelihood(params, k, gaps, e)
			later += w[i] * stay * likelihood(params, k, gaps, e+within)
		}
		var q Posterior
		prior.Posterior(h, &q)
		const tolerance = 8*negligible + 1e-6 // and what integrating leaves
		require.InDelta(t, now/(now+gone), q.Alive(e), tolerance, "alive")
		require.InDelta(t, (now-later)/(now+gone), q.OrderWithin(e, within), tolerance, "within")
		require.InDelta(t, 1-now/stay/(gone/left), q.Overdue(e), tolerance, "overdue")
		require.InDelta(t, math.Log(now+gone), prior.LogLikelihood(h, e), 1e-4, "log-likelihood")
	})
}

// simpson is ∫ f from a to b, halving until the halves agree.
func simpson(f func(float64) float64, a, b float64) float64 {
	var part func(a, b, fa, fm, fb, whole, tol float64, depth int) float64
	part = func(a, b, fa, fm, fb, whole, tol float64, depth int) float64 {
		m := (a + b) / 2
		fl, fr := f((a+m)/2), f((m+b)/2)
		left, right := (m-a)/6*(fa+4*fl+fm), (b-m)/6*(fm+4*fr+fb)
		if d := left + right - whole; depth == 0 || math.Abs(d) < 15*tol {
			return left + right + d/15
		}
		return part(a, m, fa, fl, fm, left, tol/2, depth-1) + part(m, b, fm, fr, fb, right, tol/2, depth-1)
	}
	sum := 0.0
	const pieces = 64 // lest a narrow peak be missed
	for i := range pieces {
		l, r := a+(b-a)*float64(i)/pieces, a+(b-a)*float64(i+1)/pieces
		fl, fm, fr := f(l), f((l+r)/2), f(r)
		sum += part(l, r, fl, fm, fr, (r-l)/6*(fl+4*fm+fr), 1e-12, 20)
	}
	return sum
}

// S_k against its definition: the survival of Gamma(k, kμ) gaps, mixed over the
// Gamma distribution of ln μ.
func TestSurvivalEqualsIntegration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, Size-1).Draw(t, "k")
		k := float64(Grid[i])
		r := rapid.Float64Range(0.3, 400).Draw(t, "R")
		d := rapid.Float64Range(0.1, 1000).Draw(t, "D")
		e := d / r * rapid.Float64Range(0.01, 6).Draw(t, "e")
		lg, _ := math.Lgamma(r)
		c := component{k: k, n: Grid[i], i: i, r: r, rate: k / d}
		mode := math.Log(r / d)
		width := 12 / math.Sqrt(r)
		want := simpson(func(y float64) float64 {
			mu := math.Exp(y)
			density := math.Exp(r*math.Log(d) + r*y - d*mu - lg)
			tail, term := 0.0, math.Exp(-k*mu*e)
			for j := range Grid[i] {
				if j > 0 {
					term *= k * mu * e / float64(j)
				}
				tail += term
			}
			return density * tail
		}, mode-width*4, mode+width)
		require.InDelta(t, want, c.survival(e), 1e-9)
	})
}

// At the edges: one order or a thousand, gaps of a day or of years, silent for
// a millisecond or for a century.
func TestBoundsAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, err := NewPrior(drawParams(t))
		require.NoError(t, err)
		h, _ := drawHistory(t, 12)
		many := rapid.SampledFrom([]int{1, 1, 30, 300}).Draw(t, "many")
		h.Repeats *= many
		h.Sum *= float64(many)
		h.LnSum *= float64(many)
		var q Posterior
		prior.Posterior(h, &q)
		require.InDelta(t, 1, q.Survival(0), 1e-12)
		before, alive := 0.0, 1.0
		for e := 1e-8; e < 40000; e *= 2.7 {
			o, a := q.Overdue(e), q.Alive(e)
			require.GreaterOrEqual(t, o, before-1e-12)
			require.LessOrEqual(t, a, alive+1e-12)
			require.True(t, o >= 0 && o <= 1 && a >= 0 && a <= 1)
			short, long := q.OrderWithin(e, 7), q.OrderWithin(e, 90)
			require.True(t, short >= 0 && short <= long+1e-12 && long <= a+1e-12, "%g %g %g", short, long, a)
			sum := 0.0
			for _, w := range q.Weights(e) {
				require.True(t, w >= 0 && w <= 1)
				sum += w
			}
			require.InDelta(t, 1, sum, 1e-9)
			before, alive = o, a
		}
	})
}

// Reach is exact to the millisecond, and Quantile inverts Survival.
func TestReachAndQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, err := NewPrior(drawParams(t))
		require.NoError(t, err)
		h, _ := drawHistory(t, 40)
		var q Posterior
		prior.Posterior(h, &q)
		p := rapid.Float64Range(0.02, 0.98).Draw(t, "p")
		last := rapid.Int64Range(0, 2e12).Draw(t, "last")
		at := q.Reach(last, p)
		if at == 0 {
			require.Less(t, q.Overdue(farthest), p)
			return
		}
		require.GreaterOrEqual(t, q.Overdue(Days(last, at)), p)
		require.Less(t, q.Overdue(Days(last, at-1)), p)
		require.InEpsilon(t, p, q.Overdue(q.Quantile(1-p, 1e-11)), 1e-9)
		s := q.SurvivalOfAlive(0.1)
		if s < 1 {
			require.InEpsilon(t, 0.1, q.AliveAt(s), 1e-9)
		}
		e := rapid.Float64Range(0, 500).Draw(t, "e")
		if g := q.NextGap(e); !math.IsInf(g, 1) {
			require.InEpsilon(t, q.Survival(e)/2, q.Survival(g), 1e-3)
		}
	})
}

// A prior refuses what is no distribution.
func TestParamsAreChecked(t *testing.T) {
	p := DefaultParams()
	p.R, p.A = -1, math.NaN()
	p.Weights = [Size]float64{}
	_, err := NewPrior(p)
	require.ErrorContains(t, err, "r: -1")
	require.ErrorContains(t, err, "a: NaN")
	require.ErrorContains(t, err, "weights: all are zero")
}

func BenchmarkEverything(b *testing.B) {
	prior := Default()
	h := History{Repeats: 4, Sum: 100, LnSum: math.Log(21) + math.Log(24) + math.Log(10) + math.Log(45)}
	b.ReportAllocs()
	for b.Loop() {
		var q Posterior
		prior.Posterior(h, &q)
		sink += q.Alive(30) + q.OrderWithin(30, 90) + q.NextGap(30) + float64(q.Reach(0, 0.9))
	}
}

var sink float64

func BenchmarkReference(b *testing.B) {
	x := 1.0
	for b.Loop() {
		for range 100 {
			x = math.Exp(-math.Log1p(x))
		}
	}
	sink += x
}

// A moment after an order the next one is as far as it ever is, also where the
// search begins far from it: against halving.
func TestNextGapOfAMoment(t *testing.T) {
	var q Posterior
	Default().Posterior(History{Repeats: 9, Sum: 295, LnSum: 31.32651635688413}, &q)
	require.InEpsilon(t, q.NextGap(0), q.NextGap(60_000./DayMS), 1e-3)
	rapid.Check(t, func(t *rapid.T) {
		h, spread := History{}, rapid.Float64Range(0.02, 0.6).Draw(t, "spread")
		for range rapid.IntRange(1, 12).Draw(t, "gaps") {
			g := math.Round(30*math.Exp(spread*rapid.Float64Range(-2, 2).Draw(t, "gap"))) + 1
			h.Repeats++
			h.Sum += g
			h.LnSum += math.Log(g)
		}
		var q Posterior
		Default().Posterior(h, &q)
		e := math.Exp(rapid.Float64Range(0, math.Log(3_600_000)).Draw(t, "ms")) / DayMS
		target := q.Survival(e) / 2
		lo, hi := 0.0, 1e5
		for range 100 {
			if mid := (lo + hi) / 2; q.Survival(mid) > target {
				lo = mid
			} else {
				hi = mid
			}
		}
		require.InEpsilon(t, hi, q.NextGap(e), 2e-3)
	})
}
