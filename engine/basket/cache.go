package basket

// MaxNeighbours is how many neighbours of each item are kept at hand.
const MaxNeighbours = 10

// cache remembers, for each item, the slots of its strongest pairs.
type cache struct {
	slots   []uint32 // MaxNeighbours for each dense index, 0 from the last on
	entries []remembered
	room    []ranked
}

// remembered says of what counts an item's slots were the strongest.
type remembered struct {
	of     int32 // the item's orders; 0 with n 0: never looked up
	n      int32 // all orders, at most 1<<31 − 1
	length int32
}

// ranked is a slot while the strongest are looked for.
type ranked struct {
	at uint32
	nb Neighbour
}

// forget drops everything, after the slots have moved.
func (m *cache) forget() { clear(m.entries) }

func (m *cache) bytes() int64 { return int64(cap(m.slots))*4 + int64(cap(m.entries))*12 }

// remembered returns the slots of the strongest pairs of an item, looked up
// again where the counts have moved by a sixteenth since.
func (c *Counts) remembered(d uint32) []uint32 {
	m := &c.cache
	if int(d) >= len(m.entries) {
		m.entries = append(m.entries, make([]remembered, len(c.items)-len(m.entries))...)
		m.slots = append(m.slots, make([]uint32, len(c.items)*MaxNeighbours-len(m.slots))...)
	}
	e := &m.entries[d]
	slots := m.slots[int(d)*MaxNeighbours:][:MaxNeighbours]
	if e.n == 0 || moved(c.items[d].orders, e.of) || moved(int32(c.orders), e.n) {
		e.of, e.n = c.items[d].orders, int32(c.orders)
		e.length = int32(c.lookUp(d, slots))
	}
	return slots[:e.length]
}

// moved says that a count is away from what it was by a sixteenth of that or
// more.
func moved(now, was int32) bool {
	diff := int64(now) - int64(was)
	return diff != 0 && max(diff, -diff)*16 >= max(int64(was), 1)
}

// lookUp fills slots with those of the strongest pairs of an item and returns
// how many there are.
func (c *Counts) lookUp(d uint32, slots []uint32) int {
	top := c.cache.room[:0]
	for at := c.items[d].head; at != 0; at = c.pairs.next(at, d) {
		nb, ok := c.rule(d, at)
		if !ok {
			continue
		}
		if len(top) < len(slots) {
			top = append(top, ranked{})
		} else if stronger(nb, top[len(top)-1].nb) >= 0 {
			continue
		}
		i := len(top) - 1
		for ; i > 0 && stronger(nb, top[i-1].nb) < 0; i-- {
			top[i] = top[i-1]
		}
		top[i] = ranked{at, nb}
	}
	c.cache.room = top
	for i := range top {
		slots[i] = top[i].at
	}
	return len(top)
}
