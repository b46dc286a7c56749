// Package basket counts which items go together, by four kinds of evidence kept
// apart (see Kind), and says what follows: rules, affinities, neighbours.
//
// The counts are the sum over all customers of what is in their ledgers, no
// more: what is added when an order or a view comes into a ledger is taken away
// when it is refunded, cancelled, erased or folded. So they can be built again at
// any time by a scan of the ledgers, and rows of evidence may come and go in any
// order: the counts are signed, and a row taken away before it was added leaves
// the same counts as one that never came. Under decay, too: see clock.
//
// Counts of an item's neighbours are exact up to Config.Neighbours of each kind;
// beyond it they may be too small, by no more than Lost says (see list).
package basket

// Bounds of what one row counts.
const (
	MaxItems      = 64 // of a basket; a larger one is cut to its first MaxItems, so that one giant costs 2,016 pairs at most. A ledger remembers no more of an order either
	MaxTripleSize = 32 // items of a basket whose triples are counted
)

// lateShare is how much faster what is of late is forgotten. With more, too few
// orders are of late; with less, a habit that has stopped is still among them.
const lateShare = 3

// Counts are the co-occurrence counts. They live in memory without pointers, so
// that the garbage collector has nothing to look at. One goroutine writes to
// them, in ApplyKind one of each kind; while none does, many may read.
type Counts struct {
	cfg     Config
	clock   clock
	quick   clock // of what is of late
	now     int64 // Unix ms of the latest row, or what Advance said
	index   index // of the items: their dense indices
	tables  [NumKinds]table
	triples tripleTable
	giants  int
	one     Rows   // of Apply, between its calls
	loader  loader // of Load, likewise
}

// New returns empty counts.
func New(cfg Config) *Counts {
	half := cfg.HalfLife.Milliseconds()
	c := &Counts{
		cfg: cfg, clock: newClock(half), quick: newClock(half / lateShare),
		index: newIndex(), triples: newTripleTable(cfg.Triples),
	}
	for k := range c.tables {
		c.tables[k] = newTable(Kind(k))
	}
	return c
}

// Advance tells the counts what time it is (Unix ms), for what they say of the
// present. Time does not go back.
func (c *Counts) Advance(now int64) { c.now = max(c.now, now) }

// Now is what Advance said, or the latest row's instant, in Unix ms.
func (c *Counts) Now() int64 { return c.now }

// Apply adds a row of evidence (sign +1), or takes it away (−1). The row is not
// kept.
func (c *Counts) Apply(r *Row, sign int) {
	c.one.Reset()
	c.one.Add(r, sign)
	c.Meet(&c.one)
	c.ApplyKind(r.Kind, &c.one, +1)
}

func (c *Counts) apply(k Kind, from, to []uint32, at int64, sign int) {
	t, w := &c.tables[k], float64(sign)*c.clock.weight(at)
	switch k {
	case SameOrder:
		if len(to) >= MaxItems {
			c.giants += sign
		}
		c.order(t, to, w, float64(sign)*c.quick.weight(at))
	case SameSession:
		c.step(t, from, to, w)
	case NextOrder:
		c.next(t, from, to, w)
	case SameCustomer:
		c.takeUp(t, from, to, w)
	}
}

// order counts items that were in one order.
func (c *Counts) order(t *table, items []uint32, w, late float64) {
	if c.clock.step == 0 {
		late = 0 // nothing grows old
	}
	t.total += w
	t.late += late
	for _, a := range items {
		s := &t.sides[a]
		s.left, s.right, s.late = s.left+w, s.right+w, s.late+late
	}
	for i, a := range items {
		for _, b := range items[i+1:] {
			t.pair(a, b, sums{w, late}, c)
		}
	}
	if c.triples.most > 0 && len(items) <= MaxTripleSize {
		c.triples.basket(items, w, t)
	}
}

// step counts that the item to was looked at after from.
func (c *Counts) step(t *table, from, to []uint32, w float64) {
	t.total += w
	for _, a := range from {
		t.sides[a].left += w
		for _, b := range to {
			t.sides[b].right += w
			t.pair(a, b, sums{w, 0}, c)
		}
	}
}

// next counts that one order followed another.
func (c *Counts) next(t *table, from, to []uint32, w float64) {
	t.total += w
	for _, a := range from {
		t.sides[a].left += w
	}
	for _, b := range to {
		t.sides[b].right += w
	}
	for _, a := range from {
		for _, b := range to {
			if a == b {
				t.sides[a].late += w
				t.pair(a, a, sums{w, w}, c)
				continue
			}
			t.pair(a, b, sums{w, 0}, c)
		}
	}
}

