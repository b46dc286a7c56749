package basket

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// saveVersion is the first byte of a chunk of saved Counts. Numbers are never
// reused.
const saveVersion = 1

// ErrCounts is wrapped by every error of Counts.Load.
var ErrCounts = errors.New("saved counts")

// The parts of what is saved, in the order in which they come.
const (
	partHead    = 0
	partItems   = 1
	partTables  = 2 // and the kind
	partTriples = partTables + NumKinds
	partEnd     = partTriples + 1
)

// Flags of an item's record in a table.
const (
	recordSums = 1 << 0 // its own sums and what its list has lost
	recordList = 1 << 1 // its list's first lines
	recordGoes = 1 << 2 // alone: the lines after those of the record before
)

const (
	chunkHead  = 6   // bytes of a chunk before its records
	pieceLines = 256 // of a list, in one record
)

// Save calls emit with all that the counts hold, in chunks of at most so many
// bytes, but for a record that alone has more: at most some 25 KB. Load takes them
// in their order. A chunk holds during the call of emit, whose error ends the
// matter. It only reads.
//
// A chunk has 1 byte version, 1 byte part, 4 bytes little-endian its number from 0
// on, and then the part's records, to its end. u: unsigned varint, z: zigzag
// varint, p: two numbers, of which a first byte says how many bytes each has (bits
// 0–3, 4–7), and which follow as the first bytes of their big-endian IEEE 754
// form, the zeros behind them left out.
//
//	head     half-life, window, session gap z, in ms; neighbours u; triples u; the
//	         clocks' origins z z; now z; giants z; items u; of each kind p total and
//	         total of late, z pruned; of the triples 1 byte size of the table as a
//	         power of two, p lost and 0, z pruned
//	items    8 bytes each, little-endian, by number from 1 on
//	tables   u item; 1 byte flags; p left, right, p late, lost; 1 byte class of the
//	         list's block, then of each line of it, of at most 256 in a record, 1
//	         byte which slots are taken and of each u neighbour, p sum, extra
//	triples  u a; u b−a; u c−b; p sum, 0
//	end      of each kind u pairs; u triples
//
// Lists are told as they lie in memory, since of neighbours that are worth the same
// it hangs on that which of them goes when a list is full: what is loaded goes on as
// what was saved would have.
func (c *Counts) Save(most int, emit func(chunk []byte) error) error {
	s := saver{most: most, emit: emit}
	s.begin(partHead)
	s.chunk = c.appendHead(s.chunk)
	s.begin(partItems)
	for _, hash := range c.index.hashes[1:] {
		n := len(s.chunk)
		s.chunk = binary.LittleEndian.AppendUint64(s.chunk, hash)
		s.end(n)
	}
	for k := range c.tables {
		s.begin(partTables + byte(k))
		for a := range c.tables[k].sides {
			s.item(&c.tables[k], a)
		}
	}
	s.begin(partTriples)
	for i := range c.triples.slots {
		if x := &c.triples.slots[i]; x.a != 0 {
			n := len(s.chunk)
			s.chunk = binary.AppendUvarint(s.chunk, uint64(x.a))
			s.chunk = binary.AppendUvarint(s.chunk, uint64(x.b-x.a))
			s.chunk = binary.AppendUvarint(s.chunk, uint64(x.c-x.b))
			s.chunk = appendPair(s.chunk, x.sum, 0)
			s.end(n)
		}
	}
	s.begin(partEnd)
	for k := range c.tables {
		s.chunk = binary.AppendUvarint(s.chunk, uint64(c.tables[k].pairs))
	}
	s.chunk = binary.AppendUvarint(s.chunk, uint64(c.triples.used))
	s.flush(len(s.chunk))
	return s.err
}

