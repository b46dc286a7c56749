package basket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// loader is how far Load has come.
type loader struct {
	next  uint32 // number of the chunk that is to come
	part  byte   // of the chunk before
	items uint64 // that there are to be
	item  uint64 // of the record before, in this table
	line  int    // of its list that is to come; 0: it is complete
}

var (
	errPart   = errors.New("it comes in a wrong place")
	errRecord = errors.New("a record says what cannot be")
)

// Load takes in the next chunk of what Save wrote, into counts that are new and of
// the same configuration; done says that it was the last. What the counts say then
// is what those said that were saved, to the last bit, and so it is after any
// further rows; but for who is at hand (Near), which is as after Settle.
//
// The error wraps ErrCounts; the counts are of no use then, nor before done. What it
// takes of memory is some 30 times the bytes at most, and the table of the triples,
// which is of a size by Config.Triples.
func (c *Counts) Load(chunk []byte) (done bool, err error) {
	if done, err = c.load(chunk); err != nil {
		return false, fmt.Errorf("%w: chunk %d: %w", ErrCounts, c.loader.next, err)
	}
	c.loader.next++
	return done, nil
}

func (c *Counts) load(chunk []byte) (done bool, err error) {
	r, s := read(chunk), &c.loader
	version, part := r.Byte(), r.Byte()
	if number := r.Fixed32(); r.Failed {
		return false, errEnds
	} else if version != saveVersion {
		return false, fmt.Errorf("version %d is unknown to this binary, which reads %d", version, saveVersion)
	} else if number != s.next {
		return false, fmt.Errorf("it is number %d: load all chunks of a snapshot in their order, into new counts", number)
	}
	if part > partEnd || part < s.part || (part == partHead) != (s.next == 0) || part > partItems && uint64(c.Items()) != s.items || part != s.part && s.line > 0 {
		return false, errPart
	}
	if part != s.part {
		s.part, s.item = part, 0
	}
	switch part {
	case partHead:
		err = c.loadHead(&r)
	case partItems:
		err = c.loadItems(&r)
	case partTriples:
		err = c.loadTriples(&r)
	case partEnd:
		if err = c.loadEnd(&r); err == nil && !r.Failed {
			c.Settle()
		}
		done = true
	default:
		err = c.loadTable(&c.tables[part-partTables], &r)
	}
	if r.Failed {
		err = errEnds
	} else if err == nil && len(r.Rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(r.Rest))
	}
	return done, err
}

func (c *Counts) loadHead(r *reader) error {
	if c.Items() > 0 {
		return errors.New("the counts are not new")
	}
	half, window, gap := r.Varint(), r.Varint(), r.Varint()
	neighbours, triples := r.Uvarint(), r.Uvarint()
	cfg := &c.cfg
	if half != cfg.HalfLife.Milliseconds() || window != cfg.Window.Milliseconds() || gap != cfg.SessionGap.Milliseconds() ||
		neighbours != uint64(cfg.Neighbours) || triples != uint64(cfg.Triples) {
		return fmt.Errorf("they are of half_life %dms, window %dms, session_gap %dms, neighbours %d, triples %d; configured are %dms, %dms, %dms, %d, %d: "+
			"configure what they were counted with, or count again from the ledgers", half, window, gap, neighbours, triples,
			cfg.HalfLife.Milliseconds(), cfg.Window.Milliseconds(), cfg.SessionGap.Milliseconds(), cfg.Neighbours, cfg.Triples)
	}
	c.clock.origin, c.quick.origin = r.Varint(), r.Varint()
	c.Advance(r.Varint())
	c.giants = int(r.Varint())
	c.loader.items = r.Uvarint()
	for k := range c.tables {
		t := &c.tables[k]
		t.total, t.late = r.pair()
		t.pruned = int(r.Varint())
	}
	t, size := &c.triples, uint(r.Byte())
	t.lost, _ = r.pair()
	t.pruned = int(r.Varint())
	if size < 6 || size > 31 || size > 6 && 1<<size >= 4*t.most { // it has grown only when more than half full
		return errRecord
	}
	if !r.Failed {
		t.slots, t.shift = make([]triple, 1<<size), 64-size
	}
	return nil
}

func (c *Counts) loadItems(r *reader) error {
	for len(r.Rest) > 0 && !r.Failed {
		hash := r.Fixed64()
		if c.index.find(hash) != 0 {
			return errRecord
		}
		c.index.add(hash)
	}
	for k := range c.tables { // once for all: it may move them
		c.tables[k].grow(len(c.index.hashes))
	}
	return nil
}

