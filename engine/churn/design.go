package churn

import (
	"math"
	"slices"
)

// design is the rows made ready for regression: clamped, standardised, one
// after the other, weighted, those of a customer side by side.
type design struct {
	width   int       // columns in use and, first, the intercept
	x       []float64 // rows × width
	offset  []float64
	y       []float64 // 1 for churned
	weight  []float64
	group   []uint64 // hash of the customer
	columns []int    // which column of the rows each but the intercept is
	mean    []float64
	scale   []float64 // of the columns in use: x = (clamped − mean)/scale
}

// narrowest is the least scale of a column, as a part of the distance between
// its clamps. A column that is clamped at its percentiles has at least that;
// it binds for rare flags, whose weight would else escape the penalty.
const narrowest = 0.05

// prepare makes the design of sorted rows, and a model with the columns' data.
func prepare(rows []Row) (*Model, *design) {
	columns := len(rows[0].X)
	d := &design{
		offset: make([]float64, len(rows)), y: make([]float64, len(rows)),
		weight: make([]float64, len(rows)), group: make([]uint64, len(rows)),
	}
	for i, r := range rows {
		d.offset[i], d.group[i] = clampOffset(r.Offset), r.Group
		if r.Churned {
			d.y[i] = 1
		}
		if d.weight[i] = r.Weight; r.Weight == 0 {
			d.weight[i] = 1
		}
	}
	d.share()
	m := &Model{
		Weights: make([]float64, columns), Lo: make([]float64, columns),
		Hi: make([]float64, columns), Mean: make([]float64, columns), Rows: len(rows),
	}
	scratch := make([]float64, 0, len(rows))
	for c := range columns {
		m.Lo[c], m.Hi[c] = clamps(rows, c, scratch)
		mean, scale := d.moments(rows, c, m)
		m.Mean[c] = mean
		if scale > 0 {
			d.columns = append(d.columns, c)
			d.mean = append(d.mean, mean)
			d.scale = append(d.scale, scale)
		}
	}
	d.width = len(d.columns) + 1
	d.fill(rows, m)
	return m, d
}

// share gives the n rows of a customer the weight of √n.
func (d *design) share() {
	for from := 0; from < len(d.group); {
		to := from + 1
		for to < len(d.group) && d.group[to] == d.group[from] {
			to++
		}
		f := 1 / math.Sqrt(float64(to-from))
		for i := from; i < to; i++ {
			d.weight[i] *= f
		}
		from = to
	}
}

// clamps are the 0.5 and 99.5 percentiles of a column's finite values. Where
// they coincide, a flag that is rarer than that counts nevertheless if it is
// set in at least minClass rows: the clamp then is the value that the
// minClass-th of them has.
func clamps(rows []Row, c int, scratch []float64) (lo, hi float64) {
	v := scratch[:0]
	for _, r := range rows {
		if finite(r.X[c]) {
			v = append(v, r.X[c])
		}
	}
	if len(v) == 0 {
		return 0, 0
	}
	slices.Sort(v)
	n := len(v)
	skip := int(0.005 * float64(n-1))
	lo, hi = v[skip], v[n-1-skip]
	if lo == hi && n >= 2*minClass {
		lo, hi = v[min(skip, minClass-1)], v[max(n-1-skip, n-minClass)]
	}
	return lo, hi
}

// moments are a column's weighted mean and its scale, zero if it is constant.
func (d *design) moments(rows []Row, c int, m *Model) (mean, scale float64) {
	lo, hi := m.Lo[c], m.Hi[c]
	var sum, total float64
	for i, r := range rows {
		if v := r.X[c]; v == v {
			sum += d.weight[i] * (min(max(v, lo), hi) - lo)
			total += d.weight[i]
		}
	}
	if total == 0 || !(hi > lo) || !finite(hi-lo) {
		return lo, 0
	}
	mean = min(lo+sum/total, hi)
	square := 0.0
	for i, r := range rows {
		if v := r.X[c]; v == v {
			dev := min(max(v, lo), hi) - mean
			square += d.weight[i] * dev * dev
		}
	}
	return mean, max(math.Sqrt(square/total), narrowest*(hi-lo))
}

func (d *design) fill(rows []Row, m *Model) {
	d.x = make([]float64, len(rows)*d.width)
	for i, r := range rows {
		x := d.x[i*d.width : (i+1)*d.width]
		x[0] = 1
		for k, c := range d.columns {
			x[k+1] = (m.clamped(c, r.X[c]) - d.mean[k]) / d.scale[k]
		}
	}
}

// toModel writes coefficients of the standardised columns as weights.
func (d *design) toModel(beta []float64, m *Model) {
	m.Bias = beta[0]
	for k, c := range d.columns {
		m.Weights[c] = beta[k+1] / d.scale[k]
		m.Bias -= m.Weights[c] * d.mean[k]
	}
}

// fromModel is the reverse; nil where the model does not fit in.
func (d *design) fromModel(m *Model) []float64 {
	if m == nil || len(d.columns) > 0 && d.columns[len(d.columns)-1] >= len(m.Weights) {
		return nil
	}
	beta := make([]float64, d.width)
	beta[0] = m.Bias
	for k, c := range d.columns {
		beta[k+1] = m.Weights[c] * d.scale[k]
		beta[0] += m.Weights[c] * d.mean[k]
	}
	for _, b := range beta {
		// A start from afar costs more than it saves.
		if !(math.Abs(b) < farthest) {
			return nil
		}
	}
	return beta
}
