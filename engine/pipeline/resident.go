package pipeline

import (
	"bytes"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// resident is a customer held decoded. Events come in sessions: who was seen
// last is likely seen next, and is then neither read nor decoded again, and
// encoded once for many views.
type resident struct {
	key   []byte // of the table; empty: the place is free
	led   ledger.Ledger
	em    score.Emission
	known bool // the table has the customer
	// dirty: the table's bytes are older, by views and cart lines alone. What
	// touches orders, scores or timers goes into the table at once.
	dirty bool
}

const (
	places     = 512 // for residents, of a shard
	keptOrders = 64  // a ledger that grew beyond this gives its memory back
)

// load makes the customer at s.key the present one.
func (s *shard) load() error {
	r := &s.residents[event.HashBytes(s.key)%uint64(len(s.residents))]
	s.cur = r
	if bytes.Equal(r.key, s.key) {
		return nil
	}
	if err := s.flush(r); err != nil {
		return err
	}
	r.key = append(r.key[:0], s.key...)
	if cap(r.led.Orders) > keptOrders {
		r.led = ledger.Ledger{}
	}
	val, ok, err := s.table.Get(s.key)
	if err != nil {
		return err
	}
	r.known = ok
	if !ok {
		r.led.Reset()
		r.em = score.Emission{}
		return nil
	}
	return decodeBlob(val, &r.led, &r.em, s.rules.Intern)
}

// put brings a resident into the table.
func (s *shard) put(r *resident) error {
	s.touched = true
	s.parts[0] = r.led.AppendFacts(s.parts[0][:0])
	s.parts[1] = r.em.Append(s.parts[1][:0])
	s.blob = appendBlob(s.blob[:0], s.parts[0], s.parts[1])
	r.dirty, r.known = false, true
	return s.table.Put(r.key, s.blob, r.em.Next)
}

// flush is put for one that is dirty.
func (s *shard) flush(r *resident) error {
	if !r.dirty {
		return nil
	}
	return s.put(r)
}

// flushAll brings every dirty resident into the table.
func (s *shard) flushAll() error {
	for i := range s.residents {
		if err := s.flush(&s.residents[i]); err != nil {
			return err
		}
	}
	return nil
}
