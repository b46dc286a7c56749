package state

// index maps hashes to blocks: open addressing with linear probing over slots
// of 8 bytes, tag(32) ref(32), 0 for empty. A slot's home is the low bits of
// its own tag, so that the index grows and closes gaps without looking at an
// entry.
type index struct {
	slots []uint64
	count int
}

const minSlots = 64

func makeSlot(tag uint32, r ref) uint64 { return uint64(tag)<<32 | uint64(r) }
func slotTag(s uint64) uint32           { return uint32(s >> 32) }
func slotRef(s uint64) ref              { return ref(s) }

func (x *index) mask() uint32 { return uint32(len(x.slots) - 1) }
func (x *index) bytes() int64 { return int64(len(x.slots)) * 8 }

// full reports whether one more entry needs a larger index: above four fifths,
// probes get long.
func (x *index) full() bool { return (x.count+1)*5 > len(x.slots)*4 }

// grow doubles the index.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, max(minSlots, 2*len(old)))
	for _, s := range old {
		if s != 0 {
			x.place(s)
		}
	}
}

func (x *index) place(s uint64) {
	i := slotTag(s) & x.mask()
	for x.slots[i] != 0 {
		i = (i + 1) & x.mask()
	}
	x.slots[i] = s
}

// insert adds an entry that is not there yet. The index must not be full.
func (x *index) insert(tag uint32, r ref) {
	x.place(makeSlot(tag, r))
	x.count++
}

// locate is the slot of the entry at r, which must be there.
func (x *index) locate(tag uint32, r ref) uint32 {
	i := tag & x.mask()
	for x.slots[i] != makeSlot(tag, r) {
		if x.slots[i] == 0 {
			panic("state: an entry is not in the index")
		}
		i = (i + 1) & x.mask()
	}
	return i
}

// remove empties slot i and moves those behind it that probed past it.
func (x *index) remove(i uint32) {
	m := x.mask()
	for j := (i + 1) & m; x.slots[j] != 0; j = (j + 1) & m {
		home := slotTag(x.slots[j]) & m
		if (j-home)&m >= (j-i)&m { // home is not between the gap and j
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
	x.count--
}
