package pipeline

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// shard is one partition: its customers, its clock, and what the open
// transaction has done so far. One goroutine at a time works on it.
type shard struct {
	core  *Core
	part  int32
	table *state.Table
	dec   Decoder
	ahead [ahead]decoded
	keys  [][]byte // of the customers ahead
	near  byte     // see state.Table.Touch
	rules ledger.Rules
	maker *score.Scorer

	pos, saved Position // as of now, as of the last commit
	end        int64    // offset after the last record that the broker had
	endAt      int64    // wall, Unix ms, at which it said so; 0: never
	gaveAt     int64    // wall, Unix ms, at which it last gave records; 0: never
	doneAt     int64    // Kafka timestamp of the latest record committed; 0: none yet
	touched    bool
	closed     atomic.Bool
	told       bool // the shared log says that the partition has given all that it has

	swept    uint64 // Core.moved that every customer has been looked at for; 0: none
	sweeping uint64 // that of the pass under way; 0: none
	cursor   []byte // the key it has come to

	// Scratch, used again for each event.
	ev     *event.Event
	cur    *resident // the customer that s.key names
	before ledger.Ledger
	views  []ledger.View // of the customer, before the event
	source *basket.Source
	judge  *nextbest.Recommender
	lesson nextbest.Lesson
	bought []uint64
	doc    score.Scores
	change score.Change
	deltas []score.Delta
	key    []byte
	blob   []byte
	parts  [2][]byte // facts and emission while they are encoded

	residents []resident

	out   outbox
	shift *score.Shift // in the population
	lines basket.Rows  // in the co-occurrence counts
	study []nextbest.Lesson
	news  []section // for the shared log, beside what the transaction changed
	met   metItems
	who   contacts
	tally tally
}

// ahead is how many records are decoded before the first of them is applied:
// each of the two needs much code and memory near the processor.
const ahead = 16

// decoded is a record's event, or why there is none. The event holds until the
// decoder's Release.
type decoded struct {
	ev  event.Event
	bad bool
	rej event.Reject
	key []byte // of the customer in the table
}

func newShard(c *Core, p int32, table *state.Table, dec Decoder, pos Position) *shard {
	s := &shard{
		core: c, part: p, table: table, dec: dec, rules: c.rules(), pos: pos, saved: pos,
		residents: make([]resident, c.places), shift: score.NewShift(),
		tally: tally{rejects: map[event.Reason]uint64{}},
	}
	s.ev = &s.ahead[0].ev
	s.source = basket.NewSource(c.cfg.Basket, &s.rules)
	s.judge = nextbest.New(c.cfg.NextBest, c.counts, c.dict, c.currentTrends, &s.rules)
	s.maker = score.NewScorer(c.cfg.Score, s.rules, s.judge)
	s.maker.Catalogue = c.dict
	return s
}

// batch applies a partition's records.
func (s *shard) batch(b *Batch, wall int64) error {
	if b.EndAt >= s.endAt {
		s.end, s.endAt = b.End, b.EndAt
	}
	limit := wall + s.core.cfg.FutureSkew.Milliseconds()
	records := b.Records
	if len(records) > 0 {
		s.gaveAt = wall
	}
	for len(records) > 0 && records[0].Offset < s.pos.Next {
		records = records[1:] // the state has seen it
	}
	for len(records) > 0 {
		n := min(len(records), ahead)
		if err := s.decode(records[:n]); err != nil {
			return fmt.Errorf("partition %d, from offset %d: %w", s.part, records[0].Offset, err)
		}
		for i := range n {
			r := &records[i]
			if err := s.record(r, &s.ahead[i], limit); err != nil {
				return fmt.Errorf("partition %d, offset %d: %w", s.part, r.Offset, err)
			}
		}
		records = records[n:]
	}
	return nil
}

// decode decodes the records ahead and goes to see their customers.
func (s *shard) decode(records []Record) error {
	s.dec.Release()
	s.keys = s.keys[:0]
	for i := range records {
		d := &s.ahead[i]
		d.ev.Reset()
		err := s.dec.Decode(records[i].Value, &d.ev)
		if d.bad = err != nil; d.bad {
			var rej *event.Reject
			if !errors.As(err, &rej) {
				return err
			}
			d.rej = *rej
			continue
		}
		d.key = append(append(d.key[:0], customerKey), d.ev.CustomerID...)
		s.keys = append(s.keys, d.key)
	}
	s.near = s.table.Touch(s.keys)
	return nil
}

