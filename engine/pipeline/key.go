package pipeline

import (
	"encoding/binary"
	"errors"
)

// Keys of the store and the changelog begin with the kind of what they name.
const (
	customerKey = 'c' // + customer id → due, facts and emission
	positionKey = 'p' // + partition, changelog only → Position
)

var errBlob = errors.New("customer's bytes are cut short")

// A customer's blob is the length of the facts, the facts, the emission.
func appendBlob(dst, facts, emission []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(facts)))
	dst = append(dst, facts...)
	return append(dst, emission...)
}

// splitBlob returns aliases of the two parts.
func splitBlob(b []byte) (facts, emission []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, errBlob
	}
	return b[w : w+int(n)], b[w+int(n):], nil
}

// A changelog value is the due time, so that a restore needs to know nothing
// else, and the blob.
func appendLogValue(dst, val []byte, due int64) []byte {
	return append(binary.AppendVarint(dst, due), val...)
}

func splitLogValue(b []byte) (val []byte, due int64, err error) {
	due, w := binary.Varint(b)
	if w <= 0 {
		return nil, 0, errBlob
	}
	return b[w:], due, nil
}
