package churn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func fixed(lambda float64) Options { return Options{Lambdas: []float64{lambda}} }

func mustFit(t require.TestingT, rows []Row, opt Options) *Model {
	m, err := Fit(rows, nil, opt)
	require.NoError(t, err)
	return m
}

// descend minimises the same penalised loss the plain way: gradient descent
// with a backtracking step, on the raw rows, which must not reach the clamps.
func descend(rows []Row, lambda float64) (bias float64, weights []float64) {
	width := len(rows[0].X)
	per := map[uint64]int{}
	for _, r := range rows {
		per[r.Group]++
	}
	weight := func(r Row) float64 { return r.Weight / math.Sqrt(float64(per[r.Group])) }
	mean, sd, total := make([]float64, width), make([]float64, width), 0.0
	for _, r := range rows {
		total += weight(r)
	}
	for c := range width {
		for _, r := range rows {
			mean[c] += weight(r) * r.X[c] / total
		}
		for _, r := range rows {
			sd[c] += weight(r) * (r.X[c] - mean[c]) * (r.X[c] - mean[c]) / total
		}
		sd[c] = math.Sqrt(sd[c])
	}
	loss := func(b []float64, grad []float64) float64 {
		sum := biasPenalty / 2 * b[0] * b[0]
		clear(grad)
		grad[0] = biasPenalty * b[0]
		for c := range width {
			sum += lambda / 2 * b[c+1] * b[c+1]
			grad[c+1] = lambda * b[c+1]
		}
		for _, r := range rows {
			z := r.Offset + b[0]
			for c := range width {
				z += b[c+1] * (r.X[c] - mean[c]) / sd[c]
			}
			p, y := 1/(1+math.Exp(-z)), 0.0
			if r.Churned {
				y = 1
			}
			sum -= weight(r) * (y*math.Log(p) + (1-y)*math.Log(1-p))
			grad[0] += weight(r) * (p - y)
			for c := range width {
				grad[c+1] += weight(r) * (p - y) * (r.X[c] - mean[c]) / sd[c]
			}
		}
		return sum
	}
	b, grad, step := make([]float64, width+1), make([]float64, width+1), 1.0
	next, scratch := make([]float64, width+1), make([]float64, width+1)
	at := loss(b, grad)
	for range 400 {
		norm := 0.0
		for _, g := range grad {
			norm += g * g
		}
		if norm < 1e-18 {
			break
		}
		for ; step > 1e-12; step /= 2 {
			for i := range b {
				next[i] = b[i] - step*grad[i]
			}
			if loss(next, scratch) <= at-step*norm/2 {
				break
			}
		}
		copy(b, next)
		at = loss(b, grad)
		step *= 1.5
	}
	bias = b[0]
	for c := range width {
		weights = append(weights, b[c+1]/sd[c])
		bias -= b[c+1] / sd[c] * mean[c]
	}
	return bias, weights
}

// Columns take a few values so that percentiles are their extremes and
// clamping does nothing.
func TestFitEqualsGradientDescent(t *testing.T) {
	for seed := range uint64(9) {
		r := rand.New(rand.NewPCG(seed, 1))
		width, lambda := 1+int(seed%4), []float64{0.5, 10, 300}[seed%3]
		rows := make([]Row, 300)
		for i := range rows {
			rows[i] = Row{Group: uint64(r.IntN(100)), Snapshot: int32(i), Offset: r.NormFloat64(), Weight: 0.2 + r.Float64()}
			z := rows[i].Offset
			for c := range width {
				v := float64(r.IntN(5))
				rows[i].X = append(rows[i].X, 100*float64(c)+v*math.Pow(10, float64(c)))
				z += (v - 2) * 0.5 * float64(c%2*2-1)
			}
			rows[i].Churned = r.Float64() < Logistic(z)
		}
		opt := fixed(lambda)
		opt.MinLabels = 300
		m := mustFit(t, rows, opt)
		bias, weights := descend(rows, lambda)
		for c, w := range weights {
			// A weight counts as much as its column is wide.
			require.InDelta(t, w, m.Weights[c], 1e-6/math.Pow(10, float64(c)))
			require.Equal(t, 100*float64(c), m.Lo[c])
		}
		require.InDelta(t, bias, m.Bias, 1e-4)
		require.Equal(t, lambda, m.Lambda)
	}
}

func TestFitRecoversWeights(t *testing.T) {
	w := truth{bias: -0.4, weights: []float64{0.8, -0.5, 0, 0.25}, columns: 6, common: 0.3}
	m := mustFit(t, simulate(1, 20_000, w), Options{})
	require.InDelta(t, -0.4, m.Bias, 0.05)
	for c, want := range []float64{0.8, -0.5, 0, 0.25, 0, 0} {
		require.InDelta(t, want, m.Weights[c], 0.05, "column %d", c)
	}
	require.Equal(t, 20_000, m.Rows)
	require.NoError(t, m.Check(6))
}

