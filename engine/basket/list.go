package basket

// list is what one item's neighbours are: a block of the pool. A neighbour is in
// the line where the search for it begins, its home, or where that was full in one
// of the next. Each line knows how many went past it, as in Facebook's F14, so
// that who is not there is seldom looked for in a second line, and who goes leaves
// nothing to mend. The zero list is empty. It holds at most Config.Neighbours
// entries; see prune for what happens beyond it.
type list struct {
	lost  float64 // by how much a neighbour's sum may be too small, whether it is held or not
	at    uint32  // first line in the pool
	n     uint32
	shelf uint32 // where its shelf begins, plus one; 0: none
	moves uint16 // since the shelf was filled, no more than it holds
	class uint8  // of the block; only where n > 0
}

// classes are the sizes of blocks, in lines.
var classes = [...]uint32{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576}

// packed is up to how many lines a block may be full.
const packed = 8

// fits is how many neighbours a block of a class may hold: of one that is not to be
// full fifteen of sixteen slots.
func (p *pool) fits(class uint8) uint32 {
	lines := classes[class]
	n := lines * uint32(p.slots)
	if lines > packed {
		n -= n / 16
	}
	return n
}

// home is the line where the search for a neighbour begins.
func home(other uint32, lines int) int {
	return int(uint64(other*0x9e3779b1) * uint64(lines) >> 32)
}

// entry is where a list has a neighbour, and its sums; 0 where it has not.
type entry struct {
	sums
	line uint32 // in the pool
	slot uint
	held bool
}

func (p *pool) find(l *list, other uint32) (e entry) {
	if l.n == 0 {
		return e
	}
	lines := p.block(l)
	k := home(other, len(lines))
	for range lines {
		x := &lines[k]
		if i := p.slotOf(x, other); i != none {
			return entry{p.get(x, i), l.at + uint32(k), i, true}
		}
		if p.past(x) == 0 {
			return e
		}
		if k++; k == len(lines) {
			k = 0
		}
	}
	return e
}

// glance goes to see the line where find begins.
func (p *pool) glance(l *list, other uint32) uint64 {
	if l.n == 0 {
		return 0
	}
	lines := p.block(l)
	return lines[home(other, len(lines))][0]
}

// update writes the sums of an entry that is held.
func (p *pool) update(e *entry, s sums) {
	p.put(&p.chunks[e.line>>chunkBits][e.line&(chunkSize-1)], e.slot, s)
}

// insert adds a new neighbour.
func (p *pool) insert(l *list, other uint32, s sums) {
	if l.n == 0 {
		l.class, l.at = 0, p.take(0)
	} else if l.n == p.fits(l.class) {
		p.move(l, l.class+1)
	}
	p.place(p.block(l), other, s)
	l.n++
}

// place gives a neighbour the first free slot from its home on.
func (p *pool) place(lines []line, other uint32, s sums) {
	for k := home(other, len(lines)); ; k++ {
		if k == len(lines) {
			k = 0
		}
		x := &lines[k]
		if i := p.slotOf(x, 0); i != none {
			x.setHalf(i, other)
			p.put(x, i, s)
			return
		}
		p.pass(x, +1)
	}
}

// move puts the list into a block of another class.
func (p *pool) move(l *list, class uint8) {
	old := *l
	l.at, l.class = p.take(class), class
	lines := p.block(l)
	for other, s := range p.each(&old) {
		p.place(lines, other, s)
	}
	p.give(&old)
}

// remove takes a neighbour that is held out.
func (p *pool) remove(l *list, other uint32, e *entry) {
	if l.n--; l.n == 0 {
		p.give(l)
		return
	}
	lines, at := p.block(l), int(e.line-l.at)
	for k := home(other, len(lines)); k != at; k = (k + 1) % len(lines) {
		p.pass(&lines[k], -1)
	}
	lines[at].setHalf(e.slot, 0)
	p.put(&lines[at], e.slot, sums{})
	p.shrink(l)
}

// shrink gives a block back that is less than half full.
func (p *pool) shrink(l *list) {
	class := l.class
	for class > 0 && l.n <= p.fits(class-1) && 2*l.n < classes[l.class]*uint32(p.slots) {
		class--
	}
	if class != l.class {
		p.move(l, class)
	}
}
