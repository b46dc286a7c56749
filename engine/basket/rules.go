package basket

// Rule says that who has the items If has Then too.
type Rule struct {
	If   []uint64 // one item or two
	Then uint64
	Table2
}

// Frequent is how many items, pairs and triples have a support of at least the
// one asked for.
type Frequent struct{ Items, Pairs, Triples int }

// least is the sum of a support, drawn down by what rounding can do to it.
func (t *table) least(support float64) float64 { return support * t.total * (1 - 1e-12) }

// Rules calls f with every rule of one order's items that has at least so much
// support and confidence, in no order, with one item or two on its left side. If
// holds during the call. It is exact where Lost is 0 for every item and
// LostTriples is 0. It looks at all pairs and triples.
func (c *Counts) Rules(minSupport, minConfidence float64, f func(*Rule)) Frequent {
	t := &c.tables[SameOrder]
	least, u := t.least(minSupport), c.unit()
	var found Frequent
	var r Rule
	var left [2]uint64
	tell := func(both, a float64, b uint32, items ...uint32) {
		a = max(a, both) // where a pair was let go
		r = Rule{Then: c.index.hashes[b], If: left[:len(items)], Table2: Table2{Both: both / u, A: a / u, B: t.sides[b].right / u, N: t.total / u}}
		if r.Confidence() < minConfidence*(1-1e-12) {
			return
		}
		for i, it := range items {
			left[i] = c.index.hashes[it]
		}
		f(&r)
	}
	for a := 1; a < len(t.sides); a++ {
		if t.sides[a].left <= 0 || t.sides[a].left < least {
			continue
		}
		found.Items++
		for b, s := range t.pool.each(&t.lists[a]) {
			if s.sum <= 0 || s.sum < least {
				continue
			}
			if a < int(b) {
				found.Pairs++
			}
			tell(s.sum, t.sides[a].left, b, uint32(a))
		}
	}
	for i := range c.triples.slots {
		s := &c.triples.slots[i]
		if s.a == 0 || s.sum <= 0 || s.sum < least {
			continue
		}
		found.Triples++
		tell(s.sum, t.together(s.a, s.b), s.c, s.a, s.b)
		tell(s.sum, t.together(s.a, s.c), s.b, s.a, s.c)
		tell(s.sum, t.together(s.b, s.c), s.a, s.b, s.c)
	}
	return found
}

// LostTriples is by how much the count of a triple may be too small.
func (c *Counts) LostTriples() float64 { return c.triples.lost / c.unit() }

// LostPairs is the greatest Lost of all items.
func (c *Counts) LostPairs(k Kind) float64 {
	most := 0.
	for i := range c.tables[k].lists {
		most = max(most, c.tables[k].lists[i].lost)
	}
	return most / c.unit()
}

// Triple is in how many orders three items are together, decayed. It may be too
// small by up to LostTriples.
func (c *Counts) Triple(x, y, z uint64) float64 {
	k := [3]uint32{c.index.find(x), c.index.find(y), c.index.find(z)}
	if k[0] == 0 || k[1] == 0 || k[2] == 0 {
		return 0
	}
	sort3(&k)
	at, found := c.triples.find(&triple{a: k[0], b: k[1], c: k[2]})
	if !found {
		return 0
	}
	return c.triples.slots[at].sum / c.unit()
}

func sort3(k *[3]uint32) {
	if k[0] > k[1] {
		k[0], k[1] = k[1], k[0]
	}
	if k[1] > k[2] {
		k[1], k[2] = k[2], k[1]
	}
	if k[0] > k[1] {
		k[0], k[1] = k[1], k[0]
	}
}