// Every answer is the same to the bit, and from any start to 1e-9.
func TestFitDependsOnTheMultisetOnly(t *testing.T) {
	w := truth{bias: 0.2, weights: []float64{0.4, -0.2}, columns: 4, common: 0.3, frailty: 1, each: 6}
	rows := simulate(2, 1500, w)
	for i := range 200 { // the same row twice, and rows that differ late
		again := rows[i]
		if i%2 == 0 {
			again.Churned = !again.Churned
		}
		rows = append(rows, again)
	}
	want := mustFit(t, rows, Options{})
	r := rand.New(rand.NewPCG(2, 1))
	for range 6 {
		shuffled := slices.Clone(rows)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		before := slices.Clone(shuffled)
		require.Equal(t, want, mustFit(t, shuffled, Options{}))
		require.Equal(t, before, shuffled, "rows must not be changed")
	}
	for _, start := range []*Model{
		want,
		{Bias: 3, Weights: []float64{1, -2, 3, -4}},
		{Bias: -1e6, Weights: []float64{1e9, 0, 0, 0}},
		{Weights: []float64{1}},
		{Bias: math.NaN(), Weights: make([]float64, 4)},
	} {
		got, err := Fit(rows, start, Options{})
		require.NoError(t, err)
		require.Equal(t, want.Lambda, got.Lambda)
		require.InDelta(t, want.Bias, got.Bias, 1e-9)
		require.InDeltaSlice(t, want.Weights, got.Weights, 1e-9)
	}
}

// A column that tells all: weights stay finite and the ranking is right.
func TestSeparableDataStaysFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	rows := make([]Row, 2000)
	for i := range rows {
		x := r.NormFloat64()
		rows[i] = Row{Group: r.Uint64(), X: []float64{x, -x}, Churned: x > 0, Offset: math.Inf(1 - 2*(i%2))}
	}
	for _, opt := range []Options{{}, fixed(1e-9), fixed(Shut)} {
		m := mustFit(t, rows, opt)
		require.NoError(t, m.Check(2))
	}
	for i := range rows {
		rows[i].Offset = 0
	}
	m := mustFit(t, rows, Options{})
	require.Greater(t, m.Probability(0, []float64{1, -1}), 0.95)
	require.Less(t, m.Probability(0, []float64{-1, 1}), 0.05)
}

// The message has the numbers.
func TestTooFew(t *testing.T) {
	rows := simulate(4, 499, truth{columns: 1})
	_, err := Fit(rows, nil, Options{})
	require.ErrorIs(t, err, ErrTooFew)
	require.ErrorContains(t, err, "499 rows")
	_, err = Fit(rows, nil, Options{MinLabels: 100})
	require.NoError(t, err)
	rows = simulate(4, 1000, truth{columns: 1})
	for i := range rows {
		rows[i].Churned = i < 49
	}
	_, err = Fit(rows, nil, Options{})
	require.ErrorIs(t, err, ErrTooFew)
	require.ErrorContains(t, err, "49 churned and 951 stayed")
	_, err = Fit(nil, nil, Options{})
	require.ErrorIs(t, err, ErrTooFew)
}

func TestRowsThatAreNone(t *testing.T) {
	for reason, spoil := range map[string]func(*Row){
		"row 7: 1 columns, the first row has 2": func(r *Row) { r.X = r.X[:1] },
		"row 7: offset is not a number":         func(r *Row) { r.Offset = math.NaN() },
		"row 7: weight is -1":                   func(r *Row) { r.Weight = -1 },
		"row 7: weight is NaN":                  func(r *Row) { r.Weight = math.NaN() },
	} {
		rows := simulate(5, 600, truth{columns: 2})
		spoil(&rows[7])
		_, err := Fit(rows, nil, Options{})
		require.ErrorContains(t, err, reason)
	}
}

// Columns that say nothing, one value that says everything, and gaps.
func TestOddColumns(t *testing.T) {
	w := truth{weights: []float64{0.7}, columns: 1}
	plain := mustFit(t, simulate(6, 4000, w), Options{})
	rows := simulate(6, 4000, w)
	for i := range rows {
		flag := 0.0
		if i%400 == 0 {
			flag = 1 // in ten rows: too rare to count
		}
		rows[i].X = []float64{rows[i].X[0], 3, math.NaN(), flag}
	}
	rows[11].X[0], rows[12].X[0] = 1e12, math.Inf(-1)
	rows[13].X[0], rows[14].X[1] = math.NaN(), math.NaN()
	m := mustFit(t, rows, Options{})
	require.NoError(t, m.Check(4))
	require.InDelta(t, plain.Weights[0], m.Weights[0], 0.02)
	require.Equal(t, []float64{0, 0, 0}, m.Weights[1:])
	require.InDelta(t, m.Logit(0, []float64{4, 3, 0, 0}), m.Logit(0, []float64{1e300, 3, 0, 0}), 1e-12)
	require.Equal(t, m.Logit(0, []float64{m.Mean[0], 3, 0, 0}), m.Logit(0, []float64{math.NaN(), 3, 0, 0}))
}

