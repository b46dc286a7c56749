package basket

import (
	"encoding/binary"
	"fmt"
)

// itemsVersion is the first byte of a chunk of a saved Dictionary. Numbers are
// never reused.
const itemsVersion = 1

// Each calls f with every entry, in the order in which they were met. It only
// reads; entries are not to be changed, nor kept beyond the next Observe, Update or
// Restore.
func (d *Dictionary) Each(f func(it *Item)) {
	for i := 1; i < len(d.items); i++ {
		f(&d.items[i])
	}
}

// Save calls emit with all entries, in chunks of at most so many bytes, but for an
// entry that alone has more. A chunk holds during the call of emit, whose error ends
// the matter. It only reads. A chunk is 1 byte version, and then of each entry u its
// length and what AppendItem writes.
func (d *Dictionary) Save(most int, emit func(chunk []byte) error) (err error) {
	var chunk, entry []byte
	d.Each(func(it *Item) {
		if err != nil {
			return
		}
		entry = AppendItem(entry[:0], it)
		if len(chunk) > 0 && len(chunk)+binary.MaxVarintLen32+len(entry) > most {
			err, chunk = emit(chunk), chunk[:0]
		}
		if len(chunk) == 0 {
			chunk = append(chunk, itemsVersion)
		}
		chunk = append(binary.AppendUvarint(chunk, uint64(len(entry))), entry...)
	})
	if err != nil || len(chunk) == 0 {
		return err
	}
	return emit(chunk)
}

// Load takes in the entries of a chunk, as Restore does: chunks may come in any
// order, and more than once. The error wraps ErrItem; the entries before the one that
// is damaged have been taken in then.
func (d *Dictionary) Load(chunk []byte) error {
	r := read(chunk)
	if v := r.Byte(); r.Failed || v != itemsVersion {
		return fmt.Errorf("%w: version %d of a chunk of entries is unknown to this binary, which reads %d", ErrItem, v, itemsVersion)
	}
	for len(r.Rest) > 0 {
		entry := r.Take(r.Uvarint())
		if r.Failed {
			return fmt.Errorf("%w: %w", ErrItem, errEnds)
		}
		it, err := DecodeItem(entry)
		if err != nil {
			return err
		}
		d.Restore(it)
	}
	return nil
}
