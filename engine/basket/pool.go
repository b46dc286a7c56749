package basket

// pool holds the lists of neighbours of one kind of evidence: blocks of entries
// in chunks without pointers, so that the garbage collector has nothing to look
// at. An entry is a neighbour's dense index and two sums, in three parallel
// arrays; what the sums are, the table says.
type pool struct {
	others [][]uint32
	sums   [][]float64
	extras [][]float64 // nil: the kind has none
	extra  bool
	both   bool   // extras are of the same measure as sums: what counts is what they come to together
	fresh  uint32 // first entry never given away
	free   [len(classes)][]uint32
}

const (
	chunkBits = 16
	chunkSize = 1 << chunkBits // entries
)

// classes are the sizes of blocks. Each divides what is left of a chunk badly
// enough to waste little: a block never crosses the end of its chunk.
var classes = [...]uint32{4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536}

// of are the arrays of a list, none where it is empty.
func (p *pool) of(l *list) (others []uint32, sums, extras []float64) {
	if l.n == 0 {
		return nil, nil, nil
	}
	return p.entries(l.at, l.n)
}

// take returns the first entry of a block of a class.
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

// grow gives a chunk, the last, room for n entries. The first grows by a half at
// a time, so that few entries do not cost a whole chunk.
func (p *pool) grow(chunk, n int) {
	if chunk == len(p.others) {
		p.others, p.sums = append(p.others, nil), append(p.sums, nil)
		if p.extra {
			p.extras = append(p.extras, nil)
		}
	}
	has := len(p.others[chunk])
	if n <= has {
		return
	}
	for has = max(has, 256); has < n; has += has / 2 {
	}
	if has = min(has, chunkSize); chunk > 0 {
		has = chunkSize
	}
	p.others[chunk] = longer(p.others[chunk], has)
	p.sums[chunk] = longer(p.sums[chunk], has)
	if p.extra {
		p.extras[chunk] = longer(p.extras[chunk], has)
	}
}

func longer[T any](s []T, n int) []T {
	l := make([]T, n)
	copy(l, s)
	return l
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

func (p *pool) give(class uint8, at uint32) { p.free[class] = append(p.free[class], at) }

// entries are the arrays of a block, cut to n.
func (p *pool) entries(at, n uint32) (others []uint32, sums, extras []float64) {
	c, i := at>>chunkBits, at&(chunkSize-1)
	others, sums = p.others[c][i:i+n], p.sums[c][i:i+n]
	if p.extra {
		extras = p.extras[c][i : i+n]
	}
	return others, sums, extras
}

func (p *pool) bytes() int64 {
	var n int64
	for _, c := range p.others {
		n += int64(len(c))
	}
	if p.extra {
		return n * 20
	}
	return n * 12
}
