package basket

import "slices"

// list is what one item's neighbours are: a block of the pool, sorted by the
// neighbours' dense index but for the latest few, which stand behind the others
// until there are tailMost of them: so that a newcomer does not move all that
// are above it. The zero list is empty. It holds at most Config.Neighbours
// entries; see prune for what happens beyond it.
type list struct {
	lost  float64 // by how much a neighbour's sum may be too small, whether it is held or not
	at    uint32  // first entry in the pool
	n     uint32
	shelf uint32 // where its shelf begins, plus one; 0: none
	moves uint16 // since the shelf was filled, no more than it holds
	class uint8  // of the block; only where n > 0
	tail  uint8  // entries that are not sorted in yet, at the end
}

// tailMost indices fill a line of the processor's cache.
const tailMost = 16

// find is the place of a neighbour.
func (p *pool) find(l *list, b uint32) (i int, found bool) {
	if l.n == 0 {
		return 0, false
	}
	others, _, _ := p.entries(l.at, l.n)
	sorted := others[:l.n-uint32(l.tail)]
	if i, found = slices.BinarySearch(sorted, b); found {
		return i, true
	}
	for j, other := range others[len(sorted):] {
		if other == b {
			return len(sorted) + j, true
		}
	}
	return 0, false
}

// sumsAt are the sums of the i-th entry.
func (p *pool) sumsAt(l *list, i int) (sum, extra float64) {
	_, sums, extras := p.entries(l.at, l.n)
	if p.extra {
		extra = extras[i]
	}
	return sums[i], extra
}

// insert adds a new neighbour.
func (p *pool) insert(l *list, b uint32, sum, extra float64) {
	p.room(l)
	l.n++
	others, sums, extras := p.entries(l.at, l.n)
	others[l.n-1], sums[l.n-1] = b, sum
	if p.extra {
		extras[l.n-1] = extra
	}
	if l.tail++; l.tail == tailMost {
		p.sortIn(l)
	}
}

// sortIn puts the tail where it belongs.
func (p *pool) sortIn(l *list) {
	type held struct {
		other      uint32
		sum, extra float64
	}
	var tail [tailMost]held
	others, sums, extras := p.entries(l.at, l.n)
	from := int(l.n) - int(l.tail)
	for j := range int(l.tail) {
		h := held{other: others[from+j], sum: sums[from+j]}
		if p.extra {
			h.extra = extras[from+j]
		}
		at := j
		for ; at > 0 && tail[at-1].other > h.other; at-- {
			tail[at] = tail[at-1]
		}
		tail[at] = h
	}
	to, i := int(l.n)-1, from-1
	for j := int(l.tail) - 1; j >= 0; to-- {
		if i >= 0 && others[i] > tail[j].other {
			others[to], sums[to] = others[i], sums[i]
			if p.extra {
				extras[to] = extras[i]
			}
			i--
			continue
		}
		others[to], sums[to] = tail[j].other, tail[j].sum
		if p.extra {
			extras[to] = tail[j].extra
		}
		j--
	}
	l.tail = 0
}

// room makes room for one entry more.
func (p *pool) room(l *list) {
	if l.n == 0 {
		l.class, l.at = 0, p.take(0)
		return
	}
	if l.n < classes[l.class] {
		return
	}
	p.move(l, l.class+1)
}

// move puts the list into a block of another class.
func (p *pool) move(l *list, class uint8) {
	at := p.take(class)
	fo, fs, fe := p.entries(l.at, l.n)
	to, ts, te := p.entries(at, l.n)
	copy(to, fo)
	copy(ts, fs)
	copy(te, fe)
	p.give(l.class, l.at)
	l.at, l.class = at, class
}

func (p *pool) remove(l *list, i int) {
	others, sums, extras := p.entries(l.at, l.n)
	copy(others[i:], others[i+1:])
	copy(sums[i:], sums[i+1:])
	if p.extra {
		copy(extras[i:], extras[i+1:])
	}
	if uint32(i) >= l.n-uint32(l.tail) {
		l.tail--
	}
	if l.n--; l.n == 0 {
		p.give(l.class, l.at)
		return
	}
	p.shrink(l)
}

// shrink gives a block back that is less than half full.
func (p *pool) shrink(l *list) {
	class := l.class
	for class > 0 && l.n <= classes[class-1] && 2*l.n < classes[l.class] {
		class--
	}
	if class != l.class {
		p.move(l, class)
	}
}
