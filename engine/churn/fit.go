package churn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrTooFew says that there are not enough labels to learn from; the numbers
// are in its message. The rhythm model answers alone then.
var ErrTooFew = errors.New("too few labels")

// minClass is the least number of labels of either outcome.
const minClass = 50

// Row is a snapshot of a customer whose label is known: the horizon that its
// Offset speaks of has passed.
type Row struct {
	Group    uint64    // hash of the customer
	Snapshot int32     // which of the customer's: a number that orders them
	Offset   float64   // log-odds of churning by the rhythm model
	X        []float64 // columns, as many in each row; NaN is unknown
	Churned  bool      // no order within that horizon
	Weight   float64   // 0 stands for 1
}

// Options of a fit. The zero value is the recommended one.
type Options struct {
	MinLabels int       // least number of rows, 500
	Lambdas   []float64 // ridge penalties to choose from; one is taken as it is
	Folds     int       // of the cross-validation, 5
	MaxCV     int       // rows, about, that the cross-validation may take, 40,000
}

func (o Options) withDefaults() Options {
	o.MinLabels = cmp.Or(o.MinLabels, 500)
	o.Folds = cmp.Or(o.Folds, 5)
	o.MaxCV = cmp.Or(o.MaxCV, 40_000)
	if len(o.Lambdas) == 0 {
		o.Lambdas = []float64{1, 5, 20, 100, 300, 1000, 5000, 30_000, Shut}
	}
	o.Lambdas = slices.Clone(o.Lambdas)
	slices.Sort(o.Lambdas)
	return o
}

// Fit learns a model from labelled snapshots: logistic regression with an
// offset and a ridge penalty λ/2·Σβ² on the standardised columns, by Newton's
// method. λ is in units of labels, and as such does not depend on their number:
// β is believed to lie within about 1/√λ of zero until they say otherwise.
//
//   - Columns are clamped to their 0.5 and 99.5 percentiles and standardised by
//     weighted mean and deviation. A constant column has the weight zero.
//   - The n rows of a customer share the weight of √n rows: overlapping horizons
//     tell the same story again, but not only. On simulated shops a weight of one
//     in total learns less from the same labels, and with n a burst of labels
//     of one customer would rule.
//   - λ comes from a grid by cross-validation over customers; see choose.
//   - The bias is penalised as by one label, which keeps it finite.
//
// The result is the same for the rows in any order, to the bit. The start,
// which may be nil, only saves iterations: results agree to 1e-9. Rows are
// not changed.
//
// The error wraps ErrTooFew for fewer than Options.MinLabels rows or 50 of
// either outcome. Other errors name a row that is no row.
func Fit(rows []Row, start *Model, opt Options) (*Model, error) {
	opt = opt.withDefaults()
	if err := check(rows, opt.MinLabels); err != nil {
		return nil, err
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compare)
	m, d := prepare(rows)
	m.Lambda = opt.Lambdas[0]
	if len(opt.Lambdas) > 1 {
		m.Lambda = d.choose(opt)
	}
	beta := d.fromModel(start)
	if beta == nil {
		beta = make([]float64, d.width)
	}
	if err := newSolver(d.width).fit(d, nil, m.Lambda, tight, beta); err != nil {
		return nil, err
	}
	d.toModel(beta, m)
	return m, nil
}

// compare is a total order: rows that compare equal are equal.
func compare(a, b Row) int {
	if c := cmp.Compare(a.Group, b.Group); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Snapshot, b.Snapshot); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Offset, b.Offset); c != 0 {
		return c
	}
	if a.Churned != b.Churned {
		if a.Churned {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Weight, b.Weight), slices.Compare(a.X, b.X))
}

func check(rows []Row, least int) error {
	churned := 0
	for i, r := range rows {
		if r.Churned {
			churned++
		}
		switch {
		case len(r.X) != len(rows[0].X):
			return fmt.Errorf("row %d: %d columns, the first row has %d", i, len(r.X), len(rows[0].X))
		case math.IsNaN(r.Offset):
			return fmt.Errorf("row %d: offset is not a number", i)
		case !(r.Weight >= 0) || math.IsInf(r.Weight, 1):
			return fmt.Errorf("row %d: weight is %g", i, r.Weight)
		}
	}
	if stayed := len(rows) - churned; len(rows) < least || churned < minClass || stayed < minClass {
		return fmt.Errorf("%w: %d rows, %d churned and %d stayed; at least %d and %d of each are needed",
			ErrTooFew, len(rows), churned, stayed, least, minClass)
	}
	return nil
}
