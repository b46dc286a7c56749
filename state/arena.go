package state

import (
	"encoding/binary"
	"fmt"
)

// unit is the granularity of an arena in bytes.
const unit = 8

// ref names a block: the number of its chunk in the high bits, the unit where
// it begins in the low. 0 names none.
type ref uint32

// arena hands out blocks of whole units from large chunks, none of which the
// garbage collector looks into. It is a good-fit allocator: free blocks hang in
// lists by size, a larger one is split, and a block that is freed merges with
// free neighbours, so that no two are side by side. Chunks can be walked block by
// block, because the first bytes of each say how long it is:
//
//	in use  flags(1) –(1) key length(2) value length(4) word(8) key value
//	free    flags(1) –(3) units(4) [next(4) previous(4)] … units(4)
//
// The units at the end of a free block (in a block of one unit they are the same
// four bytes) are for the block behind it, which has the flag afterFree. A free
// block that is too small for any entry is in no list and has no links; it waits
// for a neighbour. A block that is larger than a chunk has a chunk of its own.
//
// Size classes with chunks of their own (slabs) were the alternative: there,
// memory stays with the sizes that were once common, and under a byte bound
// evicting an entry of one size makes no room for another.
type arena struct {
	shift    uint8    // log2 of the units in a chunk
	chunks   [][]byte // [0] is never used
	live     []uint32 // blocks in use, by chunk
	vacant   []uint32 // numbers of chunks that were released
	heads    [sizeClasses]ref
	nonEmpty [2]uint64 // which lists have a block
	bytes    int64     // of all chunks
	hand     ref       // where the walk goes on; always the start of a block, or 0
}

const (
	headerLen   = 16                     // of a block in use
	leastUnits  = (headerLen+1)/unit + 1 // of an entry, with a key of one byte
	sizeClasses = 128
)

// Flags of a block. A free one has none.
const (
	inUse      byte = 1 << 0
	dirty      byte = 1 << 1 // changed since the last commit; word is an index into the overlay
	absent     byte = 1 << 2 // the key is known not to exist; there is no value
	referenced byte = 1 << 3 // read since the hand last came by
	afterFree  byte = 1 << 4 // the block before it, in the same chunk, is free
)

func newArena(shift uint8) arena {
	return arena{shift: shift, chunks: make([][]byte, 1), live: make([]uint32, 1)}
}

func (a *arena) chunkBytes() int64 { return unit << a.shift }
func (a *arena) chunkOf(r ref) uint32 {
	return uint32(r) >> a.shift
}
func (a *arena) unitOf(r ref) uint32 { return uint32(r) & (1<<a.shift - 1) }

// at is the memory from r to the end of its chunk.
func (a *arena) at(r ref) []byte {
	return a.chunks[a.chunkOf(r)][a.unitOf(r)*unit:]
}

func (a *arena) chunkUnits(c uint32) uint32 { return uint32(len(a.chunks[c]) / unit) }

// own reports whether the chunk holds one large block and nothing else.
func (a *arena) own(c uint32) bool { return a.chunkUnits(c) > 1<<a.shift }

// units is the length of the block at r.
func (a *arena) units(r ref) uint32 {
	b := a.at(r)
	if !has(b, inUse) {
		return binary.LittleEndian.Uint32(b[4:])
	}
	if c := a.chunkOf(r); a.own(c) {
		return a.chunkUnits(c)
	}
	return entryUnits(keyLen(b), valLen(b))
}

// after is the block behind the n units at r, 0 at the end of the chunk.
func (a *arena) after(r ref, n uint32) ref {
	if a.unitOf(r)+n >= a.chunkUnits(a.chunkOf(r)) {
		return 0
	}
	return r + ref(n)
}

// take finds a block of n units among the free ones. The caller writes its
// header before it calls the arena again.
func (a *arena) take(n uint32) (ref, bool) {
	from := sizeClass(n)
	if n >= 64 {
		from++ // every block there is long enough
	}
	r := a.firstFrom(from)
	if r == 0 && n >= 64 {
		r = a.fitIn(sizeClass(n), n)
	}
	if r == 0 {
		return 0, false
	}
	a.carve(r, n)
	return r, true
}

// carve takes the free block r out of its list and leaves what is beyond n
// units as a free block.
func (a *arena) carve(r ref, n uint32) {
	have := binary.LittleEndian.Uint32(a.at(r)[4:])
	a.unlink(r, have)
	if have > n {
		a.link(r+ref(n), have-n)
	}
	a.live[a.chunkOf(r)]++
}