// Complaints are rarer than the percentile at which columns are clamped.
func TestRareFlagCounts(t *testing.T) {
	rows := simulate(7, 20_000, truth{columns: 1, bias: -1})
	r := rand.New(rand.NewPCG(7, 2))
	for i := range rows {
		if i%250 == 0 { // eighty rows, four in a thousand
			rows[i].X[0] = 1
			rows[i].Churned = r.Float64() < 0.95
		} else {
			rows[i].X[0] = 0
		}
	}
	m := mustFit(t, rows, Options{})
	require.Equal(t, 1.0, m.Hi[0])
	require.Greater(t, m.Weights[0], 1.0)
	require.Less(t, m.Weights[0], 5.0)
}

// Without any extra information the rhythm model is left alone.
func TestNothingToLearn(t *testing.T) {
	for seed := range uint64(4) {
		w := truth{columns: 12, common: 0.3, each: 4}
		held := simulate(100+seed, 30_000, w)
		m := mustFit(t, simulate(seed, 4000, w), Options{})
		for _, v := range m.Weights {
			require.Less(t, math.Abs(v), 0.05)
		}
		require.Less(t, math.Abs(m.Bias), 0.1)
		require.Less(t, logLoss(held, m), 1.001*logLoss(held, nil))
	}
}

// What there is to learn is learned: most of what the truth itself gains.
func TestSomethingToLearn(t *testing.T) {
	w := truth{bias: 0.3, weights: []float64{0.6, -0.4, 0.2}, columns: 16, common: 0.4, each: 4}
	perfect := &Model{Bias: 0.3, Weights: []float64{0.6, -0.4, 0.2}, Lo: []float64{-9, -9, -9}, Hi: []float64{9, 9, 9}, Mean: make([]float64, 3)}
	held := simulate(100, 50_000, w)
	none, best := logLoss(held, nil), logLoss(held, perfect)
	for seed := range uint64(3) {
		got := logLoss(held, mustFit(t, simulate(seed, 4000, w), Options{}))
		require.Less(t, got, best+0.15*(none-best))
	}
}

// A customer with eight thousand snapshots has the say of ninety.
func TestBurstOfOneCustomer(t *testing.T) {
	w := truth{columns: 2, weights: []float64{0.5}}
	rows := simulate(8, 8000, w)
	plain := mustFit(t, rows, Options{})
	for i := range 8000 {
		rows = append(rows, Row{Group: 1, Snapshot: int32(i), X: []float64{-1, 1}, Churned: true})
	}
	m := mustFit(t, rows, Options{})
	require.InDelta(t, plain.Probability(0, []float64{-1, 1}), m.Probability(0, []float64{-1, 1}), 0.06)
	require.InDelta(t, plain.Probability(0, []float64{1, -1}), m.Probability(0, []float64{1, -1}), 0.06)
}

// One customer alone gives nothing to compare penalties on.
func TestOneCustomer(t *testing.T) {
	rows := simulate(9, 1000, truth{columns: 2, weights: []float64{2}})
	for i := range rows {
		rows[i].Group = 5
	}
	m := mustFit(t, rows, Options{})
	require.Equal(t, float64(Shut), m.Lambda)
	require.Equal(t, []float64{0, 0}, m.Weights)
}

// Thinning the cross-validation hardly changes what is learned.
func TestThinnedCrossValidation(t *testing.T) {
	w := truth{bias: 0.3, weights: []float64{0.6, -0.4, 0.2}, columns: 6, each: 4}
	rows := simulate(10, 20_000, w)
	whole, thin := mustFit(t, rows, Options{}), mustFit(t, rows, Options{MaxCV: 3000})
	require.InDeltaSlice(t, whole.Weights, thin.Weights, 0.05)
}

func TestNoColumns(t *testing.T) {
	rows := simulate(11, 1000, truth{columns: 0, bias: 1})
	m := mustFit(t, rows, Options{})
	require.Empty(t, m.Weights)
	require.InDelta(t, 1, m.Bias, 0.25)
	require.Equal(t, m.Bias, m.Logit(0, nil))
}