func (c *Counts) appendHead(dst []byte) []byte {
	for _, v := range [...]int64{c.cfg.HalfLife.Milliseconds(), c.cfg.Window.Milliseconds(), c.cfg.SessionGap.Milliseconds()} {
		dst = binary.AppendVarint(dst, v)
	}
	dst = binary.AppendUvarint(dst, uint64(c.cfg.Neighbours))
	dst = binary.AppendUvarint(dst, uint64(c.cfg.Triples))
	for _, v := range [...]int64{c.clock.origin, c.quick.origin, c.now, int64(c.giants)} {
		dst = binary.AppendVarint(dst, v)
	}
	dst = binary.AppendUvarint(dst, uint64(c.Items()))
	for k := range c.tables {
		t := &c.tables[k]
		dst = binary.AppendVarint(appendPair(dst, t.total, t.late), int64(t.pruned))
	}
	dst = appendPair(append(dst, byte(64-c.triples.shift)), c.triples.lost, 0)
	return binary.AppendVarint(dst, int64(c.triples.pruned))
}

// saver gathers records in chunks.
type saver struct {
	most   int
	emit   func([]byte) error
	chunk  []byte
	number uint32
	err    error
}

// begin begins a part.
func (s *saver) begin(part byte) {
	s.flush(len(s.chunk))
	s.chunk = append(s.chunk[:0], saveVersion, part, 0, 0, 0, 0)
}

// end ends a record that began at n: where it is too much it begins a chunk.
func (s *saver) end(n int) {
	if len(s.chunk) > s.most && n > chunkHead {
		s.flush(n)
		s.chunk = append(s.chunk[:chunkHead], s.chunk[n:]...)
	}
}

// flush gives away the chunk up to n, unless there is nothing in it.
func (s *saver) flush(n int) {
	if n <= chunkHead || s.err != nil {
		return
	}
	binary.LittleEndian.PutUint32(s.chunk[2:], s.number)
	s.number++
	s.err = s.emit(s.chunk[:n])
}

// item saves what a table knows of an item.
func (s *saver) item(t *table, a int) {
	x, l := &t.sides[a], &t.lists[a]
	flags := byte(0)
	if *x != (side{}) || l.lost != 0 {
		flags |= recordSums
	}
	if l.n > 0 {
		flags |= recordList
	}
	if flags == 0 || s.err != nil {
		return
	}
	n := len(s.chunk)
	s.chunk = append(binary.AppendUvarint(s.chunk, uint64(a)), flags)
	if flags&recordSums != 0 {
		s.chunk = appendPair(appendPair(s.chunk, x.left, x.right), x.late, l.lost)
	}
	if l.n == 0 {
		s.end(n)
		return
	}
	s.chunk = append(s.chunk, l.class)
	lines := t.pool.block(l)
	for from := 0; from < len(lines); from += pieceLines {
		if from > 0 {
			n = len(s.chunk)
			s.chunk = append(binary.AppendUvarint(s.chunk, uint64(a)), recordGoes)
		}
		s.lines(&t.pool, lines[from:min(from+pieceLines, len(lines))])
		s.end(n)
	}
}

func (s *saver) lines(p *pool, lines []line) {
	dst := s.chunk
	for k := range lines {
		x, at := &lines[k], len(dst)
		dst = append(dst, 0)
		for i := range p.slots {
			other := x.half(i)
			if other == 0 {
				continue
			}
			dst[at] |= 1 << i
			sums := p.get(x, i)
			dst = appendPair(binary.AppendUvarint(dst, uint64(other)), sums.sum, sums.extra)
		}
	}
	s.chunk = dst
}

// appendPair appends two numbers. Sums of weights have few bits, so they take
// three to four bytes each.
func appendPair(dst []byte, x, y float64) []byte {
	v, w := bits.ReverseBytes64(math.Float64bits(x)), bits.ReverseBytes64(math.Float64bits(y))
	m, n := (bits.Len64(v)+7)/8, (bits.Len64(w)+7)/8
	dst = append(dst, byte(m|n<<4))
	at := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, v)[:at+m]
	return binary.LittleEndian.AppendUint64(dst, w)[:at+m+n]
}