// record applies one record. limit is the last instant at which an event may
// be, so that no producer's clock can poison the partition's.
func (s *shard) record(r *Record, d *decoded, limit int64) error {
	s.touched = true
	s.pos.Next = r.Offset + 1
	s.tally.bytes += uint64(len(r.Value))
	if d.bad {
		s.deadLetter(r, &d.rej)
		return nil
	}
	s.ev = &d.ev
	if s.ev.Time > limit {
		s.deadLetter(r, &event.Reject{Reason: event.FutureTime, Field: "time", Offset: -1})
		return nil
	}
	if string(r.Key) != s.ev.CustomerID && s.ev.Type != event.ItemUpdated {
		s.tally.unkeyed++
	}
	if s.ev.Time < watermark(s.pos.MaxTime, s.rules.Lateness) {
		s.tally.late++
		if s.core.cfg.Late == RejectLate {
			s.deadLetter(r, &event.Reject{Reason: event.Late, Offset: -1})
			return nil
		}
	}
	s.tally.latency.add(r.Timestamp)
	return s.apply()
}

// apply brings s.ev into its customer's facts and says what changed.
func (s *shard) apply() error {
	ev := s.ev
	s.tally.events++
	if ev.Time > s.pos.MaxTime {
		s.pos.MaxTime = ev.Time
		s.pos.Clock = max(s.pos.Clock, ev.Time-s.core.cfg.ClockLag.Milliseconds())
	}
	if ev.Type == event.ItemUpdated { // it is about nobody
		s.met.update(ev)
		return nil
	}
	s.key = append(append(s.key[:0], customerKey), ev.CustomerID...)
	if err := s.load(); err != nil {
		return err
	}
	r := s.cur
	s.met.see(ev, s.core.dict)
	s.who.see(ev)
	now := max(s.pos.Clock, ev.Time, r.em.AsOf, r.led.Last)
	save := s.catchUp(ev.CustomerID, now)
	s.views = append(s.views[:0], r.led.Views...)
	examined := s.examine(now)
	eff := r.led.Apply(ev, &s.rules)
	if examined && eff.Orders {
		s.study = append(s.study, s.lesson)
		s.lesson = nextbest.Lesson{}
	}
	if eff.Changed {
		s.source.Views(s.views, r.led.Views, s.lines.Add)
	}
	if !eff.Changed {
		s.tally.duplicates++
	}
	if eff.Orders {
		save = true
		if err := s.moveOrders(); err != nil {
			return err
		}
	}
	switch {
	case ev.Type == event.ErasureRequested && eff.Changed:
		save = true
		s.erase(ev.CustomerID, now, ev.ID)
	case eff.Scores, eff.Week && r.em.Buyer && s.core.models.Load().Behaves(),
		eff.Changed && r.em.Stage == 0: // new, or back after an erasure
		save = true
		s.rescore(ev.CustomerID, now, score.Cause{Kind: "event", EventID: ev.ID}, eff.Orders || ev.Type == event.ConsentUpdated)
	}
	if save {
		return s.put(r)
	}
	r.dirty = r.dirty || eff.Changed
	return nil
}

// moveOrders notes how the customer's baskets differ from those in the table.
func (s *shard) moveOrders() error {
	s.before.Reset()
	if s.cur.known {
		val, _, err := s.table.Get(s.key)
		if err != nil {
			return err
		}
		facts, _, err := splitBlob(val)
		if err != nil {
			return err
		}
		if err := ledger.DecodeFacts(facts, &s.before, s.rules.Intern); err != nil {
			return err
		}
	}
	s.source.Orders(&s.before, &s.cur.led, s.lines.Add)
	return nil
}

// finish completes the outputs with what it says to all, and with the changelog of
// what changed, the partition's commit record last.
func (s *shard) finish() {
	if !s.touched {
		return
	}
	s.tell()
	s.table.Dirty(func(key, val []byte, due int64) {
		s.out.open(Changelog, s.part, key)
		if val == nil {
			s.out.tombstone()
			return
		}
		s.out.arena = appendLogValue(s.out.arena, val, due)
		s.out.close()
	})
	s.out.open(Changelog, s.part, positionLogKey(s.part))
	pos := s.pos
	pos.Changelog = 0
	s.out.arena = pos.Append(s.out.arena)
	s.out.close()
}

// settle takes in what the transaction means to this process alone.
func (s *shard) settle() {
	s.who.into(s.core.audience, s.part)
	s.core.lessons.take(s.study)
}

// rollback takes the shard back to the last commit. A pass over the customers
// begins anew: some of those that it had come by are as before.
func (s *shard) rollback() {
	s.table.Abort()
	s.pos = s.saved
	for i := range s.residents {
		s.residents[i].key, s.residents[i].dirty = s.residents[i].key[:0], false
	}
	s.swept, s.sweeping = 0, 0
	s.told = false
	s.reset()
}

// reset makes the shard ready for the next transaction.
func (s *shard) reset() {
	s.touched = false
	s.out.reset()
	s.shift.Reset()
	s.lines.Reset()
	s.news = s.news[:0]
	clear(s.study)
	s.study = s.study[:0]
	s.met.reset()
	s.who.reset()
	s.tally.reset()
}
