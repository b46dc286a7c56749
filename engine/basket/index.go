package basket

// index numbers hashes from 1 on in the order in which they come, by open
// addressing with linear probing. None is ever taken out.
type index struct {
	hashes []uint64 // by number
	slots  []uint32 // numbers; 0: free. A power of two, at most half of them taken
	shift  uint     // of the spread hash, to a slot
}

func newIndex() index {
	return index{hashes: make([]uint64, 1), slots: make([]uint32, 16), shift: 64 - 4}
}

// find is a hash's number, 0 where it has none.
func (x *index) find(hash uint64) uint32 { return x.slots[x.slot(hash)] }

// slot is where the number of a hash is, or would be.
func (x *index) slot(hash uint64) uint32 {
	mask := uint32(len(x.slots) - 1)
	for i := uint32(hash * 0x9e3779b97f4a7c15 >> x.shift); ; i = (i + 1) & mask {
		if n := x.slots[i&mask]; n == 0 || x.hashes[n] == hash {
			return i
		}
	}
}

// add numbers a hash that has no number.
func (x *index) add(hash uint64) uint32 {
	n := uint32(len(x.hashes))
	x.hashes = append(x.hashes, hash)
	if len(x.hashes) <= len(x.slots)/2 {
		x.slots[x.slot(hash)] = n
		return n
	}
	x.slots, x.shift = make([]uint32, 2*len(x.slots)), x.shift-1
	for i, h := range x.hashes[1:] {
		x.slots[x.slot(h)] = uint32(i) + 1
	}
	return n
}

// reset forgets all hashes and keeps their memory.
func (x *index) reset() {
	x.hashes = x.hashes[:1]
	clear(x.slots)
}

func (x *index) bytes() int64 { return int64(len(x.hashes))*8 + int64(len(x.slots))*4 }
