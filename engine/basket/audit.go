package basket

// EachTriple calls f with every triple that is held and in how many orders it
// is, decayed, in no order. It looks at all of them.
func (c *Counts) EachTriple(f func(a, b, d uint64, n float64)) {
	hashes, unit := c.index.hashes, c.unit()
	for i := range c.triples.slots {
		if t := &c.triples.slots[i]; t.a != 0 {
			f(hashes[t.a], hashes[t.b], hashes[t.c], t.sum/unit)
		}
	}
}