func (c *Counts) loadTable(t *table, r *reader) error {
	s := &c.loader
	for len(r.Rest) > 0 {
		item, flags := r.Uvarint(), r.Byte()
		goes := flags == recordGoes
		if r.Failed || !goes && flags > recordSums|recordList || item >= uint64(len(t.sides)) || goes != (s.line > 0) {
			return errRecord
		}
		if goes && item != s.item || !goes && item <= s.item {
			return errRecord
		}
		s.item = item
		x, l := &t.sides[item], &t.lists[item]
		if flags&recordSums != 0 {
			x.left, x.right = r.pair()
			x.late, l.lost = r.pair()
		}
		if flags&recordList != 0 {
			if l.class = r.Byte(); int(l.class) >= len(classes) {
				return errRecord
			}
			l.at = t.pool.take(l.class)
		} else if !goes {
			continue
		}
		if err := c.loadLines(t, l, r); err != nil {
			return err
		}
	}
	return nil
}

// loadLines reads the next lines of a list.
func (c *Counts) loadLines(t *table, l *list, r *reader) error {
	p, s := &t.pool, &c.loader
	lines := p.block(l)
	to := min(s.line+pieceLines, len(lines))
	for k := s.line; k < to; k++ {
		taken := r.Byte()
		if r.Failed || taken>>p.slots != 0 {
			return errRecord
		}
		for ; taken != 0; taken &= taken - 1 {
			other := r.Uvarint()
			var sums sums
			sums.sum, sums.extra = r.pair()
			if r.Failed || other == 0 || other >= uint64(len(t.lists)) {
				return errRecord
			}
			x, i := &lines[k], uint(bits.TrailingZeros8(taken))
			x.setHalf(i, uint32(other))
			p.put(x, i, sums)
			for h := home(uint32(other), len(lines)); h != k; h = (h + 1) % len(lines) {
				p.pass(&lines[h], +1)
			}
			l.n++
		}
	}
	if s.line = to; to < len(lines) {
		return nil
	}
	s.line = 0
	t.pairs += int(l.n)
	roomy := l.class > 0 && l.n <= p.fits(l.class-1) && 2*l.n < uint32(len(lines))*uint32(p.slots)
	if l.n == 0 || int(l.n) > c.cfg.Neighbours || l.n > p.fits(l.class) || roomy {
		return errRecord
	}
	return nil
}

func (c *Counts) loadTriples(r *reader) error {
	t := &c.triples
	for len(r.Rest) > 0 {
		a := r.Uvarint()
		b := a + r.Uvarint()
		k := triple{a: uint32(a), b: uint32(b)}
		to := b + r.Uvarint()
		k.c = uint32(to)
		k.sum, _ = r.pair()
		if r.Failed || a == 0 || b <= a || to <= b || to >= uint64(len(c.index.hashes)) || t.used >= t.most || t.used >= len(t.slots)/4*3 {
			return errRecord
		}
		at, found := t.find(&k)
		if found {
			return errRecord
		}
		t.slots[at] = k
		t.used++
	}
	return nil
}

// loadEnd checks that all has come.
func (c *Counts) loadEnd(r *reader) error {
	for k := range c.tables {
		if n := r.Uvarint(); n != uint64(c.tables[k].pairs) {
			return fmt.Errorf("%d of %d pairs of %s have come", c.tables[k].pairs, n, Kind(k))
		}
	}
	if n := r.Uvarint(); n != uint64(c.triples.used) {
		return fmt.Errorf("%d of %d triples have come", c.triples.used, n)
	}
	return nil
}

// pair reads what appendPair wrote; what is no number is an error.
func (r *reader) pair() (x, y float64) {
	n := r.Byte()
	return r.float(int(n & 15)), r.float(int(n >> 4))
}

func (r *reader) float(n int) float64 {
	if n > 8 || n > len(r.Rest) {
		r.Fail()
		return 0
	}
	v := uint64(0)
	if len(r.Rest) >= 8 {
		v = binary.BigEndian.Uint64(r.Rest) & (math.MaxUint64 << (64 - 8*n))
	} else {
		for i, b := range r.Rest[:n] {
			v |= uint64(b) << (56 - 8*i)
		}
	}
	r.Rest = r.Rest[n:]
	f := math.Float64frombits(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.Fail()
	}
	return f
}
