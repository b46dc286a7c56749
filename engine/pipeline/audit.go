package pipeline

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// CustomerOf is the customer whom a key of the changelog or the store is of; it
// aliases key. It is not ok for a key of something else.
func CustomerOf(key []byte) (id []byte, ok bool) {
	if len(key) < 2 || key[0] != customerKey {
		return nil, false
	}
	return key[1:], true
}

// CustomerKey is the key of a customer in the changelog and the store.
func CustomerKey(id string) []byte { return append([]byte{customerKey}, id...) }

// CommitOf is the partition whose commit record a key of the changelog is of.
func CommitOf(key []byte) (partition int32, ok bool) {
	if len(key) != 5 || key[0] != positionKey {
		return 0, false
	}
	return int32(binary.BigEndian.Uint32(key[1:])), true
}

// SplitLogged takes a value of the changelog apart: what the store keeps, which
// aliases b, and when it is due.
func SplitLogged(b []byte) (val []byte, due int64, err error) { return splitLogValue(b) }

// DecodeCustomer reads a customer as the store keeps it. intern gives equal
// names one string.
func DecodeCustomer(val []byte, led *ledger.Ledger, em *score.Emission, intern func([]byte) string) error {
	return decodeBlob(val, led, em, intern)
}

// SplitCustomer takes apart what the store keeps of a customer; the parts alias val.
func SplitCustomer(val []byte) (facts, emission []byte, err error) { return splitBlob(val) }

// NewInterner is for DecodeCustomer, of one goroutine.
func NewInterner() func([]byte) string { return newInterner() }

// SamePlace says whether two commit records are of one place in the input, in
// time and in what has fired; where they lie in the changelog is not looked at.
func (p Position) SamePlace(o Position) bool {
	return p.Next == o.Next && p.MaxTime == o.MaxTime && p.Clock == o.Clock
}

// EntryHash stands for a key with its value and its due time. Sums of them do
// not depend on an order.
func EntryHash(key, val []byte, due int64) uint64 {
	var d xxhash.Digest
	d.Reset()
	var b [binary.MaxVarintLen64]byte
	_, _ = d.Write(b[:binary.PutUvarint(b[:], uint64(len(key)))]) // none of these can fail
	_, _ = d.Write(key)
	_, _ = d.Write(b[:binary.PutVarint(b[:], due)])
	_, _ = d.Write(val)
	return d.Sum64()
}

// SliceOf is which of some slices a key belongs to.
func SliceOf(key []byte, slices int) int { return int(xxhash.Sum64(key) % uint64(slices)) }

// Digest stands for what a partition's state was at one instant, or a slice of
// its keys.
type Digest struct {
	Position Position
	Count    int         // keys
	Sum      uint64      // of their EntryHash
	Entries  []EntryHead // where asked for, in the order of their keys
}

// EntryHead is a key of the state, and its EntryHash.
type EntryHead struct {
	Key  []byte
	Hash uint64
}

// Digest reads a partition's committed state, as of one instant, beside the
// transactions: one of a number of slices of it, and its keys one by one where
// entries says so. ErrNotFound: there is no state of the partition here.
func (c *Core) Digest(ctx context.Context, partition int32, slice, slices int, entries bool) (d *Digest, err error) {
	f, err := c.store.Freeze(partition)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	b, err := f.Position()
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("partition %d: %w", partition, ErrNotFound)
	}
	d = new(Digest)
	if d.Position, err = DecodePosition(b); err != nil {
		return nil, fmt.Errorf("partition %d: %w", partition, err)
	}
	n := 0
	err = f.Scan(func(key, val []byte, due int64) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if slices > 1 && SliceOf(key, slices) != slice {
			return nil
		}
		h := EntryHash(key, val, due)
		d.Count++
		d.Sum += h
		if entries {
			d.Entries = append(d.Entries, EntryHead{append([]byte(nil), key...), h})
		}
		return nil
	})
	return d, err
}
