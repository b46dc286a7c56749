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
	late    float64   // total under the faster decay; SameOrder only
	sides   []side    // by dense index
	lists   []list    // by dense index
	pairs   int       // entries of all lists
	pruned  int       // neighbours that were let go
	worths  []float64 // of prune, between its calls
	gone    []uint32  // likewise
	near    uint64    // of what touch saw, so that it is not left out
}

// side is how often an item was counted.
type side struct {
	left, right float64 // SameOrder, SameCustomer: both are the item's count
	late        float64 // SameOrder: left under the faster decay; NextOrder: how often the item followed itself
}

func newTable(k Kind) table {
	t := table{kind: k, sides: make([]side, 1), lists: make([]list, 1)}
	if t.pool.slots = withExtras; k == SameSession {
		t.pool.slots = withoutExtras
	}
	t.pool.both = k == NextOrder || k == SameCustomer
	return t
}

// grow makes room for dense indices below n, and for some more.
func (t *table) grow(n int) {
	if n > cap(t.sides) {
		t.sides, t.lists = longer(t.sides, n+n/8), longer(t.lists, n+n/8)
	}
	t.sides, t.lists = t.sides[:n], t.lists[:n]
}

func longer[T any](s []T, n int) []T {
	l := make([]T, n)
	copy(l, s)
	return l
}

// mirrored are the sums of a pair as the other item's list has them.
func (t *table) mirrored(s sums) sums {
	if t.pool.both {
		return sums{s.extra, s.sum}
	}
	return s
}

// pair adds to the sums of two items, in the lists of both; of SameSession in
// that of a. Where a list has let something go, it learns what the other knows.
func (t *table) pair(a, b uint32, more sums, c *Counts) {
	own := t.pool.find(&t.lists[a], b)
	if t.kind == SameSession || a == b {
		t.set(a, b, own, more, c)
		return
	}
	other := t.pool.find(&t.lists[b], a)
	if t.lists[a].lost > 0 || t.lists[b].lost > 0 {
		here, there := own.sums, other.sums
		if t.lists[a].lost > 0 {
			own.learn(t.mirrored(there))
		}
		if t.lists[b].lost > 0 {
			other.learn(t.mirrored(here))
		}
	}
	t.set(a, b, own, more, c)
	t.set(b, a, other, t.mirrored(more), c)
}

func (s *sums) learn(o sums) { s.sum, s.extra = max(s.sum, o.sum), max(s.extra, o.extra) }

// set gives a's neighbour b the sums of its entry and what is added to them.
func (t *table) set(a, b uint32, e entry, more sums, c *Counts) {
	l, s := &t.lists[a], sums{e.sum + more.sum, e.extra + more.extra}
	switch {
	case e.held && (s.sum != 0 || t.pool.both && s.extra != 0):
		t.pool.update(&e, s)
	case e.held:
		t.pool.remove(l, b, &e)
		t.pairs--
	case l.lost > 0 && (more.sum < 0 || more.extra < 0): // of what was let go
	default:
		if int(l.n) >= c.cfg.Neighbours {
			t.prune(a)
		}
		t.pool.insert(l, b, s)
		t.pairs++
	}
	if l.moves < math.MaxUint16 {
		l.moves++
	}
	if l.stale() {
		t.fill(a, c)
	}
}

// sumsOf are those of a's neighbour b.
func (t *table) sumsOf(a, b uint32) sums {
	if int(a) >= len(t.lists) {
		return sums{}
	}
	return t.pool.find(&t.lists[a], b).sums
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
		t.lists[i].lost *= f
	}
	if t.pool.both {
		t.pool.scale(f, f)
	} else {
		t.pool.scale(f, 1)
	}
}

// scaleLate is scale for what decays faster.
func (t *table) scaleLate(f float64) {
	t.late *= f
	for i := range t.sides {
		t.sides[i].late *= f
	}
	t.pool.scale(1, f)
}

func (t *table) bytes() int64 {
	const side, list = 24, 24
	return t.pool.bytes() + int64(cap(t.shelves))*8 + int64(cap(t.sides))*side + int64(cap(t.lists))*list
}
