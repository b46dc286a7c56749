package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Position is the commit record of a partition: what the state of its
// customers has seen. It goes into the changelog with each transaction, as that
// transaction's last word on the partition, and into the store with its data.
type Position struct {
	Next      int64  // input offset of the next record
	MaxTime   int64  // Unix ms of the newest event, in time or not; 0: none
	Clock     int64  // Unix ms up to which timers have fired; 0: none
	Changelog int64  // changelog offset after this record; 0 in the changelog itself
	Identity  uint64 // Assignment.Identity that the state is of; not looked at in the changelog
}

const positionVersion = 1

// Append writes p: a version byte, four varints, and the identity in eight bytes.
func (p Position) Append(b []byte) []byte {
	b = append(b, positionVersion)
	for _, v := range [...]int64{p.Next, p.MaxTime, p.Clock, p.Changelog} {
		b = binary.AppendVarint(b, v)
	}
	return binary.LittleEndian.AppendUint64(b, p.Identity)
}

// DecodePosition reads what Append wrote.
func DecodePosition(b []byte) (Position, error) {
	var p Position
	if len(b) == 0 || b[0] != positionVersion {
		return p, errors.New("commit record of an unknown version")
	}
	b = b[1:]
	for _, f := range [...]*int64{&p.Next, &p.MaxTime, &p.Clock, &p.Changelog} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return p, errors.New("commit record is cut short")
		}
		*f, b = v, b[n:]
	}
	if len(b) != 8 {
		return p, fmt.Errorf("commit record ends with %d bytes of identity, not 8", len(b))
	}
	p.Identity = binary.LittleEndian.Uint64(b)
	return p, nil
}

// watermark is the time before which an event is late.
func watermark(maxTime, lateness int64) int64 {
	if maxTime == 0 {
		return math.MinInt64
	}
	return maxTime - lateness
}
