package ledger

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/dangol-dev/dangol/engine/event"
)

// lastTime is the last millisecond of the year 9999.
const lastTime = 253402300799999

// reader reads what writer wrote. After the first fault it returns zeros only,
// and bad says that there was one.
type reader struct {
	b   []byte // what is left
	bad bool
}

// fail makes every later read return 0.
func (d *reader) fail() { d.b, d.bad = nil, true }

// uvarint reads up to eight bytes without a loop: a load, the place of the
// first byte without its high bit, and three steps that close the gaps.
func (d *reader) uvarint() uint64 {
	if len(d.b) < 8 {
		return d.uvarintSlow()
	}
	v := binary.LittleEndian.Uint64(d.b)
	stop := ^v & 0x8080808080808080
	if stop == 0 {
		return d.uvarintSlow()
	}
	n := bits.TrailingZeros64(stop)>>3 + 1
	v &= stop ^ (stop - 1) // up to the stop bit
	v = v&0x7f007f007f007f00>>1 | v&0x007f007f007f007f
	v = v&0x3fff00003fff0000>>2 | v&0x00003fff00003fff
	v = v&0x0fffffff00000000>>4 | v&0x000000000fffffff
	if v>>(7*(n-1)) == 0 && n > 1 {
		d.fail() // longer than needed
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *reader) uvarintSlow() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *reader) signed() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads how many things of at least size bytes follow.
func (d *reader) count(limit, size int) int {
	n := d.uvarint()
	if n > uint64(limit) || int(n)*size > len(d.b) {
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
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *reader) hash8() uint64 {
	if len(d.b) < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return v
}

func (d *reader) hash6() uint64 {
	if len(d.b) < 6 {
		d.fail()
		return 0
	}
	v := uint64(binary.LittleEndian.Uint32(d.b)) | uint64(binary.LittleEndian.Uint16(d.b[4:]))<<32
	d.b = d.b[6:]
	return v
}

func (d *reader) hash4() uint32 {
	if len(d.b) < 4 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(d.b)
	d.b = d.b[4:]
	return v
}

// elapsed reads a stretch of time in ms, at most lastTime.
func (d *reader) elapsed() int64 {
	v := d.uvarint()
	t := v >> 1
	if v&1 == 0 {
		if t > lastTime/timeUnit {
			d.fail()
			return 0
		}
		t *= timeUnit
	}
	if t > lastTime {
		d.fail()
		return 0
	}
	return int64(t)
}

func (d *reader) money() event.Micro {
	v := d.uvarint()
	m := v >> 1
	if v&1 == 0 {
		if m > math.MaxInt64/moneyUnit {
			d.fail()
			return 0
		}
		m *= moneyUnit
	}
	return event.Micro(m)
}
