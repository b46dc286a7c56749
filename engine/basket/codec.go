package basket

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/wire"
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
	r := read(b[1:])
	it := Item{
		ID: r.text(), Category: r.text(), Price: event.Micro(r.Varint()),
		Categorised: r.Varint(), Priced: r.Varint(),
	}
	state := r.Byte()
	it.Unavailable, it.Hidden, it.Consent = state&1 != 0, state&2 != 0, r.text()
	it.Stocked, it.Shown, it.Restricted = r.Varint(), r.Varint(), r.Varint()
	if r.Failed {
		return Item{}, fmt.Errorf("%w: %w", ErrItem, errEnds)
	}
	if state > 3 {
		return Item{}, fmt.Errorf("%w: its state is %#x, which says more than is known", ErrItem, state)
	}
	if len(r.Rest) != 0 {
		return Item{}, fmt.Errorf("%w: %d bytes too many", ErrItem, len(r.Rest))
	}
	return it, nil
}

// reader also takes texts and pairs of sums.
type reader struct{ wire.Reader }

func read(b []byte) reader { return reader{wire.Reader{Rest: b}} }

func (r *reader) text() string { return string(r.Take(r.Uvarint())) }
