package basket

// MaxNeighbours is how many neighbours of each item are kept at hand.
const MaxNeighbours = 10

// lookEvery is after how many counted pairs one item's shelf is filled anew, the
// items in turn.
const lookEvery = 512

// shelf holds an item's strongest neighbours, in no order, so that a question
// needs not look at all of its pairs. Each has its count there, which is that
// of the pair at any time, so that no question looks for pairs; all of them are
// evidence. Strengths are reckoned when asked.
//
// It is filled as the counts move: a pair that was added to takes a place if
// there is one, or that of the weakest if it is stronger. What can pass by
// unseen is a pair that becomes strong by standing still while others lose;
// that is what the turns of lookEvery are for. Asked while the counts grow, the
// shelves hold 99.1 % of the strength of the true ten strongest over 77,369
// baskets of a supermarket with 11,997 items, 99.0 % over 9,835 of one with 169,
// 99.0 % over 17,087 of a gift shop, of 266 pairs each (in the end 99.6, 99.5 and
// 99.8 %). Turns by baskets instead of pairs, one in 16, cost no less and held
// 99.0, 99.6 and 95.9 %. Tried before: to look an item's pairs up again when
// asked, once its orders had moved by a sixteenth. It made questions write, and
// cost several times as much for rare items.
type shelf struct {
	floor  float32 // strength of the weakest when last looked, while it is full
	n      uint32
	others [MaxNeighbours]uint32 // dense indices
	counts [MaxNeighbours]int32  // of the pairs
}

const shelfBytes = 8 + 8*MaxNeighbours

// place is where b stands on the shelf, or −1.
func (s *shelf) place(b uint32) int {
	for i, other := range s.others[:s.n] {
		if other == b {
			return i
		}
	}
	return -1
}

// keep puts the neighbour b of item a on its shelf, if it is among the
// strongest. Their count has just grown to nAB, and is evidence.
func (c *Counts) keep(a, b uint32, nAB int32) {
	s := &c.shelves[a]
	if i := s.place(b); i >= 0 {
		s.counts[i] = nAB
		return
	}
	if int(s.n) < len(s.others) {
		s.others[s.n], s.counts[s.n] = b, nAB
		s.n++
		return
	}
	strength := c.strength(a, b, nAB)
	if float32(strength) <= s.floor {
		return
	}
	weakest, low, second := 0, strength, strength
	for i, other := range s.others {
		switch v := c.strength(a, other, s.counts[i]); {
		case v < low:
			weakest, low, second = i, v, low
		case v < second:
			second = v
		}
	}
	if low < strength {
		s.others[weakest], s.counts[weakest] = b, nAB
		low = second
	}
	s.floor = float32(low)
}

// lose tells item a's shelf that the count of the neighbour b has just fallen to
// nAB: it goes when that is no evidence any more.
func (c *Counts) lose(a, b uint32, nAB int32) {
	s := &c.shelves[a]
	i := s.place(b)
	if i < 0 {
		return
	}
	s.counts[i] = nAB
	if int(nAB) < c.cfg.MinCount {
		s.n--
		s.others[i], s.counts[i] = s.others[s.n], s.counts[s.n]
	}
}

// strength compares the neighbours of one item: Strength but for the factor
// that is the same for all of them.
func (c *Counts) strength(a, b uint32, nAB int32) float64 {
	return float64(nAB)/float64(c.items[a].orders) - float64(c.items[b].orders)/float64(c.orders)
}

// lookAround fills the shelf of the item whose turn it is from all its pairs.
func (c *Counts) lookAround() {
	if c.turn++; int(c.turn) >= len(c.items) {
		c.turn = 1
	}
	c.look(c.turn)
}

// look fills a shelf with the strongest of all pairs, those with a lift below 1
// included: as the counts move, they may rise.
func (c *Counts) look(d uint32) {
	var top shelf
	var strengths [MaxNeighbours]float64
	for at := c.items[d].head; at != 0; at = c.pairs.next(at, d) {
		p := &c.pairs.slots[at]
		if int(p.count) < c.cfg.MinCount {
			continue
		}
		other := p.a ^ p.b ^ d
		v := c.strength(d, other, p.count)
		i := int(top.n)
		if i == MaxNeighbours {
			if i--; v <= strengths[i] {
				continue
			}
		} else {
			top.n++
		}
		for ; i > 0 && v > strengths[i-1]; i-- {
			strengths[i], top.others[i], top.counts[i] = strengths[i-1], top.others[i-1], top.counts[i-1]
		}
		strengths[i], top.others[i], top.counts[i] = v, other, p.count
	}
	c.shelves[d] = top
}
