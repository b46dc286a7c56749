package churn

import (
	"fmt"
	"math"
	"slices"
)

// Bend calibrates log-odds: a rising piecewise linear function through points,
// of slope one before the first and after the last. The zero value leaves
// log-odds as they are.
//
// A sum of terms says who is more at risk than whom, and is too sure of itself
// here and too timid there wherever the terms do not simply add up. The bend
// makes a probability mean what it says and leaves the order as it is.
type Bend struct {
	X, Y []float64 // both ascending, as many of each
}

// At is where log-odds z are bent to, the slope there, and the index of the
// stretch between two points that z is in.
func (b *Bend) At(z float64) (y, slope float64, stretch int) { return along(b.X, b.Y, z) }

// Back is the z that At bends to y.
func (b *Bend) Back(y float64) float64 {
	z, _, _ := along(b.Y, b.X, y)
	return z
}

// along is the function through the points at v, its slope there, and the index
// of the point that v lies before.
func along(from, to []float64, v float64) (value, slope float64, i int) {
	n := len(from)
	for i < n && v >= from[i] {
		i++
	}
	switch {
	case n == 0:
		return v, 1, 0
	case i == 0:
		return to[0] + (v - from[0]), 1, 0
	case i == n:
		return to[n-1] + (v - from[n-1]), 1, n
	}
	slope = (to[i] - to[i-1]) / (from[i] - from[i-1])
	return to[i-1] + slope*(v-from[i-1]), slope, i
}

// check refuses points that do not rise, or so steeply or so little that
// log-odds lose their digits.
func (b *Bend) check() error {
	if len(b.X) != len(b.Y) {
		return fmt.Errorf("churn model: calibration has %d log-odds and %d to bend them to", len(b.X), len(b.Y))
	}
	for i := range b.X {
		if !(math.Abs(b.X[i]) <= 1e3 && math.Abs(b.Y[i]) <= 1e3) {
			return fmt.Errorf("churn model: calibration bends log-odds of %g to %g", b.X[i], b.Y[i])
		}
		if i == 0 {
			continue
		}
		dx, dy := b.X[i]-b.X[i-1], b.Y[i]-b.Y[i-1]
		if slope := dy / dx; !(dx > 0 && slope >= 1e-6 && slope <= 1e6) {
			return fmt.Errorf("churn model: calibration does not rise at point %d", i)
		}
	}
	return nil
}

// stretches is how many parts of equally many labels the log-odds are cut into;
// they bend where two of them meet.
const stretches = 16

// flattest is the least slope: a bend must not make one of who is at more risk
// and who is at less.
const flattest = 0.1

// Calibrate returns m with a bend fitted to labelled snapshots, whole horizons
// if the probabilities are to be of whole horizons. It is a fit as by Fit, of the
// changes of slope, with the log-odds of m as the offset: where cross-validation
// does not find that bending helps, or the labels do not allow to tell, m is
// returned as it is. So it is if it has a bend.
//
// (The log-odds come of the same customers' labels. With hundreds of them for
// each term, that flatters them by little.)
func (m *Model) Calibrate(rows []Row, opt Options) *Model {
	if len(m.Bend.X) > 0 || len(rows) == 0 {
		return m
	}
	rows = slices.Clone(rows)
	z := make([]float64, len(rows))
	for i := range rows {
		rows[i].Offset = clampOffset(m.Logit(rows[i].Offset, rows[i].X))
		z[i] = rows[i].Offset
	}
	slices.Sort(z)
	var knots []float64
	for j := 1; j < stretches; j++ {
		if k := z[len(z)*j/stretches]; len(knots) == 0 || k > knots[len(knots)-1]+1e-3 {
			knots = append(knots, k)
		}
	}
	for i := range rows {
		x := make([]float64, len(knots))
		for j, k := range knots {
			x[j] = max(rows[i].Offset-k, 0)
		}
		rows[i].X = x
	}
	for {
		turns, err := Fit(rows, nil, opt)
		if err != nil || turns.Lambda >= Shut {
			return m
		}
		if b, ok := bendOf(knots, turns); ok {
			bent := *m
			bent.Bend = b
			return &bent
		}
		// Not rising: a stronger penalty bends less.
		opt.Lambdas = []float64{max(10*turns.Lambda, 1)}
	}
}

// bendOf is the bend of a model over max(z−knot, 0) by knot; false: it does not
// rise everywhere.
func bendOf(knots []float64, m *Model) (b Bend, ok bool) {
	x := slices.Clone(knots)
	for j, k := range knots { // where a column is clamped
		x = append(x, k+m.Lo[j], k+m.Hi[j])
	}
	slices.Sort(x)
	x = slices.CompactFunc(x, func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
	column := make([]float64, len(knots))
	for i, z := range x {
		for j, k := range knots {
			column[j] = max(z-k, 0)
		}
		b.X, b.Y = append(b.X, z), append(b.Y, m.Logit(z, column))
		if i > 0 && !(b.Y[i]-b.Y[i-1] >= flattest*(z-x[i-1])) {
			return b, false
		}
	}
	return b, true
}
