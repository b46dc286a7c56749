package ledger

import (
	"encoding/binary"
	"math/bits"

	"github.com/dangol-dev/dangol/engine/event"
)

// writer writes facts into a buffer that is known to be large enough.
type writer struct {
	b        []byte
	at       int   // of the next byte
	last     int64 // Ledger.Last
	channels []string
}

func (w *writer) channel(s string) {
	if s == "" {
		w.byte(0)
		return
	}
	for i, c := range w.channels {
		if c == s {
			w.uvarint(uint64(i + 1))
			return
		}
	}
}

func (w *writer) byte(v byte) {
	w.b[w.at] = v
	w.at++
}

func (w *writer) uvarint(v uint64) { w.at = putUvarint(w.b, w.at, v) }

// putUvarint writes a number at a place and returns the place after it. Up to
// eight bytes are written without a loop: three steps that open the gaps, the
// high bits of all but the last byte, and a store.
func putUvarint(b []byte, at int, v uint64) int {
	if v < 0x80 {
		b[at] = byte(v)
		return at + 1
	}
	if v >= 1<<56 {
		return at + binary.PutUvarint(b[at:], v)
	}
	n := uint(bits.Len64(v)+6) / 7
	v = v&0x00fffffff0000000<<4 | v&0x000000000fffffff
	v = v&0x0fffc0000fffc000<<2 | v&0x00003fff00003fff
	v = v&0x3f803f803f803f80<<1 | v&0x007f007f007f007f
	v |= 0x8080808080808080 & (1<<((n-1)*8&63) - 1)
	binary.LittleEndian.PutUint64(b[at:], v)
	return at + int(n)
}

// scaledTime is the number that stands for a stretch of time in ms. (A division
// by a constant is no division; hence this and scaledMoney are two.)
func scaledTime(v uint64) uint64 {
	if q := v / timeUnit; q*timeUnit == v {
		return q << 1
	}
	return v<<1 | 1
}

func scaledMoney(v uint64) uint64 {
	if q := v / moneyUnit; q*moneyUnit == v {
		return q << 1
	}
	return v<<1 | 1
}

func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

func (w *writer) signed(v int64) { w.uvarint(zigzag(v)) }

// bits writes a bitmap of which few bytes are not 0.
func (w *writer) bits(v uint64) {
	at, present := w.at+1, byte(0)
	for k := 0; v != 0; k++ {
		if low := byte(v); low != 0 {
			present |= 1 << k
			w.b[at] = low
			at++
		}
		v >>= 8
	}
	w.b[w.at] = present
	w.at = at
}

func (w *writer) hash8(v uint64) {
	binary.LittleEndian.PutUint64(w.b[w.at:], v)
	w.at += 8
}

func (w *writer) hash6(v uint64) {
	binary.LittleEndian.PutUint64(w.b[w.at:], v)
	w.at += 6
}

func (w *writer) ago(t int64) { w.uvarint(scaledTime(uint64(w.last - t))) }

func (w *writer) money(m event.Micro) { w.uvarint(scaledMoney(uint64(m))) }
