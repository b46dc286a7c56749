package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// LogEntry is what one record of the changelog, or of the store, says of a customer
// or of its partition. It aliases the record.
type LogEntry struct {
	Customer string // empty: the record is of no customer
	Erased   bool   // the record takes the customer away
	Due      int64  // Unix ms of the customer's timer; 0: none
	Facts    []byte
	Emission score.Emission

	Position *Position // the partition's commit record; nil: the record is none
}

// ReadLogEntry reads a record of the changelog of a partition. Items, models and
// barriers give an empty entry. A key or a value that no engine writes is an
// error.
func ReadLogEntry(partition int32, key, value []byte) (LogEntry, error) {
	if len(key) == 0 {
		return LogEntry{}, errors.New("record without a key")
	}
	switch key[0] {
	case customerKey:
		return readCustomer(string(key[1:]), value)
	case positionKey:
		if len(key) != 5 || int32(binary.BigEndian.Uint32(key[1:])) != partition {
			return LogEntry{}, fmt.Errorf("commit record %x in partition %d: it is of another", key, partition)
		}
		pos, err := DecodePosition(value)
		return LogEntry{Position: &pos}, err
	}
	return LogEntry{}, nil
}

// EachStateEntry calls fn with the customers that the store holds of a partition.
func EachStateEntry(store *state.Store, partition int32, fn func(LogEntry) error) error {
	return store.Scan(partition, []byte{customerKey}, func(key, val []byte, due int64) error {
		e := LogEntry{Customer: string(key[1:]), Due: due}
		if err := e.read(val); err != nil {
			return fmt.Errorf("partition %d, customer's state: %w", partition, err)
		}
		return fn(e)
	})
}

func readCustomer(id string, value []byte) (LogEntry, error) {
	e := LogEntry{Customer: id, Erased: value == nil}
	if e.Erased {
		return e, nil
	}
	blob, due, err := splitLogValue(value)
	if err != nil {
		return e, err
	}
	e.Due = due
	return e, e.read(blob)
}

func (e *LogEntry) read(blob []byte) error {
	facts, emission, err := splitBlob(blob)
	if err != nil {
		return err
	}
	e.Facts = facts
	return e.Emission.Decode(emission)
}
