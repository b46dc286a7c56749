package basket

import "slices"

// list is what one item's neighbours are: a block of the pool, sorted by the
// neighbours' dense index. The zero list is empty. It holds at most
// Config.Neighbours entries; see prune for what happens beyond it.
type list struct {
	lost  float64 // by how much a neighbour's sum may be too small, whether it is held or not
	at    uint32  // first entry in the pool
	n     uint32
	shelf uint32 // where its shelf begins, plus one; 0: none
	moves uint16 // since the shelf was filled, no more than it holds
	class uint8  // of the block; only where n > 0
	kept  uint8  // entries on the shelf
}

// find is the place of a neighbour, or where it belongs.
func (p *pool) find(l *list, b uint32) (i int, found bool) {
	if l.n == 0 {
		return 0, false
	}
	others, _, _ := p.entries(l.at, l.n)
	return slices.BinarySearch(others, b)
}

// sumsAt are the sums of the i-th entry.
func (p *pool) sumsAt(l *list, i int) (sum, extra float64) {
	_, sums, extras := p.entries(l.at, l.n)
	if p.extra {
		extra = extras[i]
	}
	return sums[i], extra
}

// insert puts a new neighbour where it belongs.
func (p *pool) insert(l *list, b uint32, sum, extra float64) {
	p.room(l)
	l.n++
	others, sums, extras := p.entries(l.at, l.n)
	i, _ := slices.BinarySearch(others[:l.n-1], b)
	copy(others[i+1:], others[i:])
	copy(sums[i+1:], sums[i:])
	others[i], sums[i] = b, sum
	if p.extra {
		copy(extras[i+1:], extras[i:])
		extras[i] = extra
	}
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
