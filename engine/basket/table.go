package basket

import "math"

// table counts one kind of evidence. Sums are in weights (see clock).
//
// Of an item it knows how often it stood first (left) and second (right) of a
// pair's two sides, and its list of neighbours. A list's sums are of the pairs in
// which the item stands first. Its extras are, for a directed kind, those of the
// pairs in which it stands second, so that it can be asked both ways; for
// SameOrder the same sums under a faster decay, by which it is known what does
// not hold any more; SameSession has none.
type table struct {
	kind    Kind
	pool    pool
	shelves []Near // MaxNear an item, of the strongest neighbours; see shelf.go
	total   float64
	late    float64 // total under the faster decay; SameOrder only
	sides   []side  // by dense index
	lists   []list  // by dense index
	pairs   int     // entries of all lists
	pruned  int     // neighbours that were let go
}

// side is how often an item was counted.
type side struct {
	left, right float64 // SameOrder, SameCustomer: both are the item's count
	late        float64 // SameOrder: left under the faster decay; NextOrder: how often the item followed itself
}

func newTable(k Kind) table {
	t := table{kind: k, sides: make([]side, 1), lists: make([]list, 1)}
	t.pool.extra = k != SameSession
	t.pool.both = k == NextOrder || k == SameCustomer
	return t
}

// grow makes room for dense indices below n.
func (t *table) grow(n int) {
	for len(t.sides) < n {
		t.sides = append(t.sides, side{})
		t.lists = append(t.lists, list{})
	}
}

// mirrored are the sums of a pair as the other item's list has them.
func (t *table) mirrored(sum, extra float64) (float64, float64) {
	if t.pool.both {
		return extra, sum
	}
	return sum, extra
}

// pair adds to the sums of two items, in the lists of both; of SameSession in
// that of a. Where a list has let something go, it learns what the other knows.
func (t *table) pair(a, b uint32, sum, extra float64, c *Counts) {
	own := t.entry(a, b)
	if t.kind == SameSession || a == b {
		t.set(a, b, own, sum, extra, c)
		return
	}
	other := t.entry(b, a)
	s, e := own.sum, own.extra
	if t.lists[a].lost > 0 {
		s2, e2 := t.mirrored(other.sum, other.extra)
		own.sum, own.extra = max(s, s2), max(e, e2)
	}
	if t.lists[b].lost > 0 {
		s, e = t.mirrored(s, e)
		other.sum, other.extra = max(other.sum, s), max(other.extra, e)
	}
	t.set(a, b, own, sum, extra, c)
	sum, extra = t.mirrored(sum, extra)
	t.set(b, a, other, sum, extra, c)
}

// entry is where a list has a neighbour, and its sums; 0 where it has not.
type entry struct {
	i          int
	held       bool
	sum, extra float64
}

func (t *table) entry(a, b uint32) (e entry) {
	l := &t.lists[a]
	if e.i, e.held = t.pool.find(l, b); e.held {
		e.sum, e.extra = t.pool.sumsAt(l, e.i)
	}
	return e
}

// set gives a's neighbour b the sums of its entry and what is added to them.
func (t *table) set(a, b uint32, e entry, sum, extra float64, c *Counts) {
	l := &t.lists[a]
	switch {
	case e.held:
		_, sums, extras := t.pool.entries(l.at, l.n)
		if sums[e.i] = e.sum + sum; t.pool.extra {
			extras[e.i] = e.extra + extra
		}
		if sums[e.i] == 0 && (!t.pool.both || extras[e.i] == 0) {
			t.pool.remove(l, e.i)
			t.pairs--
		}
	case l.lost > 0 && (sum < 0 || extra < 0): // of what was let go
	default:
		if int(l.n) >= c.cfg.Neighbours {
			t.prune(a)
		}
		t.pool.insert(l, b, e.sum+sum, e.extra+extra)
		t.pairs++
	}
	if l.moves < math.MaxUint16 {
		l.moves++
	}
	if l.stale() {
		t.fill(a, c)
	}
}

// sumsOf are those of a's neighbour b: a first, and the extra.
func (t *table) sumsOf(a, b uint32) (sum, extra float64) {
	if int(a) >= len(t.lists) {
		return 0, 0
	}
	e := t.entry(a, b)
	return e.sum, e.extra
}

// scale multiplies every sum by 2^−halves, under the kind's decay.
func (t *table) scale(f float64) {
	t.total *= f
	for i := range t.sides {
		t.sides[i].left *= f
		t.sides[i].right *= f
		if t.kind == NextOrder {
			t.sides[i].late *= f
		}
	}
	for i := range t.lists {
		_, sums, extras := t.pool.of(&t.lists[i])
		multiply(sums, f)
		if t.pool.both {
			multiply(extras, f)
		}
		t.lists[i].lost *= f // an emptied list's too
	}
}

func multiply(sums []float64, f float64) {
	for i := range sums {
		sums[i] *= f
	}
}

// scaleLate is scale for what decays faster.
func (t *table) scaleLate(f float64) {
	t.late *= f
	for i := range t.sides {
		t.sides[i].late *= f
	}
	for i := range t.lists {
		_, _, extras := t.pool.of(&t.lists[i])
		multiply(extras, f)
	}
}

func (t *table) bytes() int64 {
	const side, list = 24, 24
	return t.pool.bytes() + int64(cap(t.shelves))*8 + int64(cap(t.sides))*side + int64(cap(t.lists))*list
}
