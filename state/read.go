package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// readFailed is what a caller hears of an error of Pebble.
func (s *Store) readFailed(err error) error {
	return fmt.Errorf("read state: %w", s.damage.judge(err))
}

// view calls fn with the stored value of a Pebble key, if there is one. The
// value holds during the call.
func (s *Store) view(k []byte, fn func(v []byte) error) (found bool, err error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	defer s.leave()
	v, closer, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, s.readFailed(err)
	}
	if err := errors.Join(fn(v), closer.Close()); err != nil {
		return true, s.damage.heard(err)
	}
	return true, nil
}

// iterate calls fn with what was committed from one Pebble key to another when
// it began, in order, until fn says false. k and v hold during the call.
func (s *Store) iterate(from, to []byte, fn func(k, v []byte) (bool, error)) (err error) {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return s.readFailed(err)
	}
	defer func() {
		if e := it.Close(); err == nil && e != nil {
			err = s.readFailed(e)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return s.readFailed(err)
		}
		if more, err := fn(it.Key(), v); err != nil || !more {
			return s.damage.heard(err)
		}
	}
	return nil // an error of the iterator comes with its Close
}

// Position is the commit record of a partition, as it was given to the batch
// that wrote what is committed now. ok is false for a partition that has none.
func (s *Store) Position(partition int32) (position []byte, ok bool, err error) {
	if err := checkPartition(partition); err != nil {
		return nil, false, err
	}
	ok, err = s.view(appendSpace(nil, spacePosition, partition), func(v []byte) error {
		position = append([]byte{}, v...)
		return nil
	})
	return position, ok, err
}

// Partitions lists the partitions that have a commit record, in order.
func (s *Store) Partitions() ([]int32, error) {
	var list []int32
	err := s.iterate([]byte{spacePosition}, []byte{spacePosition + 1}, func(k, _ []byte) (bool, error) {
		if len(k) != spaceLen {
			return false, fmt.Errorf("position key of %d bytes: %w", len(k), ErrDamaged)
		}
		list = append(list, int32(binary.BigEndian.Uint32(k[1:])))
		return true, nil
	})
	return list, err
}

// count is the number of committed keys of a partition.
func (s *Store) count(partition int32) (int, error) {
	var n uint64
	_, err := s.view(appendSpace(nil, spaceCount, partition), func(v []byte) error {
		var size int
		if n, size = binary.Uvarint(v); size <= 0 {
			return fmt.Errorf("count of %d bytes: %w", len(v), ErrDamaged)
		}
		return nil
	})
	return int(n), err
}

// Get is the committed value of key and its due time (0: none), whatever an
// open table has changed since. The value is written over dst from its
// beginning, in new memory if it is too short.
func (s *Store) Get(partition int32, key, dst []byte) (val []byte, due int64, ok bool, err error) {
	if err := errors.Join(checkPartition(partition), checkEntry(key, nil)); err != nil {
		return nil, 0, false, err
	}
	val = dst[:0]
	k := appendData(make([]byte, 0, 64), partition, key)
	ok, err = s.view(k, func(stored []byte) error {
		var v []byte
		var err error
		due, v, err = splitValue(stored)
		val = append(val, v...)
		return err
	})
	return val, due, ok, err
}

// Scan calls fn with every committed key of a partition that begins with
// prefix, in order, as it was when Scan began. key and val hold during the
// call; an error of fn ends the scan and is returned.
func (s *Store) Scan(partition int32, prefix []byte, fn func(key, val []byte, due int64) error) error {
	if err := checkPartition(partition); err != nil {
		return err
	}
	from := appendData(nil, partition, prefix)
	return s.iterate(from, prefixEnd(from), func(k, v []byte) (bool, error) {
		due, val, err := splitValue(v)
		if err != nil {
			return false, err
		}
		return true, fn(k[spaceLen:], val, due)
	})
}

// ScanAfter is Scan from behind the key after, which begins with prefix.
func (s *Store) ScanAfter(partition int32, prefix, after []byte, fn func(key, val []byte, due int64) error) error {
	if err := checkPartition(partition); err != nil {
		return err
	}
	from := append(appendData(nil, partition, after), 0)
	return s.iterate(from, prefixEnd(appendData(nil, partition, prefix)), func(k, v []byte) (bool, error) {
		due, val, err := splitValue(v)
		if err != nil {
			return false, err
		}
		return true, fn(k[spaceLen:], val, due)
	})
}
