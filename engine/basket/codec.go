package basket

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dangol-dev/dangol/engine/event"
)

// itemVersion is the first byte of an encoded Item. Numbers are never reused: 1
// was an Item without a state, of before the first release.
const itemVersion = 2

// ErrItem is wrapped by every error of DecodeItem.
var ErrItem = errors.New("stored item")

var errEnds = errors.New("ends early")

// AppendItem appends the stored form of an entry, version 2:
//
//	1 byte   version
//	uvarint  length of ID, then ID
//	uvarint  length of Category, then Category
//	varint   Price, millionths
//	varint   Categorised, Unix ms
//	varint   Priced, Unix ms
//	1 byte   bit 0 Unavailable, bit 1 Hidden
//	uvarint  length of Consent, then Consent
//	varint   Stocked, Unix ms
//	varint   Shown, Unix ms
//	varint   Restricted, Unix ms
func AppendItem(dst []byte, it *Item) []byte {
	dst = append(dst, itemVersion)
	dst = binary.AppendUvarint(dst, uint64(len(it.ID)))
	dst = append(dst, it.ID...)
	dst = binary.AppendUvarint(dst, uint64(len(it.Category)))
	dst = append(dst, it.Category...)
	dst = binary.AppendVarint(dst, int64(it.Price))
	dst = binary.AppendVarint(dst, it.Categorised)
	dst = binary.AppendVarint(dst, it.Priced)
	state := byte(0)
	if it.Unavailable {
		state |= 1
	}
	if it.Hidden {
		state |= 2
	}
	dst = append(dst, state)
	dst = binary.AppendUvarint(dst, uint64(len(it.Consent)))
	dst = append(dst, it.Consent...)
	dst = binary.AppendVarint(dst, it.Stocked)
	dst = binary.AppendVarint(dst, it.Shown)
	return binary.AppendVarint(dst, it.Restricted)
}

// DecodeItem reads what AppendItem wrote, to the last byte. The strings are
// copies.
func DecodeItem(b []byte) (Item, error) {
	if len(b) == 0 {
		return Item{}, fmt.Errorf("%w: no bytes", ErrItem)
	}
	if b[0] != itemVersion {
		return Item{}, fmt.Errorf("%w: version %d is unknown to this binary, which reads %d", ErrItem, b[0], itemVersion)
	}
	r := reader{b: b[1:]}
	it := Item{
		ID: r.text(), Category: r.text(), Price: event.Micro(r.varint()),
		Categorised: r.varint(), Priced: r.varint(),
	}
	state := r.byte()
	it.Unavailable, it.Hidden, it.Consent = state&1 != 0, state&2 != 0, r.text()
	it.Stocked, it.Shown, it.Restricted = r.varint(), r.varint(), r.varint()
	if r.short {
		return Item{}, fmt.Errorf("%w: %w", ErrItem, errEnds)
	}
	if state > 3 {
		return Item{}, fmt.Errorf("%w: its state is %#x, which says more than is known", ErrItem, state)
	}
	if len(r.b) != 0 {
		return Item{}, fmt.Errorf("%w: %d bytes too many", ErrItem, len(r.b))
	}
	return it, nil
}

// reader takes values off the front of b; once b was short it stays so.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.short = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.short = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) fixed64() uint64 {
	if len(r.b) < 8 {
		r.b, r.short = nil, true
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) fixed32() uint32 {
	if len(r.b) < 4 {
		r.b, r.short = nil, true
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.short = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.short = nil, true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
