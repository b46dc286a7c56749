package score

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/rfm"
	"github.com/dangol-dev/dangol/engine/wire"
)

// The bytes of an Emission, format 1. u: unsigned varint, z: zigzag varint.
//
//	format    1 byte: 1
//	flags     1 byte, below
//	version   u
//	as of     z, ms
//	next      z, ms after as of; timer 1 byte      only with flagNext
//	stage     1 byte; level 1 byte
//	orders    u; value z
//	permitted 4 bytes, little endian               only with flagPermitted
//	offers    1 byte: how many; 4 bytes each
//	only with flagBuyer:
//	  r f m     1 byte: 25(r−1) + 5(f−1) + m−1
//	  segment, previous segment, as below
//	  band      1 byte; percentile 1 byte; probability u
//	  last day  z; frequency u
//	  monetary  z                                  only without flagSame
//
// A segment is 1 byte: 0 none, 1 to 10 the built-in ones, 255 another one,
// whose length (1 byte) and name follow.
const emissionFormat = 1

const (
	flagBuyer     = 1 << 0
	flagOverdue   = 1 << 1
	flagNext      = 1 << 2
	flagPermitted = 1 << 3
	flagSame      = 1 << 4 // monetary is value
)

// ErrEmission is returned for bytes that are no Emission.
var ErrEmission = errors.New("malformed emission")

// segmentCodes are the built-in segments by their stored number, from 1. Never
// reordered.
var segmentCodes = [...]string{
	"", rfm.Champions, rfm.Loyal, rfm.PotentialLoyalist, rfm.New, rfm.Promising,
	rfm.NeedsAttention, rfm.AboutToSleep, rfm.AtRisk, rfm.CannotLose, rfm.Hibernating,
}

const otherSegment = 255

// Append appends the bytes of em to dst.
func (em *Emission) Append(dst []byte) []byte {
	var flags byte
	set := func(on bool, f byte) {
		if on {
			flags |= f
		}
	}
	set(em.Buyer, flagBuyer)
	set(em.Overdue, flagOverdue)
	set(em.Next != 0, flagNext)
	set(em.Permitted != 0, flagPermitted)
	set(em.Monetary == em.Value, flagSame)
	dst = append(dst, emissionFormat, flags)
	dst = binary.AppendUvarint(dst, em.Version)
	dst = binary.AppendVarint(dst, em.AsOf)
	if em.Next != 0 {
		dst = append(binary.AppendVarint(dst, em.Next-em.AsOf), byte(em.Timer))
	}
	dst = append(dst, byte(em.Stage), em.Level)
	dst = binary.AppendUvarint(dst, uint64(em.Orders))
	dst = binary.AppendVarint(dst, int64(em.Value))
	if em.Permitted != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, em.Permitted)
	}
	dst = append(dst, em.Offered)
	for _, o := range em.Offers[:em.Offered] {
		dst = binary.LittleEndian.AppendUint32(dst, o)
	}
	if em.Buyer {
		dst = em.appendBuyer(dst)
	}
	return dst
}

func (em *Emission) appendBuyer(dst []byte) []byte {
	dst = append(dst, em.group())
	dst = appendSegment(appendSegment(dst, em.Segment), em.PreviousSegment)
	dst = append(dst, byte(em.Band), em.Percent)
	dst = binary.AppendUvarint(dst, uint64(em.Probability))
	dst = binary.AppendVarint(dst, int64(em.LastDay))
	dst = binary.AppendUvarint(dst, uint64(em.Frequency))
	if em.Monetary != em.Value {
		dst = binary.AppendVarint(dst, int64(em.Monetary))
	}
	return dst
}

func appendSegment(dst []byte, name string) []byte {
	for i, s := range segmentCodes {
		if s == name {
			return append(dst, byte(i))
		}
	}
	return append(append(dst, otherSegment, byte(len(name))), name...)
}

// Decode fills em from the bytes of Append; it keeps none of b. The error is
// ErrEmission.
func (em *Emission) Decode(b []byte) error {
	*em = Emission{}
	r := read(b)
	if f := r.Byte(); f != emissionFormat && !r.Failed {
		return fmt.Errorf("%w: unknown format %d", ErrEmission, f)
	}
	flags := r.Byte()
	em.Buyer, em.Overdue = flags&flagBuyer != 0, flags&flagOverdue != 0
	em.Version = r.Uvarint()
	em.AsOf = r.Varint()
	if flags&flagNext != 0 {
		em.Next = em.AsOf + r.Varint()
		em.Timer = Timer(r.Byte())
		if em.Next == 0 {
			r.Fail()
		}
	}
	em.Stage, em.Level = journey.Stage(r.Byte()), r.Byte()
	em.Orders = r.uint32()
	em.Value = event.Micro(r.Varint())
	if flags&flagPermitted != 0 {
		em.Permitted = r.Fixed32()
		if em.Permitted == 0 {
			r.Fail()
		}
	}
	em.Offered = r.Byte()
	if em.Offered > MaxOffers {
		r.Fail()
	}
	for i := 0; i < int(em.Offered) && !r.Failed; i++ {
		em.Offers[i] = r.Fixed32()
	}
	if em.Buyer {
		em.decodeBuyer(&r, flags)
	}
	if r.Failed || len(r.Rest) != 0 || flags >= flagSame<<1 {
		return ErrEmission
	}
	return nil
}

func (em *Emission) decodeBuyer(r *reader, flags byte) {
	g := r.Byte()
	if g >= 125 {
		r.Fail()
	}
	em.R, em.F, em.M = g/25+1, g/5%5+1, g%5+1
	em.Segment, em.PreviousSegment = r.segment(), r.segment()
	em.Band, em.Percent = Band(r.Byte()), r.Byte()
	em.Probability = r.uint32()
	em.LastDay = int32(r.Varint())
	em.Frequency = r.uint32()
	em.Monetary = em.Value
	if flags&flagSame == 0 {
		em.Monetary = event.Micro(r.Varint())
	}
}

// reader also takes the names of segments.
type reader struct{ wire.Reader }

func read(b []byte) reader { return reader{wire.Reader{Rest: b}} }

func (r *reader) uint32() uint32 {
	v := r.Uvarint()
	if v > math.MaxUint32 {
		r.Fail()
	}
	return uint32(v)
}

func (r *reader) segment() string {
	code := r.Byte()
	switch {
	case int(code) < len(segmentCodes):
		return segmentCodes[code]
	case code == otherSegment:
		return string(r.Take(uint64(r.Byte())))
	}
	r.Fail()
	return ""
}
