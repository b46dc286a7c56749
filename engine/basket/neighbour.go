package basket

import (
	"cmp"
	"math"
	"slices"
)

// Neighbour is the rule "who has the asked item has Item too", in the sense of
// a kind of evidence. Counts are decayed to now.
type Neighbour struct {
	Item  uint64
	Count float64 // orders (steps, customers) that hold both
	Table2
	Strength float64 // what neighbours are ranked by, see Table2.Strength
	Short    float64 // by how much Count may be too small
}

// Table2 is what is counted of two items under a kind.
func (c *Counts) Table2(k Kind, a, b uint64) Table2 {
	da, db := c.index.find(a), c.index.find(b)
	t := &c.tables[k]
	return c.of(t, da, db, t.together(da, db))
}

// of is the table of two items whose pair has a sum.
func (c *Counts) of(t *table, a, b uint32, both float64) Table2 {
	u := c.unit()
	return Table2{Both: both / u, A: t.sides[a].left / u, B: t.sides[b].right / u, N: t.total / u}
}

// Neighbours appends the item's k strongest neighbours to dst, strongest first,
// equals by hash: those that hold (see Holds). It looks at all that are held of
// the item, up to Config.Neighbours.
func (c *Counts) Neighbours(kind Kind, item uint64, k int, dst []Neighbour) []Neighbour {
	d := c.index.find(item)
	t := &c.tables[kind]
	if d == 0 || k <= 0 || t.lists[d].n == 0 {
		return dst
	}
	from, l := len(dst), &t.lists[d]
	for b, s := range t.pool.each(l) {
		v := c.of(t, d, b, t.joint(s))
		if !c.holds(t, d, b, v) {
			continue
		}
		dst = append(dst, Neighbour{
			Item: c.index.hashes[b], Count: v.Both, Table2: v, Strength: v.Strength(c.cfg.Prior), Short: l.lost / c.unit(),
		})
	}
	slices.SortFunc(dst[from:], func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Strength, a.Strength), cmp.Compare(a.Item, b.Item))
	})
	return dst[:min(len(dst), from+k)]
}

// Holds says whether a goes with b: in enough orders, above what chance would
// do with Config.Certainty although all pairs of the catalogue are looked at, and
// not contradicted by what happened of late. Of SameOrder it is the same for b and
// a.
//
// Orders of one customer are not independent of each other, as the first of these
// would have it: one who always wants a and b makes them a pair. Decay makes up for
// that. A decayed sum varies half as much as the count that it is taken for, so that
// LLR, once orders have come for some half-lives, is half of what it could be. Plain
// counts of a few regular customers have no such margin.
func (c *Counts) Holds(k Kind, a, b uint64) bool {
	da, db := c.index.find(a), c.index.find(b)
	t := &c.tables[k]
	return da != 0 && db != 0 && c.holds(t, da, db, c.of(t, da, db, t.together(da, db)))
}

func (c *Counts) holds(t *table, a, b uint32, v Table2) bool {
	return c.Sound(v) && !c.ended(t, a, b, v)
}

// threshold is the LLR that, by chance alone, any of all pairs of the catalogue
// exceeds with a probability of 1 − Certainty (Bonferroni): so often does a
// catalogue in which nothing goes together show any affinity at all.
func (c *Counts) threshold() float64 {
	n := float64(c.Items())
	x := math.Erfinv(1 - (1-c.cfg.Certainty)/max(1, n*(n-1)/2))
	if math.IsInf(x, 1) {
		x = 6
	}
	return 2 * x * x
}

// ended says whether a habit has stopped: whether what came of late (with a third
// of the half-life) speaks more for the two being together no more often than by
// chance than for their being so as often as before. It asks, of the item with more
// orders of late (where a habit was what sold an item, few of its orders are left),
// in how many of these the other one is, and compares by the log-likelihood ratio
//
//	with     the share before: in what the decayed counts have beyond the late ones,
//	         drawn towards that of all where there is little of it
//	without  the share in orders without the item
//
// Where so many orders tell the two shares apart, so that either is taken for the
// other with a probability of at most e^−endedBound by Chernoff's bound, a ratio
// below 0 is enough. Where they do not, it must be so far below that a habit that
// goes on is taken for one that stopped with that probability at most. Mostly that
// happens far less often than the bound says.
//
// What is left of a stopped habit in the decayed counts fades, and with it what the
// late ones say against it. It mostly stays ended until LLR is below what is asked
// for.
func (c *Counts) ended(t *table, a, b uint32, v Table2) bool {
	if t.kind != SameOrder || c.clock.step == 0 {
		return false
	}
	if na, nb := t.sides[a].late, t.sides[b].late; nb > na || nb == na && c.index.hashes[b] < c.index.hashes[a] {
		a, b, v.A, v.B = b, a, v.B, v.A
	}
	u := c.quick.weight(c.now)
	both := max(t.sumsOf(a, b).extra, t.sumsOf(b, a).extra, 0) / u
	n := max(t.sides[a].late/u, both)
	all := (v.Both + .5) / (v.A + 1)
	with := (max(v.Both-both, 0) + all) / (max(v.A-n, 0) + 1)
	without := (v.B - v.Both + .5) / (v.N - v.A + 1)
	if with <= without || with >= 1 {
		return false
	}
	// A decayed sum has half its mean as variance: as twice as many that count half.
	both, n = 2*both, 2*n
	ratio := both*math.Log(with/without) + (n-both)*math.Log((1-with)/(1-without))
	apart := -n * math.Log(math.Sqrt(with*without)+math.Sqrt((1-with)*(1-without)))
	return ratio < min(0, 2*(apart-endedBound))
}

const endedBound = 2

// TripleTable is what is counted of the orders with both a and b (A of the
// table) and those with item (B).
func (c *Counts) TripleTable(a, b, item uint64) Table2 {
	return Table2{
		Both: c.Triple(a, b, item), A: c.Pair(SameOrder, a, b), B: c.Count(SameOrder, item), N: c.Orders(),
	}
}

// Sound says whether a table is evidence: of enough rows, with a lift above 1, and
// beyond chance; see Holds.
func (c *Counts) Sound(t Table2) bool {
	return t.sound() && t.Both >= c.cfg.MinCount && t.Lift() > 1 && t.LLR() >= c.threshold()
}

// Prior is Config.Prior.
func (c *Counts) Prior() float64 { return c.cfg.Prior }