// takeUp counts that a customer who had bought from took up to. A customer
// without from is a new one.
func (c *Counts) takeUp(t *table, from, to []uint32, w float64) {
	if len(from) == 0 {
		t.total += w
	}
	for _, b := range to {
		s := &t.sides[b]
		s.left, s.right = s.left+w, s.right+w
	}
	for i, b := range to {
		for _, a := range from {
			t.pair(a, b, sums{w, 0}, c)
		}
		for _, a := range to[i+1:] {
			t.pair(a, b, sums{w / 2, w / 2}, c)
		}
	}
}

// rescale moves the origins of the clocks where weights would outgrow them.
func (c *Counts) rescale(at int64) {
	if moved := c.clock.far(at); moved > 0 {
		f := power(-moved)
		for k := range c.tables {
			c.tables[k].scale(f)
		}
		c.triples.scale(f)
	}
	if moved := c.quick.far(at); moved > 0 {
		c.tables[SameOrder].scaleLate(power(-moved))
	}
}

// unit is what one row of now weighs: sums divided by it are in orders of today.
func (c *Counts) unit() float64 { return c.clock.weight(c.now) }

// Orders is the number of orders counted, decayed.
func (c *Counts) Orders() float64 { return c.Total(SameOrder) }

// Total is, decayed, the number of orders, of steps from view to view, of orders
// that followed another, or of customers.
func (c *Counts) Total(k Kind) float64 { return c.tables[k].total / c.unit() }

// Items is the number of distinct items ever counted.
func (c *Counts) Items() int { return len(c.index.hashes) - 1 }

// Pairs is the number of pairs held: of each item and kind, its neighbours.
func (c *Counts) Pairs() int {
	n := 0
	for k := range c.tables {
		n += c.tables[k].pairs
	}
	return n
}

// Triples is the number of triples held.
func (c *Counts) Triples() int { return c.triples.used }

// Dropped is how often a neighbour or a triple was let go for want of room.
func (c *Counts) Dropped() int {
	n := c.triples.pruned
	for k := range c.tables {
		n += c.tables[k].pruned
	}
	return n
}

// Giants is the number of counted baskets of MaxItems or more, which were cut to it.
func (c *Counts) Giants() int { return c.giants }

// Count is the number of orders (of SameOrder; see Total for the others) that
// hold the item, decayed; of a directed kind those in which it came first.
func (c *Counts) Count(k Kind, item uint64) float64 {
	return c.tables[k].sides[c.index.find(item)].left / c.unit()
}

// Pair is how often both items are held, decayed; of SameSession and NextOrder,
// a before b. It may be too small by up to the lesser of both items' Lost; of
// SameSession, whose pairs only the first item's list holds, by up to a's.
func (c *Counts) Pair(k Kind, a, b uint64) float64 {
	da, db := c.index.find(a), c.index.find(b)
	if da == 0 || db == 0 {
		return 0
	}
	return c.tables[k].together(da, db) / c.unit()
}

// together is the sum of a pair: of SameCustomer in both directions. What one
// item's list has let go the other's may still have.
func (t *table) together(a, b uint32) float64 {
	sum := t.joint(t.sumsOf(a, b))
	if t.kind == SameSession || t.lists[a].lost == 0 {
		return sum
	}
	return max(sum, t.joint(t.mirrored(t.sumsOf(b, a))))
}

// joint is what a pair's sums come to.
func (t *table) joint(s sums) float64 {
	if t.kind == SameCustomer {
		return s.sum + s.extra
	}
	return s.sum
}

// atMost is the sum that a pair of SameOrder may have.
func (t *table) atMost(a, b uint32) float64 {
	return t.together(a, b) + min(t.lists[a].lost, t.lists[b].lost)
}

// Lost is by how much the count of a pair of the item may be too small: 0 while
// the item has had no more than Config.Neighbours neighbours. It rests on rows
// being taken away after they were added: beyond the bound nobody can tell what
// has not come yet from what was let go.
func (c *Counts) Lost(k Kind, item uint64) float64 {
	return c.tables[k].lists[c.index.find(item)].lost / c.unit()
}

// EachItem calls f with every item that is in an order, in no order.
func (c *Counts) EachItem(f func(item uint64, orders float64)) {
	u := c.unit()
	for i := range c.tables[SameOrder].sides {
		if n := c.tables[SameOrder].sides[i].left; n != 0 {
			f(c.index.hashes[i], n/u)
		}
	}
}

// EachPair calls f with every pair of a kind that is held, in no order; of an
// undirected kind with each pair twice, once from each side.
func (c *Counts) EachPair(k Kind, f func(a, b uint64, count float64)) {
	t, u := &c.tables[k], c.unit()
	for a := range t.lists {
		for b, s := range t.pool.each(&t.lists[a]) {
			if sum := t.joint(s); sum != 0 {
				f(c.index.hashes[a], c.index.hashes[b], sum/u)
			}
		}
	}
}

// Bytes is about how much memory the counts hold.
func (c *Counts) Bytes() int64 {
	n := c.index.bytes() + c.triples.bytes()
	for k := range c.tables {
		n += c.tables[k].bytes()
	}
	return n
}
