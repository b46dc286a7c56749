package state

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// chain finds batches that are missing in the middle. Pebble checks what is in
// its files, but takes what it finds: where a log is lost, or the record that a
// log was written to a table, it applies the later logs over the hole and says
// nothing.
//
// Each batch writes the key of its own number and deletes that of the one
// before; the key of number 0 is written with the first and stays. So there are
// always two: 0 and the number of the latest batch. Over a hole, the key of the
// last batch before it is not deleted; where the beginning is lost, 0 is.
type chain struct {
	last uint64 // number of the latest batch, 0: none
}

func chainKey(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{spaceChain}, n) }

// extend makes b the next batch. Once b is applied, last is one more.
func (c *chain) extend(b *pebble.Batch) error {
	if c.last == 0 {
		if err := b.Set(chainKey(0), nil, nil); err != nil {
			return err
		}
	} else if err := b.SingleDelete(chainKey(c.last), nil); err != nil { // leaves nothing behind, being written once
		return err
	}
	return b.Set(chainKey(c.last+1), nil, nil)
}

// readChain finds the end of the chain, and that there is but one.
func (s *Store) readChain() (c chain, err error) {
	var found []uint64
	err = s.iterate([]byte{spaceChain}, []byte{spaceChain + 1}, func(k, _ []byte) (bool, error) {
		if len(k) != 1+8 {
			return false, fmt.Errorf("chain key of %d bytes: %w", len(k), ErrDamaged)
		}
		found = append(found, binary.BigEndian.Uint64(k[1:]))
		return len(found) < 3, nil
	})
	switch {
	case err != nil:
		return chain{}, err
	case len(found) == 0:
		return chain{}, nil
	case len(found) == 2 && found[0] == 0:
		return chain{last: found[1]}, nil
	}
	return chain{}, s.damage.judge(fmt.Errorf("%w: batches are missing before or after those numbered %d", ErrDamaged, found))
}
