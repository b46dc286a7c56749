package basket

import (
	"iter"
	"math"
)

// pool holds the lists of neighbours of one kind of evidence: blocks of lines in
// chunks without pointers, so that the garbage collector has nothing to look at.
// What is free is all zero.
type pool struct {
	chunks [][]line
	slots  uint   // of a line
	both   bool   // extras are of the same measure as sums: what counts is what they come to together
	fresh  uint32 // first line never given away
	free   [len(classes)][]uint32
}

// line is a line of the processor's cache, so that a neighbour and its sums come
// in at once: the dense indices of three neighbours (0: the slot is free), how many
// found no room here and went past, and each slot's sum and extra. Where there are
// no extras it has five slots.
type line [8]uint64

// Slots of a line.
const (
	withExtras    = 3
	withoutExtras = 5
	none          = 8 // no slot
)

// sums are those of a neighbour; the extra is 0 where the kind has none.
type sums struct{ sum, extra float64 }

const (
	chunkBits = 15
	chunkSize = 1 << chunkBits // lines: the largest block fits
)

// half is the i-th half of a word: of a slot the neighbour, after the slots who
// went past.
func (x *line) half(i uint) uint32 { return uint32(x[i/2&7] >> (i % 2 * 32)) }

func (x *line) setHalf(i uint, v uint32) {
	w, shift := &x[i/2&7], i%2*32
	*w = *w&^(math.MaxUint32<<shift) | uint64(v)<<shift
}

// past is how many of the list went past.
func (p *pool) past(x *line) uint32 { return x.half(p.slots) }

func (p *pool) pass(x *line, by int) { x.setHalf(p.slots, p.past(x)+uint32(by)) }

// slotOf is the slot of a neighbour, or with 0 the first that is free; none where
// there is no such slot.
func (p *pool) slotOf(x *line, other uint32) uint {
	switch other {
	case uint32(x[0]):
		return 0
	case uint32(x[0] >> 32):
		return 1
	case uint32(x[1]):
		return 2
	}
	if p.slots == withoutExtras {
		switch other {
		case uint32(x[1] >> 32):
			return 3
		case uint32(x[2]):
			return 4
		}
	}
	return none
}

// get are the sums in a slot.
func (p *pool) get(x *line, i uint) sums {
	if p.slots == withExtras {
		return sums{math.Float64frombits(x[(2+2*i)&7]), math.Float64frombits(x[(3+2*i)&7])}
	}
	return sums{sum: math.Float64frombits(x[(3+i)&7])}
}

func (p *pool) put(x *line, i uint, s sums) {
	if p.slots == withExtras {
		x[(2+2*i)&7], x[(3+2*i)&7] = math.Float64bits(s.sum), math.Float64bits(s.extra)
		return
	}
	x[(3+i)&7] = math.Float64bits(s.sum)
}

// block are the lines of a list that is not empty.
func (p *pool) block(l *list) []line {
	i := l.at & (chunkSize - 1)
	return p.chunks[l.at>>chunkBits][i : i+classes[l.class]]
}

// each goes over the neighbours in a list, in no order.
func (p *pool) each(l *list) iter.Seq2[uint32, sums] {
	return func(yield func(uint32, sums) bool) {
		if l.n == 0 {
			return
		}
		lines, slots := p.block(l), p.slots
		for k := range lines {
			x := &lines[k]
			for i := range slots {
				if other := x.half(i); other != 0 && !yield(other, p.get(x, i)) {
					return
				}
			}
		}
	}
}

// take returns the first line of a block of a class.
func (p *pool) take(class uint8) uint32 {
	if f := p.free[class]; len(f) > 0 {
		p.free[class] = f[:len(f)-1]
		return f[len(f)-1]
	}
	size := classes[class]
	if left := chunkSize - p.fresh&(chunkSize-1); p.fresh&(chunkSize-1) != 0 && left < size {
		p.waste(left)
	}
	at := p.fresh
	p.fresh += size
	p.grow(int(at>>chunkBits), int(at&(chunkSize-1)+size))
	return at
}

// grow gives a chunk, the last, room for n lines. The first grows by a half at
// a time, so that few neighbours do not cost a whole chunk.
func (p *pool) grow(chunk, n int) {
	if chunk == len(p.chunks) {
		p.chunks = append(p.chunks, nil)
	}
	has := len(p.chunks[chunk])
	if n <= has {
		return
	}
	for has = max(has, 64); has < n; has += has / 2 {
	}
	if has = min(has, chunkSize); chunk > 0 {
		has = chunkSize
	}
	p.chunks[chunk] = longer(p.chunks[chunk], has)
}

// waste gives the rest of a chunk to those who want less.
func (p *pool) waste(left uint32) {
	p.grow(int(p.fresh>>chunkBits), chunkSize)
	for c := len(classes) - 1; c >= 0; c-- {
		for left >= classes[c] {
			p.free[c] = append(p.free[c], p.fresh)
			p.fresh += classes[c]
			left -= classes[c]
		}
	}
	p.fresh += left
}

// give takes the block of a list back.
func (p *pool) give(l *list) {
	clear(p.block(l))
	p.free[l.class] = append(p.free[l.class], l.at)
}

// scale multiplies the sums of all lists by one number and the extras by another.
func (p *pool) scale(sum, extra float64) {
	for _, lines := range p.chunks {
		for k := range lines {
			for i := range p.slots {
				s := p.get(&lines[k], i)
				p.put(&lines[k], i, sums{s.sum * sum, s.extra * extra})
			}
		}
	}
}

func (p *pool) bytes() int64 {
	const line = 64
	n := int64(0)
	for _, c := range p.chunks {
		n += int64(len(c)) * line
	}
	return n
}
