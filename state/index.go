package state

// index maps hashes to blocks: open addressing with linear probing over slots
// of 8 bytes, tag(32) ref(32), 0 for empty. A slot's home is its tag scaled to
// the number of slots. So the index grows and closes gaps without looking at an
// entry, by a half at a time, and slots keep their order as it does.
type index struct {
	slots []uint64
	count int
}

const minSlots = 64

func makeSlot(tag uint32, r ref) uint64 { return uint64(tag)<<32 | uint64(r) }
func slotTag(s uint64) uint32           { return uint32(s >> 32) }
func slotRef(s uint64) ref              { return ref(s) }

func (x *index) home(tag uint32) int {
	return int(uint64(tag) * uint64(len(x.slots)) >> 32)
}

// next is the slot behind i, around the end.
func (x *index) next(i int) int {
	if i++; i < len(x.slots) {
		return i
	}
	return 0
}

// distance is how many steps of next lead from a to b.
func (x *index) distance(a, b int) int {
	if b >= a {
		return b - a
	}
	return b - a + len(x.slots)
}

func (x *index) bytes() int64 { return int64(len(x.slots)) * 8 }

// full reports whether one more entry needs a larger index: above four fifths,
// probes get long.
func (x *index) full() bool { return (x.count+1)*5 > len(x.slots)*4 }

// grow makes the index larger by a half.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, max(minSlots, len(old)+len(old)/2))
	for _, s := range old {
		if s != 0 {
			x.place(s)
		}
	}
}

func (x *index) place(s uint64) {
	i := x.home(slotTag(s))
	for x.slots[i] != 0 {
		i = x.next(i)
	}
	x.slots[i] = s
}

// insert adds an entry that is not there yet. The index must not be full.
func (x *index) insert(tag uint32, r ref) {
	x.place(makeSlot(tag, r))
	x.count++
}

// locate is the slot of the entry at r, which must be there.
func (x *index) locate(tag uint32, r ref) int {
	i := x.home(tag)
	for x.slots[i] != makeSlot(tag, r) {
		if x.slots[i] == 0 {
			panic("state: an entry is not in the index")
		}
		i = x.next(i)
	}
	return i
}

// remove empties slot i and moves those behind it that probed past it.
func (x *index) remove(i int) {
	for j := x.next(i); x.slots[j] != 0; j = x.next(j) {
		if x.distance(x.home(slotTag(x.slots[j])), j) >= x.distance(i, j) {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
	x.count--
}
