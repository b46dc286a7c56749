package churn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawBend(t *rapid.T) Bend {
	var b Bend
	x, y := rapid.Float64Range(-5, 5).Draw(t, "x"), rapid.Float64Range(-5, 5).Draw(t, "y")
	for range rapid.IntRange(0, 6).Draw(t, "points") {
		b.X, b.Y = append(b.X, x), append(b.Y, y)
		x += rapid.Float64Range(0.01, 3).Draw(t, "dx")
		y += rapid.Float64Range(0.01, 3).Draw(t, "dy")
	}
	return b
}

// A bend rises, its slope is that of its neighbourhood, and Back undoes it.
func TestBendRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBend(t)
		require.NoError(t, b.check())
		z := rapid.Float64Range(-12, 12).Draw(t, "z")
		y, slope, stretch := b.At(z)
		require.InDelta(t, z, b.Back(y), 1e-9)
		require.Greater(t, slope, 0.0)
		const d = 1e-6
		next, _, there := b.At(z + d)
		require.Greater(t, next, y)
		if there == stretch {
			require.InDelta(t, slope, (next-y)/d, 1e-3*math.Max(1, slope))
		}
		for i := range b.X {
			at, _, _ := b.At(b.X[i])
			require.InDelta(t, b.Y[i], at, 1e-12)
		}
	})
}

func TestBendThatDoesNotRiseIsRefused(t *testing.T) {
	for _, b := range []Bend{
		{X: []float64{0, 1}, Y: []float64{0, 0}},
		{X: []float64{1, 1}, Y: []float64{0, 1}},
		{X: []float64{0, 1}, Y: []float64{0}},
		{X: []float64{0, math.Inf(1)}, Y: []float64{0, 1}},
		{X: []float64{0, 5e-324}, Y: []float64{0, 5}},
		{X: []float64{-1e308, 1e308}, Y: []float64{-1, 1}},
		{X: []float64{-1, 1}, Y: []float64{0, math.NaN()}},
	} {
		m := Model{Bend: b}
		require.ErrorContains(t, m.Check(0), "calibration", "%v", b)
	}
}

// bent are labels whose log-odds are not z but as far as shape takes it.
func bent(seed uint64, n int, shape func(z float64) float64) []Row {
	rng := rand.New(rand.NewPCG(seed, 3))
	rows := make([]Row, n)
	for i := range rows {
		z := 2 * rng.NormFloat64()
		rows[i] = Row{Group: rng.Uint64(), Offset: z, X: []float64{}, Churned: rng.Float64() < Logistic(shape(z))}
	}
	return rows
}

// What is too sure of itself on one side and too timid on the other is bent to
// what happens; the order stays.
func TestCalibrateFindsTheShape(t *testing.T) {
	shape := func(z float64) float64 {
		if z > 1 {
			return 0.6 + 2*(z-1)
		}
		return 0.6 * z
	}
	m := (&Model{}).Calibrate(bent(1, 20_000, shape), Options{})
	before := math.Inf(-1)
	for z := -3.0; z <= 3; z += 0.5 {
		got := m.Logit(z, nil)
		require.InDelta(t, Logistic(shape(z)), Logistic(got), 0.03, "at %g", z)
		require.Greater(t, got, before)
		before = got
	}
	rows := bent(1, 20_000, shape)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	require.Equal(t, m, (&Model{}).Calibrate(rows, Options{}), "labels have no order")
	require.Same(t, m, m.Calibrate(rows, Options{}), "once is enough")
}

func TestCalibrateLeavesWhatIsRight(t *testing.T) {
	m := &Model{Bias: 0.2}
	straight := func(z float64) float64 { return z + 0.2 }
	require.Same(t, m, m.Calibrate(bent(2, 3000, straight), Options{}))
	require.Same(t, m, m.Calibrate(bent(2, 100, straight), Options{}), "too few to tell")
	require.Same(t, m, m.Calibrate(nil, Options{}))
}

// Labels that go against the order do not turn it.
func TestCalibrateNeverTurnsTheOrder(t *testing.T) {
	for seed := range uint64(4) {
		valley := func(z float64) float64 { return math.Abs(z) - 1 }
		m := (&Model{}).Calibrate(bent(seed, 4000, valley), Options{})
		require.NoError(t, m.Check(0))
		for i := range m.Bend.X[1:] {
			require.GreaterOrEqual(t, m.Bend.Y[i+1]-m.Bend.Y[i], 0.099*(m.Bend.X[i+1]-m.Bend.X[i]))
		}
	}
}

func TestRaiseLiftsEveryLogit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Model{Bend: drawBend(t)}
		old := slices.Clone(m.Bend.Y)
		z, level := rapid.Float64Range(-9, 9).Draw(t, "z"), rapid.Float64Range(-2, 2).Draw(t, "level")
		raised := m
		raised.Raise(level)
		require.InDelta(t, m.Logit(z, nil)+level, raised.Logit(z, nil), 1e-12)
		require.Equal(t, old, m.Bend.Y, "the model it came from stays")
	})
}
