package basket_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

// onPaper counts rows as one would on paper: with maps, nothing let go, and the
// weight of each row as it is told.
type onPaper struct {
	total       [basket.NumKinds]float64
	left, right [basket.NumKinds]map[uint64]float64
	pairs       [basket.NumKinds]map[[2]uint64]float64
	triples     map[[3]uint64]float64
}

func newOnPaper() *onPaper {
	p := &onPaper{triples: map[[3]uint64]float64{}}
	for k := range p.pairs {
		p.left[k], p.right[k], p.pairs[k] = map[uint64]float64{}, map[uint64]float64{}, map[[2]uint64]float64{}
	}
	return p
}

// row counts a row whose weight is w; below 0: takes it away.
func (p *onPaper) row(r *basket.Row, w float64) {
	k := r.Kind
	pair := func(a, b uint64, w float64) { p.pairs[k][[2]uint64{a, b}] += w }
	switch k {
	case basket.SameOrder:
		p.total[k] += w
		to := r.To[:min(len(r.To), basket.MaxItems)]
		for i, a := range to {
			p.left[k][a] += w
			p.right[k][a] += w
			for j, b := range to[i+1:] {
				pair(a, b, w)
				pair(b, a, w)
				for _, c := range to[i+j+2:] {
					if len(to) <= basket.MaxTripleSize {
						p.triples[[3]uint64{a, b, c}] += w
					}
				}
			}
		}
	case basket.SameSession, basket.NextOrder:
		p.total[k] += w
		for _, a := range r.From {
			p.left[k][a] += w
			for _, b := range r.To {
				pair(a, b, w)
			}
		}
		for _, b := range r.To {
			p.right[k][b] += w
		}
	case basket.SameCustomer:
		if len(r.From) == 0 {
			p.total[k] += w
		}
		for i, b := range r.To {
			p.left[k][b] += w
			p.right[k][b] += w
			for _, a := range append(slices.Clone(r.From), r.To[i+1:]...) { // in both directions together
				pair(a, b, w)
				pair(b, a, w)
			}
		}
	}
}

// table is what Counts.Table2 should say.
func (p *onPaper) table(k basket.Kind, a, b uint64) basket.Table2 {
	return basket.Table2{Both: p.pairs[k][[2]uint64{a, b}], A: p.left[k][a], B: p.right[k][b], N: p.total[k]}
}

// signed is a row and what becomes of it.
type signed struct {
	basket.Row
	sign int
}

// someItems draws up to n distinct items of a catalogue, sorted.
func someItems(t *rapid.T, catalogue uint64, n int, label string) []uint64 {
	is := rapid.SliceOfNDistinct(rapid.Uint64Range(1, catalogue), 1, n, rapid.ID).Draw(t, label)
	slices.Sort(is)
	return is
}

// rows draws rows of all kinds, at instants within span ms after begin.
func rows(catalogue uint64, begin, span int64) *rapid.Generator[basket.Row] {
	return rapid.Custom(func(t *rapid.T) basket.Row {
		r := basket.Row{
			Kind: basket.Kind(rapid.IntRange(0, basket.NumKinds-1).Draw(t, "kind")),
			At:   begin + rapid.Int64Range(0, span).Draw(t, "at"),
			To:   someItems(t, catalogue, 6, "to"),
		}
		switch r.Kind {
		case basket.SameSession:
			r.From, r.To = someItems(t, catalogue, 1, "from"), r.To[:1]
		case basket.NextOrder:
			r.From = someItems(t, catalogue, 6, "from")
		case basket.SameCustomer:
			if rapid.Bool().Draw(t, "known") {
				had := someItems(t, catalogue, 6, "from")
				r.From = slices.DeleteFunc(had, func(it uint64) bool { return slices.Contains(r.To, it) })
			}
		}
		return r
	})
}

// zipf draws baskets of size distinct items; the i-th of the catalogue is drawn
// as often as i^−skew.
func zipf(n, catalogue, size int, skew float64, seed uint64) [][]uint64 {
	rng := rand.New(rand.NewPCG(seed, 0))
	upTo := make([]float64, catalogue)
	sum := 0.
	for i := range upTo {
		sum += math.Pow(float64(i+1), -skew)
		upTo[i] = sum
	}
	all := make([][]uint64, n)
	for i := range all {
		var b []uint64
		for len(b) < size {
			if it := uint64(sort.SearchFloat64s(upTo, rng.Float64()*sum)) + 1; !slices.Contains(b, it) {
				b = append(b, it)
			}
		}
		slices.Sort(b)
		all[i] = b
	}
	return all
}

const hourMS = 3_600_000

// weigher tells what a row of an instant counts at another, as counts of one row
// say it.
func weigher(cfg basket.Config, now int64) func(at int64) float64 {
	return func(at int64) float64 {
		c := basket.New(cfg)
		c.Apply(&basket.Row{To: []uint64{1}, At: at}, 1)
		c.Advance(now)
		return c.Orders()
	}
}
