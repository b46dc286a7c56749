package pipeline

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/score"
)

// exactHalfLives is over how many half-lives sums of weights are exact, see basket.
const exactHalfLives = 40

// Differ calls say with each difference between w, folded from the shared log, and
// counted, from the ledgers: its kind and a line that names it with both figures.
// Where no list has let anything go they must be the same to the last bit.
func (w *Whole) Differ(counted *Whole, say func(kind, text string)) {
	w.flush()
	counted.flush()
	a, b := w.core.counts, counted.core.counts
	now := max(a.Now(), b.Now())
	a.Advance(now)
	b.Advance(now)
	d := differ{w: w, o: counted, say: say}
	if half := w.core.cfg.Basket.HalfLife.Milliseconds(); half > 0 && counted.oldest != 0 && now-counted.oldest > exactHalfLives*half {
		d.slack = 1e-9
	}
	d.totals()
	for k := range basket.Kind(basket.NumKinds) {
		d.items(k)
		d.pairs(k)
	}
	d.triples()
	w.names(counted, say)
	d.population()
}

type differ struct {
	w, o  *Whole
	say   func(kind, text string)
	slack float64 // relative, of sums that are not exact
}

// differs says whether two figures of which each may be short by so much differ.
func (d *differ) differs(x, y, short float64) bool {
	return x != y && math.Abs(x-y) > short*(1+1e-9)+d.slack*max(math.Abs(x), math.Abs(y))
}

func figure(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func (d *differ) tell(kind, what string, x, y float64) {
	d.say(kind, fmt.Sprintf("%s: %s by the shared log, %s by the ledgers", what, figure(x), figure(y)))
}

func (d *differ) totals() {
	a, b := d.w.core.counts, d.o.core.counts
	for k := range basket.Kind(basket.NumKinds) {
		if x, y := a.Total(k), b.Total(k); d.differs(x, y, 0) {
			d.tell("counts", fmt.Sprintf("total of %s", k), x, y)
		}
	}
	if x, y := a.Giants(), b.Giants(); x != y {
		d.tell("counts", "giant baskets", float64(x), float64(y))
	}
}

// items compares how often each item was counted.
func (d *differ) items(k basket.Kind) {
	a, b := d.w.core.counts, d.o.core.counts
	for i := 1; i <= a.Items(); i++ {
		h := a.Item(basket.Ref(i))
		if x, y := a.Count(k, h), b.Count(k, h); d.differs(x, y, 0) {
			d.tell("counts", fmt.Sprintf("%s, item %s", k, d.w.name(h)), x, y)
		}
	}
	for i := 1; i <= b.Items(); i++ {
		h := b.Item(basket.Ref(i))
		if y := b.Count(k, h); a.Ref(h) == 0 && d.differs(0, y, 0) {
			d.tell("counts", fmt.Sprintf("%s, item %s", k, d.w.name(h)), 0, y)
		}
	}
}

// pairs compares the pairs that either of the two holds.
func (d *differ) pairs(k basket.Kind) {
	a, b := d.w.core.counts, d.o.core.counts
	directed := k == basket.SameSession || k == basket.NextOrder
	short := func(c *basket.Counts, x, y uint64) float64 {
		if k == basket.SameSession {
			return c.Lost(k, x)
		}
		return min(c.Lost(k, x), c.Lost(k, y))
	}
	one := func(x, y uint64) {
		n, m := a.Pair(k, x, y), b.Pair(k, x, y)
		if d.differs(n, m, max(short(a, x, y), short(b, x, y))) {
			d.tell("pairs", fmt.Sprintf("%s, items %s and %s", k, d.w.name(x), d.w.name(y)), n, m)
		}
	}
	a.EachPair(k, func(x, y uint64, _ float64) {
		if directed || x <= y {
			one(x, y)
		}
	})
	b.EachPair(k, func(x, y uint64, _ float64) {
		if (directed || x <= y) && a.Pair(k, x, y) == 0 {
			one(x, y)
		}
	})
}

func (d *differ) triples() {
	a, b := d.w.core.counts, d.o.core.counts
	short := max(a.LostTriples(), b.LostTriples())
	one := func(x, y, z uint64) {
		if n, m := a.Triple(x, y, z), b.Triple(x, y, z); d.differs(n, m, short) {
			d.tell("triples", fmt.Sprintf("items %s, %s and %s", d.w.name(x), d.w.name(y), d.w.name(z)), n, m)
		}
	}
	a.EachTriple(func(x, y, z uint64, _ float64) { one(x, y, z) })
	b.EachTriple(func(x, y, z uint64, _ float64) {
		if a.Triple(x, y, z) == 0 {
			one(x, y, z)
		}
	})
}

// population compares who is counted how.
func (d *differ) population() {
	a, b := d.w.core.agg, d.o.core.agg
	if bytes.Equal(a.Append(nil), b.Append(nil)) {
		return
	}
	told := false
	one := func(what string, x, y int) {
		if x != y {
			told = true
			d.tell("population", what, float64(x), float64(y))
		}
	}
	p, q := a.Population(0, score.Cuts{}), b.Population(0, score.Cuts{})
	one("customers", p.Customers, q.Customers)
	one("buyers", p.Buyers, q.Buyers)
	each := func(what string, x, y map[string]int) {
		all := map[string]int{}
		maps.Copy(all, x)
		maps.Copy(all, y)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			one(fmt.Sprintf("%s %s", what, name), x[name], y[name])
		}
	}
	each("segment", p.Segments, q.Segments)
	each("stage", p.Stages, q.Stages)
	each("churn band", p.Bands, q.Bands)
	for i := range p.Levels {
		one(fmt.Sprintf("level %d", i), p.Levels[i], q.Levels[i])
	}
	from := map[string]bool{}
	for name := range p.Migrations {
		from[name] = true
	}
	for name := range q.Migrations {
		from[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		each("moves from "+name+" to", p.Migrations[name], q.Migrations[name])
	}
	if !told {
		d.say("population", "the histograms of recency, frequency and spend differ between the shared log and the ledgers")
	}
}
