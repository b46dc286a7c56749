package ledger

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/dangol-dev/dangol/engine/event"
)

// lastTime is the last millisecond of the year 9999.
const lastTime = 253402300799999

// fault is the place after a fault: beyond the end of all bytes, so that
// everything read from there on is a fault too.
const fault = 1 << 40

// uvarint reads a number at a place and returns the place after it, or fault.
// Most numbers have one byte. The rest is a loop on purpose: its branches are
// guessed well, and the next number is begun before this one's length is known.
func uvarint(b []byte, at int) (uint64, int) {
	if at < len(b) && b[at] < 0x80 {
		return uint64(b[at]), at + 1
	}
	return uvarintLong(b, at)
}

func uvarintLong(b []byte, at int) (uint64, int) {
	var v uint64
	for shift := uint(0); at < len(b) && shift < 64; shift += 7 {
		c := b[at]
		at++
		if c < 0x80 {
			if c == 0 && shift > 0 || shift == 63 && c > 1 {
				return 0, fault // longer than needed, or than 64 bits
			}
			return v | uint64(c)<<shift, at
		}
		v |= uint64(c&0x7f) << shift
	}
	return 0, fault
}

// hash6At is the hash6 at a place; there must be six bytes.
func hash6At(b []byte, at int) uint64 {
	b = b[at : at+6]
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
}

// elapsedOf is a stretch of time in ms, at most lastTime; ok: it is.
func elapsedOf(v uint64) (t int64, ok bool) {
	n := v >> 1
	if v&1 == 0 {
		if n > lastTime/timeUnit {
			return 0, false
		}
		n *= timeUnit
	}
	return int64(n), n <= lastTime
}

// moneyOf is an amount; ok: it fits.
func moneyOf(v uint64) (m event.Micro, ok bool) {
	n := v >> 1
	if v&1 == 0 {
		if n > math.MaxInt64/moneyUnit {
			return 0, false
		}
		n *= moneyUnit
	}
	return event.Micro(n), true
}

// reader reads what writer wrote. After the first fault it returns zeros only.
type reader struct {
	b  []byte
	at int // of the next byte
}

// fail makes every later read return 0.
func (d *reader) fail() { d.at = fault }

func (d *reader) bad() bool { return d.at > len(d.b) }

// left is how many bytes are left; negative after a fault.
func (d *reader) left() int { return len(d.b) - d.at }

func (d *reader) uvarint() (v uint64) {
	v, d.at = uvarint(d.b, d.at)
	return v
}

func (d *reader) signed() int64 {
	return unzigzag(d.uvarint())
}

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// bits reads a bitmap.
func (d *reader) bits() (v uint64) {
	for present := d.byte(); present != 0; present &= present - 1 {
		low := d.byte()
		if low == 0 {
			d.fail()
		}
		v |= uint64(low) << (8 * bits.TrailingZeros8(present))
	}
	return v
}

// count reads how many things of at least size bytes follow.
func (d *reader) count(limit, size int) int {
	n := d.uvarint()
	if n > uint64(limit) || int(n)*size > d.left() {
		d.fail()
		return 0
	}
	return int(n)
}

// number reads what must fit an int64.
func (d *reader) number() int64 {
	v := d.uvarint()
	if v > math.MaxInt64 {
		d.fail()
		return 0
	}
	return int64(v)
}

func (d *reader) byte() byte {
	if d.left() < 1 {
		d.fail()
		return 0
	}
	v := d.b[d.at]
	d.at++
	return v
}

func (d *reader) hash8() uint64 {
	if d.left() < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b[d.at:])
	d.at += 8
	return v
}

func (d *reader) hash6() uint64 {
	if d.left() < 6 {
		d.fail()
		return 0
	}
	v := hash6At(d.b, d.at)
	d.at += 6
	return v
}

func (d *reader) hash4() uint32 {
	if d.left() < 4 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(d.b[d.at:])
	d.at += 4
	return v
}

func (d *reader) elapsed() int64 {
	t, ok := elapsedOf(d.uvarint())
	if !ok {
		d.fail()
	}
	return t
}

func (d *reader) money() event.Micro {
	m, ok := moneyOf(d.uvarint())
	if !ok {
		d.fail()
	}
	return m
}

// uvarintOf is the number at the beginning of eight bytes, and its size; fault,
// where it is longer than they are or than needed.
func uvarintOf(b uint64) (v uint64, size int) {
	stop := bits.TrailingZeros64(^b & 0x8080808080808080)
	if stop == 64 {
		return 0, fault
	}
	v = b & (1<<stop - 1) & 0x7f7f7f7f7f7f7f7f
	v = v&0x007f007f007f007f | v&0x7f007f007f007f00>>1
	v = v&0x00003fff00003fff | v&0x3fff00003fff0000>>2
	v = v&0x000000000fffffff | v&0x0fffffff00000000>>4
	if stop > 7 && b>>(stop-7)&0x7f == 0 {
		return 0, fault
	}
	return v, (stop + 1) / 8
}
