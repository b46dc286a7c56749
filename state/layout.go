package state

import (
	"encoding/binary"
	"fmt"
)

// Keys in Pebble, big-endian, one space a tag:
//
//	position  01 partition(4)            → commit record, opaque
//	count     02 partition(4)            → number of data keys, uvarint
//	data      03 partition(4) key        → due (zigzag varint), value
//	timer     04 partition(4) due(8) key → nothing
//	chain     05 number(8)               → nothing; of the first batch and the latest
//
// due has its sign bit flipped, so that bytes order as the numbers do.
// The tags are stored; they are never reused.
const (
	spacePosition byte = 0x01
	spaceCount    byte = 0x02
	spaceData     byte = 0x03
	spaceTimer    byte = 0x04
	spaceChain    byte = 0x05
)

const (
	spaceLen = 1 + 4        // tag and partition
	timerLen = spaceLen + 8 // and due
)

// MaxKey is the length of the longest key, in bytes.
const MaxKey = 1 << 15

// MaxValue is the length of the longest value, in bytes.
const MaxValue = 256 << 20

func appendSpace(dst []byte, tag byte, partition int32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, tag), uint32(partition))
}

// spaceEnd is the first key after the space of a partition.
func spaceEnd(tag byte, partition int32) []byte {
	// A partition is never negative, so adding one stays within four bytes.
	return binary.BigEndian.AppendUint32([]byte{tag}, uint32(partition)+1)
}

func appendData(dst []byte, partition int32, key []byte) []byte {
	return append(appendSpace(dst, spaceData, partition), key...)
}

func appendTimer(dst []byte, partition int32, due int64, key []byte) []byte {
	dst = binary.BigEndian.AppendUint64(appendSpace(dst, spaceTimer, partition), uint64(due)^1<<63)
	return append(dst, key...)
}

// splitTimer takes a timer key apart; key aliases k.
func splitTimer(k []byte) (due int64, key []byte, err error) {
	if len(k) <= timerLen {
		return 0, nil, fmt.Errorf("timer key of %d bytes: %w", len(k), ErrDamaged)
	}
	return int64(binary.BigEndian.Uint64(k[spaceLen:]) ^ 1<<63), k[timerLen:], nil
}

// splitValue takes a stored value apart; val aliases v.
func splitValue(v []byte) (due int64, val []byte, err error) {
	due, n := binary.Varint(v)
	if n <= 0 {
		return 0, nil, fmt.Errorf("value of %d bytes without a due time: %w", len(v), ErrDamaged)
	}
	return due, v[n:], nil
}

// prefixEnd is the first key after all that begin with p, nil if there is none.
func prefixEnd(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			end := append([]byte(nil), p[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

func checkPartition(partition int32) error {
	if partition < 0 {
		return fmt.Errorf("partition %d is negative", partition)
	}
	return nil
}

func checkEntry(key, val []byte) error {
	switch {
	case len(key) == 0 || len(key) > MaxKey:
		return fmt.Errorf("key of %d bytes: must have 1 to %d", len(key), MaxKey)
	case len(val) > MaxValue:
		return fmt.Errorf("value of %d bytes: must have at most %d", len(val), MaxValue)
	}
	return nil
}
