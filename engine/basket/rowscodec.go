package basket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// rowsVersion is the first byte of encoded Rows. Numbers are never reused.
const rowsVersion = 1

// The first byte of a row: its kind, and these. Other bits are an error.
const (
	rowKind  = 3      // mask of the kind
	rowTaken = 1 << 2 // it is taken away
	rowPair  = 1 << 3 // one item and one item: how many is not said
	rowBits  = rowKind | rowTaken | rowPair
)

// ErrRows is wrapped by every error of Rows.Decode.
var ErrRows = errors.New("stored rows of evidence")

// coder is what encoding and decoding keep between calls.
type coder struct {
	known index    // of Append: the items told so far
	items []uint64 // of Decode: likewise
	part  []byte   // of Parts
}

// Append appends the stored form of the rows, version 1:
//
//	1 byte   version
//	then of each row, to the end:
//	1 byte   bits 0, 1 the kind; bit 2 it is taken away; bit 3 it has one item on each side
//	varint   At less that of the row before, in ms; of the first, At
//	1 byte   number of From, 1 byte number of To; only without bit 3
//	items    From, then To: uvarint 0 and 8 bytes, little-endian, the hash, for an
//	         item not met before, which so gets the next number, from 1 on; else its
//	         number
//
// An order's items come again in its other rows, and popular ones in other orders:
// numbers in place of hashes make less than half the bytes, in twice the time. It
// does not allocate once its memory has grown.
func (m *Rows) Append(dst []byte) []byte {
	dst, at := m.begin(dst), int64(0)
	for k := range m.kinds {
		rs := &m.kinds[k]
		for i := range rs.rows {
			dst = m.append(dst, Kind(k), i, at)
			at = rs.rows[i].at
		}
	}
	return dst
}

// Parts is Append in parts of at most so many bytes, each decodable by itself; a
// row that alone has more, at most 1.2 KB, is a part of its own. A part holds
// during the call of emit, whose error ends the matter. There are no parts of no
// rows.
func (m *Rows) Parts(most int, emit func(part []byte) error) error {
	part, at := m.begin(m.coder.part[:0]), int64(0)
	defer func() { m.coder.part = part[:0] }()
	for k := range m.kinds {
		rs := &m.kinds[k]
		for i := range rs.rows {
			n := len(part)
			if part = m.append(part, Kind(k), i, at); len(part) > most && n > 1 {
				if err := emit(part[:n]); err != nil {
					return err
				}
				part = m.append(m.begin(part[:0]), Kind(k), i, 0)
			}
			at = rs.rows[i].at
		}
	}
	if len(part) == 1 {
		return nil
	}
	return emit(part)
}

// begin begins a part.
func (m *Rows) begin(dst []byte) []byte {
	if m.coder.known.slots == nil {
		m.coder.known = newIndex()
	}
	m.coder.known.reset()
	return append(dst, rowsVersion)
}

// append appends the i-th row of a kind, which follows one of an instant.
func (m *Rows) append(dst []byte, k Kind, i int, before int64) []byte {
	rs, known, begin := &m.kinds[k], &m.coder.known, int32(0)
	if i > 0 {
		begin = rs.rows[i-1].to
	}
	r := &rs.rows[i]
	from, to, head := r.from-begin, r.to-r.from, byte(k)
	if r.sign < 0 {
		head |= rowTaken
	}
	if from == 1 && to == 1 {
		head |= rowPair
	}
	dst = binary.AppendVarint(append(dst, head), r.at-before)
	if head&rowPair == 0 {
		dst = append(dst, byte(from), byte(to))
	}
	for _, it := range rs.items[begin:r.to] {
		n := known.find(it)
		if n == 0 {
			known.add(it)
			dst = binary.LittleEndian.AppendUint64(append(dst, 0), it)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

// Decode adds the rows that Append or Parts wrote, after those that are there.
// Nothing of b is kept. The error wraps ErrRows, and no row was added then. What
// it takes of memory is at most some 20 times the bytes. It does not allocate
// once its memory has grown.
func (m *Rows) Decode(b []byte) error {
	before := m.kinds
	if err := m.decode(b); err != nil {
		for k := range m.kinds { // what has grown meanwhile is kept
			r, was := &m.kinds[k], &before[k]
			r.items, r.rows = r.items[:len(was.items)], r.rows[:len(was.rows)]
		}
		return fmt.Errorf("%w: %w", ErrRows, err)
	}
	return nil
}

func (m *Rows) decode(b []byte) error {
	if len(b) == 0 {
		return errors.New("no bytes")
	}
	if b[0] != rowsVersion {
		return fmt.Errorf("version %d is unknown to this binary, which reads %d", b[0], rowsVersion)
	}
	m.coder.items = append(m.coder.items[:0], 0)
	r, at := read(b[1:]), int64(0)
	for len(r.Rest) > 0 {
		head := r.Byte()
		if head&^rowBits != 0 {
			return fmt.Errorf("a row begins with %#x, which says more than is known", head)
		}
		at += r.Varint()
		from, to := byte(1), byte(1)
		if head&rowPair == 0 {
			from, to = r.Byte(), r.Byte()
		}
		if from > MaxItems || to > MaxItems {
			return fmt.Errorf("a row has %d and %d items, more than %d", from, to, MaxItems)
		}
		rs, sign := &m.kinds[head&rowKind], int8(1)
		if head&rowTaken != 0 {
			sign = -1
		}
		if len(rs.items) > math.MaxInt32-2*MaxItems {
			return errors.New("more rows than can be held")
		}
		if err := m.take(rs, &r, int(from)+int(to)); err != nil {
			return err
		}
		end := int32(len(rs.items))
		rs.rows = append(rs.rows, placed{at, end - int32(to), end, sign})
	}
	return nil
}

// take takes the n items of a row.
func (m *Rows) take(rs *rows, r *reader, n int) error {
	for range n {
		number := r.Uvarint()
		if number >= uint64(len(m.coder.items)) {
			return fmt.Errorf("item %d of %d", number, len(m.coder.items)-1)
		}
		if number > 0 {
			rs.items = append(rs.items, m.coder.items[number])
			continue
		}
		it := r.Fixed64()
		m.coder.items, rs.items = append(m.coder.items, it), append(rs.items, it)
		if r.Failed {
			break
		}
	}
	if r.Failed {
		return errEnds
	}
	return nil
}
