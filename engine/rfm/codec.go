package rfm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The bytes of a Population, or of a Shift, format 1. Only what is not zero is
// told. u: unsigned varint, z: zigzag varint.
//
//	format   1 byte: 1
//	then three sections: last days, frequency, monetary; each
//	  u      key less the one before (of the first: less −1); 0 ends the section
//	  z      how many
//	  z      sum of what they exceed the bin's lower edge by; only where it is wider than 1
//
// The key of a day is the days since firstDay; that of a bin is its place among
// all bins, page by page, those of values below zero after the others.
const format = 1

// ErrPopulation is wrapped by every error of Population.Decode.
var ErrPopulation = errors.New("malformed population")

// The calendar days of the years 1970 to 9999, whatever the time zone.
const (
	firstDay = -1
	days     = 2_932_899
)

const (
	sections = 3
	bins     = 2 * pages * pageSize
)

// entry is what a section tells of one key.
type entry struct {
	key    uint32
	n, sum int64
}

func dayKey(day int32) uint32 { return uint32(day - firstDay) }

// binKey is the key of a value's bin and the excess over the bin's lower edge.
func binKey(v int64) (key uint32, excess int64) {
	u, side := uint64(v), 0
	if v < 0 {
		u, side = -u, pages
	}
	pg, i, over := place(u)
	return uint32((side+pg)*pageSize + i), int64(over)
}

// wide says whether a bin holds more than one number.
func wide(key uint32) bool { return key/pageSize%pages > 1 }

// entries are what a customer counts, in each section.
func entries(c Customer, n int64) (es [sections]entry) {
	f, over := binKey(int64(c.Frequency))
	m, more := binKey(int64(c.Monetary))
	return [sections]entry{{dayKey(c.LastDay), n, 0}, {f, n, over * n}, {m, n, more * n}}
}

// append appends an entry of a section, which follows the one with a key; -1:
// none.
func (e *entry) append(dst []byte, section int, before int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(int64(e.key)-before))
	dst = binary.AppendVarint(dst, e.n)
	if section > 0 && wide(e.key) {
		dst = binary.AppendVarint(dst, e.sum)
	}
	return dst
}

// Append appends the bytes of p to dst.
func (p *Population) Append(dst []byte) []byte {
	dst = append(dst, format)
	before := int64(-1)
	for i, n := range p.last.count {
		if e := (entry{key: dayKey(p.last.first + int32(i)), n: n}); n != 0 {
			dst, before = e.append(dst, 0, before), int64(e.key)
		}
	}
	dst = p.frequency.append(append(dst, 0), 1)
	return p.monetary.append(dst, 2)
}

func (h *Histogram) append(dst []byte, section int) []byte {
	before := int64(-1)
	for side, ps := range [...]*[pages]*page{&h.pos, &h.neg} {
		for pg, p := range ps {
			if p == nil {
				continue
			}
			for i := range p {
				e := entry{uint32((side*pages+pg)*pageSize + i), p[i].n, p[i].sum}
				if e.n != 0 || e.sum != 0 {
					dst, before = e.append(dst, section, before), int64(e.key)
				}
			}
		}
	}
	return append(dst, 0)
}

// add counts a section's entry.
func (h *Histogram) add(e entry) {
	ps, pg := &h.pos, int(e.key/pageSize)
	if pg >= pages {
		ps, pg = &h.neg, pg-pages
	}
	if ps[pg] == nil {
		ps[pg] = new(page)
	}
	b := &ps[pg][e.key%pageSize]
	b.n += e.n
	b.sum += e.sum
	h.n += e.n
}

// Decode adds what the bytes of Append, a Population's or a Shift's, count. The
// error wraps ErrPopulation; p is as it was then.
func (p *Population) Decode(b []byte) error {
	var n [sections]int64
	if err := each(b, func(section int, e entry) { n[section] += e.n }); err != nil {
		return err
	}
	if n[0] != n[1] || n[0] != n[2] {
		return fmt.Errorf("%w: of %d customers there are %d frequencies and %d monetary values", ErrPopulation, n[0], n[1], n[2])
	}
	return each(b, func(section int, e entry) {
		switch section {
		case 0:
			p.last.add(int32(e.key)+firstDay, e.n)
		case 1:
			p.frequency.add(e)
		case 2:
			p.monetary.add(e)
		}
	})
}

// each calls f with every entry, up to a fault.
func each(b []byte, f func(section int, e entry)) error {
	if len(b) == 0 {
		return fmt.Errorf("%w: no bytes", ErrPopulation)
	}
	if b[0] != format {
		return fmt.Errorf("%w: format %d is unknown to this binary, which reads %d", ErrPopulation, b[0], format)
	}
	b = b[1:]
	for section := range sections {
		limit, before := int64(bins), int64(-1)
		if section == 0 {
			limit = days
		}
		for {
			step, w := binary.Uvarint(b)
			if w <= 0 {
				return fmt.Errorf("%w: ends early", ErrPopulation)
			}
			if b = b[w:]; step == 0 {
				break
			}
			if step >= uint64(limit-before) {
				return fmt.Errorf("%w: a key of section %d is out of range", ErrPopulation, section)
			}
			before += int64(step)
			e := entry{key: uint32(before)}
			if e.n, w = binary.Varint(b); w > 0 && section > 0 && wide(e.key) {
				b = b[w:]
				e.sum, w = binary.Varint(b)
			}
			if w <= 0 {
				return fmt.Errorf("%w: ends early", ErrPopulation)
			}
			b = b[w:]
			f(section, e)
		}
	}
	if len(b) > 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrPopulation, len(b))
	}
	return nil
}
