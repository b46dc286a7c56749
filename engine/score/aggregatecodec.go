package score

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// The bytes of an Aggregate, or of a Shift, format 1. Only what is not zero is
// told, so that their number goes by what is counted. u: unsigned varint, z: zigzag
// varint.
//
//	format     1 byte: 1
//	customers  z; buyers z; levels 4 z
//	stages     u how many; each 1 byte, its number; z
//	bands      likewise
//	segments   u how many; each as in an Emission; z
//	moves      u how many; each two segments, from and to; z
//	measures   to the end, see rfm.Population
const aggregateFormat = 1

// ErrAggregate is wrapped by every error of Aggregate.Decode.
var ErrAggregate = errors.New("malformed aggregate")

// Append appends the bytes of a to dst. Of equal Aggregates they are equal.
func (a *Aggregate) Append(dst []byte) []byte { return a.measures.Append(a.tally.append(dst)) }

// Decode adds what the bytes of Append, an Aggregate's or a Shift's, count; it
// keeps none of b. The error wraps ErrAggregate; a is as it was then.
func (a *Aggregate) Decode(b []byte) error {
	t := newTally()
	r := read(b)
	if f := r.Byte(); f != aggregateFormat && !r.Failed {
		return fmt.Errorf("%w: format %d is unknown to this binary, which reads %d", ErrAggregate, f, aggregateFormat)
	}
	if t.decode(&r); r.Failed {
		return fmt.Errorf("%w: ends early, or has a segment that is none", ErrAggregate)
	}
	if !t.sound() {
		return fmt.Errorf("%w: its parts do not add up to %d customers and %d buyers", ErrAggregate, t.customers, t.buyers)
	}
	if err := a.measures.Decode(r.Rest); err != nil {
		return fmt.Errorf("%w: %w", ErrAggregate, err)
	}
	a.tally.merge(&t)
	return nil
}

func (t *tally) append(dst []byte) []byte {
	dst = append(dst, aggregateFormat)
	dst = binary.AppendVarint(dst, int64(t.customers))
	dst = binary.AppendVarint(dst, int64(t.buyers))
	for _, n := range t.levels {
		dst = binary.AppendVarint(dst, int64(n))
	}
	dst = appendNumbers(appendNumbers(dst, &t.stages), &t.bands)
	dst = binary.AppendUvarint(dst, uint64(len(t.segments)))
	for _, name := range slices.Sorted(maps.Keys(t.segments)) {
		dst = binary.AppendVarint(appendSegment(dst, name), int64(t.segments[name]))
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.moves)))
	for _, m := range slices.SortedFunc(maps.Keys(t.moves), move.compare) {
		dst = appendSegment(appendSegment(dst, m.from), m.to)
		dst = binary.AppendVarint(dst, int64(t.moves[m]))
	}
	return dst
}

func (m move) compare(o move) int {
	return cmp.Or(cmp.Compare(m.from, o.from), cmp.Compare(m.to, o.to))
}

func appendNumbers(dst []byte, counts *[256]int) []byte {
	some := 0
	for _, n := range counts {
		if n != 0 {
			some++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(some))
	for i, n := range counts {
		if n != 0 {
			dst = binary.AppendVarint(append(dst, byte(i)), int64(n))
		}
	}
	return dst
}

func (t *tally) decode(r *reader) {
	t.customers, t.buyers = int(r.Varint()), int(r.Varint())
	for i := range t.levels {
		t.levels[i] = int(r.Varint())
	}
	for _, counts := range [...]*[256]int{&t.stages, &t.bands} {
		for n := r.Uvarint(); n > 0 && !r.Failed; n-- {
			counts[r.Byte()] += int(r.Varint())
		}
	}
	for n := r.Uvarint(); n > 0 && !r.Failed; n-- {
		step(t.segments, r.segment(), int(r.Varint()))
	}
	for n := r.Uvarint(); n > 0 && !r.Failed; n-- {
		step(t.moves, move{r.segment(), r.segment()}, int(r.Varint()))
	}
}
