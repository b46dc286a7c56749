package basket

import "math"

// MaxNear is how many neighbours of an item are kept at hand for ranking what
// to offer. On Ta-Feng's baskets lists of 20 foretell what is bought next as well
// as lists of 100 and whole ones.
const MaxNear = 20

// Ref is an item's place in the counts: 0 for none. It is the same as long as
// the counts live.
type Ref uint32

// Ref is where an item is; 0 for one never seen.
func (c *Counts) Ref(item uint64) Ref { return Ref(c.index.find(item)) }

// Know is Ref of an item that gets a place if it has none.
func (c *Counts) Know(item uint64) Ref { return Ref(c.dense(item)) }

// Item is the item at a place.
func (c *Counts) Item(r Ref) uint64 { return c.index.hashes[r] }

// Near is a neighbour at hand.
type Near struct {
	To       Ref
	Strength float32
}

// Near is what is at hand of an item's neighbours under a kind of evidence, in no
// order: those of the greatest
//
//	count / (count of the item)^α / (count of the neighbour)^β
//
// with constants by kind. It costs the same for every item. A list longer than
// MaxNear is looked through again after half of it has moved, so who is at
// hand and with what strength may be a little old. Settle makes it exact. What is
// returned is the counts' own or written into buf: only to be read, and only until
// somebody writes to the counts.
func (c *Counts) Near(k Kind, of Ref, buf *[MaxNear]Near) []Near {
	t := &c.tables[k]
	l := &t.lists[of]
	if l.n == 0 {
		return nil
	}
	if l.n > MaxNear && l.shelf != 0 {
		top := t.shelves[l.shelf-1:][:MaxNear]
		for len(top) > 0 && top[len(top)-1].To == 0 { // left free
			top = top[:len(top)-1]
		}
		return top
	}
	f, n := c.nearness(t, uint32(of)), 0
	for b, s := range t.pool.each(l) {
		if s.sum > 0 && n < MaxNear {
			buf[n] = Near{Ref(b), float32(f.of(s.sum, t.sides[b].right))}
			n++
		}
	}
	return buf[:n]
}

// Nearness is the strength that Near would give b as a neighbour of a, were it at
// hand.
func (c *Counts) Nearness(k Kind, a, b Ref) float64 {
	t := &c.tables[k]
	sum := t.sumsOf(uint32(a), uint32(b)).sum
	if a == 0 || b == 0 || sum <= 0 {
		return 0
	}
	f := c.nearness(t, uint32(a))
	return f.of(sum, t.sides[b].right)
}

// exponents of Near, by kind, tuned on Ta-Feng's baskets and YOOCHOOSE's
// sessions.
var exponents = [NumKinds]struct{ alpha, beta, prior float64 }{
	SameOrder: {.5, .15, 1}, SameSession: {1, 0, 5}, NextOrder: {.5, .15, 1}, SameCustomer: {.5, .15, 1},
}

// nearness is what is the same for all neighbours of an item.
type nearness struct{ scale, beta, unit float64 }

func (c *Counts) nearness(t *table, a uint32) nearness {
	e, u := exponents[t.kind], c.unit()
	left := max(t.sides[a].left/u, 0) + e.prior
	scale := 1 / left
	if e.alpha == .5 {
		scale = 1 / math.Sqrt(left)
	}
	return nearness{scale: scale / u, beta: -e.beta, unit: u}
}

func (f *nearness) of(sum, right float64) float64 {
	if f.beta == 0 {
		return sum * f.scale
	}
	return sum * f.scale * exp2(f.beta*Log2(max(right/f.unit, 0)+1))
}

// stale says whether the list's shelf is to be filled.
func (l *list) stale() bool {
	return l.n > MaxNear && (l.shelf == 0 || uint32(l.moves) >= max(16, l.n/2))
}

// fill puts the strongest neighbours of a on its shelf, the strongest first.
func (t *table) fill(a uint32, c *Counts) {
	l := &t.lists[a]
	l.moves = 0
	if l.n <= MaxNear {
		return
	}
	if l.shelf == 0 {
		l.shelf = uint32(len(t.shelves)) + 1
		t.shelves = append(t.shelves, make([]Near, MaxNear)...)
	}
	top := (*[MaxNear]Near)(t.shelves[l.shelf-1:])
	f, n := c.nearness(t, a), 0
	for b, s := range t.pool.each(l) {
		if s.sum <= 0 || n == MaxNear && float32(s.sum*f.scale) < top[n-1].Strength { // a neighbour's own count only makes it less
			continue
		}
		v := Near{Ref(b), float32(f.of(s.sum, t.sides[b].right))}
		if n == MaxNear {
			if !c.nearer(&v, &top[n-1]) {
				continue
			}
			n-- // who was last goes
		}
		at := n
		for n++; at > 0 && c.nearer(&v, &top[at-1]); at-- {
			top[at] = top[at-1]
		}
		top[at] = v
	}
	clear(top[n:])
}

// nearer says whether v is to stand before x: equals by hash, whatever order they
// came in.
func (c *Counts) nearer(v, x *Near) bool {
	return v.Strength > x.Strength || v.Strength == x.Strength && c.index.hashes[v.To] < c.index.hashes[x.To]
}

// Settle fills every shelf anew: what Near says after it is a function of the
// counts alone.
func (c *Counts) Settle() {
	for k := range c.tables {
		t := &c.tables[k]
		for a := range t.lists {
			t.fill(uint32(a), c)
		}
	}
}

// Share is the share of all orders that hold the item at r.
func (c *Counts) Share(r Ref) float64 {
	t := &c.tables[SameOrder]
	if t.total <= 0 {
		return 0
	}
	return max(t.sides[r].left, 0) / t.total
}

// Again is how many orders that held the item at r were followed by another
// (of), and how many of those held it again (again); decayed.
func (c *Counts) Again(r Ref) (again, of float64) {
	t, u := &c.tables[NextOrder], c.unit()
	return max(t.sides[r].late, 0) / u, max(t.sides[r].left, 0) / u
}

// Between is the Table2 of the items at two places.
func (c *Counts) Between(k Kind, a, b Ref) Table2 {
	t := &c.tables[k]
	return c.of(t, uint32(a), uint32(b), t.together(uint32(a), uint32(b)))
}

// EachNext calls f with every pair of NextOrder that is held: how often b was in
// the order after one with a.
func (c *Counts) EachNext(f func(a, b Ref, n float64)) {
	t, u := &c.tables[NextOrder], c.unit()
	for a := range t.lists {
		for b, s := range t.pool.each(&t.lists[a]) {
			if s.sum > 0 {
				f(Ref(a), Ref(b), s.sum/u)
			}
		}
	}
}

// Before calls f with the items that came before the one at r under a directed
// kind, and how often.
func (c *Counts) Before(k Kind, r Ref, f func(a Ref, n float64)) {
	t, u := &c.tables[k], c.unit()
	if !t.pool.both {
		return
	}
	for a, s := range t.pool.each(&t.lists[r]) {
		if s.extra > 0 {
			f(Ref(a), s.extra/u)
		}
	}
}

// Direction is how many customers took up b when they had a (on), and a when
// they had b (back), decayed.
func (c *Counts) Direction(a, b Ref) (on, back float64) {
	t, u := &c.tables[SameCustomer], c.unit()
	s := t.sumsOf(uint32(a), uint32(b))
	return s.sum / u, s.extra / u
}
