package pipeline

import (
	"errors"
	"slices"

	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

var errStop = errors.New("enough")

// sweep looks at customers whose scores the models alone may have changed: some
// of them in each transaction, in the order of their keys, so that new models
// are told over minutes and not in a storm. A pass that newer models overtake
// goes on to its end and is followed by another.
//
// How far a pass has come is not stored: whoever opens a partition begins one.
// It goes over what is committed, which lacks those who come to be known
// meanwhile; they are scored with models that are as new.
func (s *shard) sweep() error {
	c := s.core
	if s.swept == c.moved && s.sweeping == 0 || c.cfg.Sweep == 0 {
		return nil
	}
	if s.sweeping == 0 {
		s.sweeping, s.cursor = c.moved, append(s.cursor[:0], customerKey)
	}
	keys, err := nextKeys(c.store, s.part, s.cursor, c.cfg.Sweep)
	if err != nil {
		return err
	}
	for _, key := range keys {
		s.key = append(s.key[:0], key...)
		if err := s.look(); err != nil {
			return err
		}
	}
	if len(keys) < c.cfg.Sweep {
		s.swept, s.sweeping = s.sweeping, 0
		return nil
	}
	s.cursor = append(s.cursor[:0], keys[len(keys)-1]...)
	return nil
}

// nextKeys are at most n committed customers' keys after one.
func nextKeys(store *state.Store, part int32, after []byte, n int) (keys [][]byte, err error) {
	err = store.ScanAfter(part, []byte{customerKey}, after, func(key, _ []byte, _ int64) error {
		keys = append(keys, slices.Clone(key))
		if len(keys) == n {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return keys, err
}

// look scores a customer again because the models moved. Of one without an
// order they say nothing.
func (s *shard) look() error {
	if err := s.load(); err != nil {
		return err
	}
	r := s.cur
	if !r.known || !r.em.Buyer {
		return nil
	}
	// At the instant of the customer's document: what was said last, and when, hangs on
	// the models of then.
	id, now := string(s.key[1:]), max(s.pos.Clock, r.em.AsOf, r.led.Last)
	fired := s.catchUp(id, now)
	was := r.em
	s.rescore(id, now, score.Cause{Kind: "model"}, false)
	if was.AsOf = r.em.AsOf; was == r.em && !fired {
		return nil
	}
	return s.put(r)
}