// addChunk adds memory for a block of n units and hands that block out.
func (a *arena) addChunk(n uint32) (ref, error) {
	size := max(n, 1<<a.shift)
	c := uint32(len(a.chunks))
	switch {
	case len(a.vacant) > 0:
		c = a.vacant[len(a.vacant)-1]
		a.vacant = a.vacant[:len(a.vacant)-1]
	case uint64(c)<<a.shift > 1<<32-1:
		return 0, fmt.Errorf("a partition's entries in memory exceed %d GiB: commit in smaller transactions", unit<<32>>30)
	default:
		a.chunks, a.live = append(a.chunks, nil), append(a.live, 0)
	}
	a.chunks[c] = make([]byte, int(size)*unit)
	a.bytes += int64(size) * unit
	r := ref(c << a.shift)
	if a.own(c) {
		a.live[c] = 1
		return r, nil
	}
	a.link(r, size)
	a.carve(r, n)
	return r, nil
}

// free gives the block at r back, and returns where the free block that it
// became part of begins; 0 if its chunk was released.
func (a *arena) free(r ref) ref {
	c := a.chunkOf(r)
	a.live[c]--
	if a.live[c] == 0 {
		a.release(c, r)
		return 0
	}
	n := a.units(r)
	if has(a.at(r), afterFree) {
		m := a.unitsBefore(r)
		before := r - ref(m)
		a.unlink(before, m)
		a.merged(r, before)
		r, n = before, n+m
	}
	n = a.absorb(r, n)
	a.link(r, n)
	return r
}

// unitsBefore is the length of the free block that ends at r.
func (a *arena) unitsBefore(r ref) uint32 {
	return binary.LittleEndian.Uint32(a.chunks[a.chunkOf(r)][a.unitOf(r)*unit-4:])
}

// absorb takes the block behind the n units at r out of its list, if it is
// free, and returns how long r is with it.
func (a *arena) absorb(r ref, n uint32) uint32 {
	next := a.after(r, n)
	if next == 0 || has(a.at(next), inUse) {
		return n
	}
	m := binary.LittleEndian.Uint32(a.at(next)[4:])
	a.unlink(next, m)
	a.merged(next, r)
	return n + m
}

// merged keeps the hand at the start of a block when one becomes part of another.
func (a *arena) merged(part, whole ref) {
	if a.hand == part {
		a.hand = whole
	}
}

// release gives a chunk back whose last block in use, at r, is being freed.
func (a *arena) release(c uint32, r ref) {
	if !a.own(c) {
		for b := ref(c << a.shift); b != 0; {
			n := a.units(b)
			if b != r {
				a.unlink(b, n)
			}
			b = a.after(b, n)
		}
	}
	if a.hand != 0 && a.chunkOf(a.hand) == c {
		a.hand = a.chunkAfter(c)
	}
	a.bytes -= int64(len(a.chunks[c]))
	a.chunks[c] = nil
	a.vacant = append(a.vacant, c)
}

// resize makes the block at r hold n units where it stands, if it can. What
// lies in the first min(old, n) units stays; the caller then writes a header
// that says n.
func (a *arena) resize(r ref, n uint32) bool {
	have := a.units(r)
	if a.own(a.chunkOf(r)) {
		return n <= have && n > have/2 && n > 1<<a.shift
	}
	if n > have {
		next := a.after(r, have)
		if next == 0 || has(a.at(next), inUse) || have+a.units(next) < n {
			return false
		}
	}
	if have = a.absorb(r, have); have > n {
		a.link(r+ref(n), have-n)
	}
	return true
}

// chunkAfter is the first block of the next chunk, around the end; 0 if there
// is no other chunk than c.
func (a *arena) chunkAfter(c uint32) ref {
	n := uint32(len(a.chunks))
	for i := uint32(1); i < n; i++ {
		next := (c + i) % n
		if next != 0 && next != c && a.chunks[next] != nil {
			return ref(next << a.shift)
		}
	}
	return 0
}

// step returns the block at the hand and moves the hand past it, around the
// end. 0: the arena is empty.
func (a *arena) step() ref {
	r := a.hand
	if r == 0 {
		if r = a.chunkAfter(0); r == 0 {
			return 0
		}
	}
	if a.hand = a.after(r, a.units(r)); a.hand == 0 {
		if a.hand = a.chunkAfter(a.chunkOf(r)); a.hand == 0 {
			a.hand = ref(a.chunkOf(r) << a.shift)
		}
	}
	return r
}
