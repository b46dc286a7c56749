package basket

// slot is one pair of items, a < b by dense index; a = 0 is a free slot. The
// pairs of an item form a chain through nextA (in the slots where it is a) and
// nextB, so that its neighbours are found without a second copy of the counts.
type slot struct {
	a, b         uint32
	count        int32
	nextA, nextB uint32
}

const slotBytes = 20

// pairTable finds pairs by open addressing with linear probing. Slot 0 is never
// used, so that 0 can end a chain. A pair whose count has come to zero keeps
// its slot until the next rebuild: pairs come and go, slots need not.
type pairTable struct {
	slots []slot // 1 + a power of two
	shift uint   // of the hash, to an index
	used  int    // slots taken
	live  int    // of them, with a count other than zero
}

func newPairTable() pairTable { return pairTable{slots: make([]slot, 1+64), shift: 64 - 6} }

// find returns the slot of the pair, or the free slot where it belongs.
func (t *pairTable) find(a, b uint32) (at uint32, found bool) {
	mask := uint32(len(t.slots) - 2)
	i := uint32((uint64(a)<<32 | uint64(b)) * 0x9e3779b97f4a7c15 >> t.shift)
	for {
		s := &t.slots[i+1]
		if s.a == a && s.b == b {
			return i + 1, true
		}
		if s.a == 0 {
			return i + 1, false
		}
		i = (i + 1) & mask
	}
}

// count is the count of a pair of two items.
func (t *pairTable) count(a, b uint32) int32 {
	at, _ := t.find(min(a, b), max(a, b))
	return t.slots[at].count
}

// add changes the count in a taken slot and returns it.
func (t *pairTable) add(at uint32, n int32) int32 {
	s := &t.slots[at]
	was := s.count
	s.count += n
	switch {
	case was == 0 && s.count != 0:
		t.live++
	case was != 0 && s.count == 0:
		t.live--
	}
	return s.count
}

// insert takes a free slot for a pair with a count of zero and puts it at the
// head of both items' chains.
func (t *pairTable) insert(at, a, b uint32, items []item) {
	t.slots[at] = slot{a: a, b: b, nextA: items[a].head, nextB: items[b].head}
	items[a].head, items[b].head = at, at
	t.used++
}

// next is the slot after at in the chain of an item.
func (t *pairTable) next(at, of uint32) uint32 {
	if s := &t.slots[at]; s.a == of {
		return s.nextA
	}
	return t.slots[at].nextB
}

// crowded says that the table must be rebuilt before another pair is inserted:
// beyond three quarters, probes get long.
func (t *pairTable) crowded() bool { return t.used >= (len(t.slots)-1)/4*3 }

// rebuild lets go of the pairs whose count is zero and moves the others, to a
// table of twice the size where that would still be more than half full. All
// slots change.
func (t *pairTable) rebuild(items []item) {
	old := t.slots
	n := len(old) - 1
	shift := t.shift
	if t.live > n/2 {
		n, shift = 2*n, shift-1
	}
	for i := range items {
		items[i].head = 0
	}
	*t = pairTable{slots: make([]slot, 1+n), shift: shift, live: t.live}
	for i := range old {
		if p := &old[i]; p.count != 0 {
			at, _ := t.find(p.a, p.b)
			t.insert(at, p.a, p.b, items)
			t.slots[at].count = p.count
		}
	}
}
