package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Frozen is a partition as it was committed at one instant, for whoever audits
// it: data, timers, count and position belong together, whatever is committed
// meanwhile. It holds disk space of what has changed since, until Close.
type Frozen struct {
	store     *Store
	snap      *pebble.Snapshot
	partition int32
}

// Freeze looks at a partition as it is committed now. The store cannot close
// before the Frozen is closed.
func (s *Store) Freeze(partition int32) (*Frozen, error) {
	if err := checkPartition(partition); err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	return &Frozen{store: s, snap: s.db.NewSnapshot(), partition: partition}, nil
}

// Close lets go.
func (f *Frozen) Close() error {
	defer f.store.leave()
	return f.snap.Close()
}

// get is the stored value of a Pebble key, a copy, nil where there is none.
func (f *Frozen) get(k []byte) ([]byte, error) {
	v, closer, err := f.snap.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	b := append([]byte{}, v...)
	return b, closer.Close()
}

// Position is the partition's commit record, nil where it has none.
func (f *Frozen) Position() ([]byte, error) {
	return f.get(appendSpace(nil, spacePosition, f.partition))
}

// Len is the number of keys as the partition's counter has it.
func (f *Frozen) Len() (int, error) {
	v, err := f.get(appendSpace(nil, spaceCount, f.partition))
	if err != nil || v == nil {
		return 0, err
	}
	n, size := binary.Uvarint(v)
	if size <= 0 {
		return 0, fmt.Errorf("count of %d bytes: %w", len(v), ErrDamaged)
	}
	return int(n), nil
}

// Scan calls fn with every key, in order. key and val hold during the call; an
// error of fn ends the scan and is returned.
func (f *Frozen) Scan(fn func(key, val []byte, due int64) error) error {
	return f.each(spaceData, func(k, v []byte) error {
		due, val, err := splitValue(v)
		if err != nil {
			return err
		}
		return fn(k[spaceLen:], val, due)
	})
}

// Timers calls fn with every entry of the timer index, the earliest first. key
// holds during the call.
func (f *Frozen) Timers(fn func(due int64, key []byte) error) error {
	return f.each(spaceTimer, func(k, _ []byte) error {
		due, key, err := splitTimer(k)
		if err != nil {
			return err
		}
		return fn(due, key)
	})
}

// each calls fn with what is stored in one of the partition's spaces.
func (f *Frozen) each(space byte, fn func(k, v []byte) error) (err error) {
	it, err := f.snap.NewIter(&pebble.IterOptions{
		LowerBound: appendSpace(nil, space, f.partition), UpperBound: spaceEnd(space, f.partition),
	})
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	defer func() {
		if e := it.Close(); err == nil && e != nil {
			err = fmt.Errorf("read state: %w", e)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read state: %w", err)
		}
		if err := fn(it.Key(), v); err != nil {
			return err
		}
	}
	return nil // an error of the iterator comes with its Close
}
