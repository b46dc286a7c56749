package state

import (
	"encoding/binary"
	"math/bits"
)

// The free blocks of an arena hang in doubly linked lists by size.

// sizeClass is the list for free blocks of n units: one a size below 64, then
// four an octave.
func sizeClass(n uint32) int {
	if n < 64 {
		return int(n)
	}
	octave := bits.Len32(n) - 1
	return 64 + (octave-6)*4 + int(n>>(octave-2))&3
}

func (a *arena) firstFrom(class int) ref {
	word := class / 64
	if m := a.nonEmpty[word] >> (class % 64); m != 0 {
		return a.heads[class+bits.TrailingZeros64(m)]
	}
	if word == 0 && a.nonEmpty[1] != 0 {
		return a.heads[64+bits.TrailingZeros64(a.nonEmpty[1])]
	}
	return 0
}

// fitIn looks at the first few blocks of a list whose sizes differ.
func (a *arena) fitIn(class int, n uint32) ref {
	r := a.heads[class]
	for tries := 16; r != 0 && tries > 0; tries-- {
		b := a.at(r)
		if binary.LittleEndian.Uint32(b[4:]) >= n {
			return r
		}
		r, _ = links(b)
	}
	return 0
}

// link makes the n units at r a free block. Its neighbours are in use.
func (a *arena) link(r ref, n uint32) {
	b := a.at(r)
	b[0] = 0
	binary.LittleEndian.PutUint32(b[4:], n)
	binary.LittleEndian.PutUint32(b[n*unit-4:], n)
	if next := a.after(r, n); next != 0 {
		a.at(next)[0] |= afterFree
	}
	if n < leastUnits {
		return
	}
	class := sizeClass(n)
	head := a.heads[class]
	setLinks(b, head, 0)
	if head != 0 {
		first := a.at(head)
		next, _ := links(first)
		setLinks(first, next, r)
	}
	a.heads[class] = r
	a.nonEmpty[class/64] |= 1 << (class % 64)
}

// unlink takes the free block of n units at r out of its list.
func (a *arena) unlink(r ref, n uint32) {
	if next := a.after(r, n); next != 0 {
		a.at(next)[0] &^= afterFree
	}
	if n < leastUnits {
		return
	}
	next, prev := links(a.at(r))
	if next != 0 {
		b := a.at(next)
		behind, _ := links(b)
		setLinks(b, behind, prev)
	}
	if prev != 0 {
		b := a.at(prev)
		_, before := links(b)
		setLinks(b, next, before)
		return
	}
	class := sizeClass(n)
	a.heads[class] = next
	if next == 0 {
		a.nonEmpty[class/64] &^= 1 << (class % 64)
	}
}

func links(b []byte) (next, prev ref) {
	return ref(binary.LittleEndian.Uint32(b[8:])), ref(binary.LittleEndian.Uint32(b[12:]))
}

func setLinks(b []byte, next, prev ref) {
	binary.LittleEndian.PutUint32(b[8:], uint32(next))
	binary.LittleEndian.PutUint32(b[12:], uint32(prev))
}
