// Package basket counts which items are bought together: in how many orders
// each item is, and each pair of items.
//
// The counts are the sum over all customers of the orders in their ledgers, no
// more: what is added when an order comes into a ledger is taken away when it
// is refunded, cancelled, erased or folded. So they can be built again at any
// time by a scan of the ledgers, and Add and Remove may come in any order: the
// counts are signed, and an order taken away before it was added leaves the
// same counts as one that never came.
//
// The counts are exact up to Config.MaxPairs distinct pairs. A pair that comes
// new beyond it is left out and counted in Dropped; pairs that were there
// before stay exact.
package basket

// MaxItems is how many items of one basket are counted; a basket of more is
// cut to its first MaxItems, so that one giant basket costs 2,016 pairs at
// most. A ledger remembers no more of an order either.
const MaxItems = 64

// item is what is counted of one item. The dense index of an item is its place
// in Counts.items; 0 is nobody.
type item struct {
	hash   uint64
	orders int32
	head   uint32 // first slot of the chain of its pairs; 0: none
}

// Counts are the co-occurrence counts. They live in memory without pointers, so
// that the garbage collector has nothing to look at. One goroutine writes to
// them (Add, Remove, Apply); while it does not, many may read.
type Counts struct {
	cfg     Config
	orders  int
	giants  int
	dropped int
	index   map[uint64]uint32 // item hash → dense index
	items   []item            // by dense index, from 1
	shelves []shelf           // by dense index
	pairs   pairTable
	unseen  int    // pairs added to or taken from since a shelf was filled
	turn    uint32 // whose shelf was filled last
	scratch [MaxItems]uint32
}

// New returns empty counts.
func New(cfg Config) *Counts {
	return &Counts{
		cfg:     cfg,
		index:   make(map[uint64]uint32),
		items:   make([]item, 1),
		shelves: make([]shelf, 1),
		pairs:   newPairTable(),
	}
}

// Add counts one basket: the hashes of its items, sorted and distinct. A basket
// without items is not counted at all. items is not kept.
func (c *Counts) Add(items []uint64) { c.count(items, 1) }

// Remove takes one basket away again: the exact inverse of Add.
func (c *Counts) Remove(items []uint64) { c.count(items, -1) }

// Apply is Add for a sign of +1 and Remove for −1, in the form that Delta
// calls.
func (c *Counts) Apply(items []uint64, sign int) { c.count(items, int32(sign)) }

func (c *Counts) count(items []uint64, sign int32) {
	if len(items) == 0 {
		return
	}
	if len(items) > MaxItems {
		items = items[:MaxItems]
		c.giants += int(sign)
	}
	c.orders += int(sign)
	dense := c.scratch[:len(items)]
	for i, h := range items {
		d := c.dense(h)
		c.items[d].orders += sign
		dense[i] = d
	}
	for i, a := range dense {
		for _, b := range dense[i+1:] {
			c.countPair(a, b, sign)
		}
	}
	for c.unseen += len(dense) * (len(dense) - 1) / 2; c.unseen >= lookEvery; c.unseen -= lookEvery {
		c.lookAround()
	}
}

func (c *Counts) countPair(a, b uint32, sign int32) {
	if a > b {
		a, b = b, a
	}
	slot, found := c.pairs.find(a, b)
	if sign < 0 && c.dropped > 0 && c.pairs.slots[slot].count <= 0 {
		c.dropped-- // what is taken away was left out when it was added
		return
	}
	if !found {
		if slot = c.newPair(a, b, slot); slot == 0 {
			c.dropped += int(sign)
			return
		}
	}
	n := c.pairs.add(slot, sign)
	switch {
	case sign > 0 && int(n) >= c.cfg.MinCount:
		c.keep(a, b, n)
		c.keep(b, a, n)
	case sign < 0 && int(n)+1 >= c.cfg.MinCount: // it was evidence
		c.lose(a, b, n)
		c.lose(b, a, n)
	}
}

// newPair makes room for a pair that is not there and returns its slot, or 0
// where there is no room. slot is where find would have had it.
func (c *Counts) newPair(a, b, slot uint32) uint32 {
	t := &c.pairs
	full := t.used >= c.cfg.MaxPairs
	if full && (t.used-t.live)*8 < t.used {
		return 0
	}
	if full || t.crowded() {
		t.rebuild(c.items)
		slot, _ = t.find(a, b)
	}
	t.insert(slot, a, b, c.items)
	return slot
}

// dense returns the index of an item, a new one where it has none.
func (c *Counts) dense(hash uint64) uint32 {
	if d, ok := c.index[hash]; ok {
		return d
	}
	d := uint32(len(c.items))
	c.items = append(c.items, item{hash: hash})
	c.shelves = append(c.shelves, shelf{})
	c.index[hash] = d
	return d
}

// Orders is the number of baskets counted.
func (c *Counts) Orders() int { return c.orders }

// Items is the number of distinct items ever counted.
func (c *Counts) Items() int { return len(c.items) - 1 }

// Pairs is the number of distinct pairs whose count is not zero.
func (c *Counts) Pairs() int { return c.pairs.live }

// Dropped is how many pairs of the baskets counted are left out because of
// Config.MaxPairs, each as often as it was.
func (c *Counts) Dropped() int { return c.dropped }

// Giants is the number of counted baskets that were cut to MaxItems. It only
// reads.
func (c *Counts) Giants() int { return c.giants }

// Count is the number of baskets that hold the item.
func (c *Counts) Count(item uint64) int { return int(c.items[c.index[item]].orders) }

// Pair is the number of baskets that hold both items.
func (c *Counts) Pair(a, b uint64) int {
	da, db := c.index[a], c.index[b]
	if da == 0 || db == 0 {
		return 0
	}
	return int(c.pairs.count(da, db))
}

// EachItem calls f with every item whose count is not zero, in no order.
func (c *Counts) EachItem(f func(item uint64, count int)) {
	for i := range c.items {
		if n := c.items[i].orders; n != 0 {
			f(c.items[i].hash, int(n))
		}
	}
}

// EachPair calls f with every pair whose count is not zero, in no order.
func (c *Counts) EachPair(f func(a, b uint64, count int)) {
	for i := range c.pairs.slots {
		if p := &c.pairs.slots[i]; p.count != 0 {
			f(c.items[p.a].hash, c.items[p.b].hash, int(p.count))
		}
	}
}

// Bytes is about how much memory the counts hold.
func (c *Counts) Bytes() int64 {
	const entry = 8 + 4 + 6 // of the index: key, value, and its share of free room
	return int64(cap(c.pairs.slots))*slotBytes + int64(cap(c.items))*16 +
		int64(cap(c.shelves))*shelfBytes + int64(len(c.index))*entry
}
