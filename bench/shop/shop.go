// Package shop generates the events of a small, honest shop: customers with
// rhythms of their own who come, buy, and one day stay away; baskets in which
// some articles go together; records that arrive late, twice, or broken.
//
// A Shop is a simulation without a clock: it runs as fast as Next is called,
// and every record says when it arrives. The caller paces it. The same Config
// gives the same records, byte for byte.
package shop

import (
	"math/rand/v2"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

// Config says what kind of shop it is.
type Config struct {
	Seed      uint64
	Customers int           // at any one time: for each who leaves a new one comes. Below 1 counts as 1
	Start     int64         // Unix ms of the first day
	Lateness  time.Duration // the longest time between an event and its arrival; below a minute counts as one
	Stop      time.Duration // from Start until the habits that end do so (see Affinity); 0: they never do

	LateShare      float64 // of the events that arrive late: minutes to Lateness after they happened
	DuplicateShare float64 // of the events that arrive twice, unchanged
	MalformedShare float64 // of the records that cannot be events
	SegmentShare   float64 // of the events that are Segment track calls, where that spec has a name for them
}

// DefaultConfig is a shop with 2,000 customers and the usual mishaps.
func DefaultConfig() Config {
	return Config{
		Seed:           1,
		Customers:      2000,
		Start:          time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		Lateness:       12 * time.Hour,
		LateShare:      .02,
		DuplicateShare: .01,
		MalformedShare: .001,
		SegmentShare:   .5,
	}
}

// EventsPerDay is about how many records a day of the shop's time brings. With
// it a caller who wants a rate knows how fast time must run.
func (c Config) EventsPerDay() float64 { return eventsPerCustomerDay * float64(max(c.Customers, 1)) }

// eventsPerCustomerDay is measured; a test holds it to the truth.
const eventsPerCustomerDay = 1.7

// Kind says what is special about a record.
type Kind uint8

// The kinds.
const (
	Normal    Kind = iota
	Late           // arrives well after it happened
	Duplicate      // arrived before
	Broken         // cannot be an event
)

// Record is one arrival.
type Record struct {
	Arrival  int64  // Unix ms, never less than the record before
	Time     int64  // Unix ms at which it happened; 0 when Broken
	Customer string // the Kafka key
	Value    []byte // JSON; valid until the next call of Next
	Kind     Kind
	Type     event.Type   // 0 when Broken
	Reject   event.Reason // when Broken: why
}

// Shop is the simulation. It belongs to one goroutine.
type Shop struct {
	c         Config
	rng       *rand.Rand
	cat       *catalogue
	stop      int64 // Unix ms at which habits end
	customers []customer
	visits    heap[visit]   // each customer's next visit
	pending   heap[arrival] // what has happened and not arrived yet
	free      [][]byte
	last      []byte // the buffer that Next lent out
	seq       uint64 // events so far
	orders    uint64 // orders so far
	ids       uint32 // customers so far
	broken    int    // malformed records so far
	malformed []Malformation
	names     []string // customer ids on the wire, by number
}

// visit is the next time a customer does something.
type visit struct {
	at   int64
	slot uint32
}

// arrival is a record on its way.
type arrival struct {
	at   int64
	seq  uint64
	time int64
	id   uint32 // customer
	kind Kind
	typ  event.Type
	bad  int // Broken: index in malformed
	buf  []byte
}

// New opens the shop.
func New(c Config) *Shop {
	c.Customers = max(c.Customers, 1)
	c.Lateness = max(c.Lateness, time.Minute)
	s := &Shop{
		c:         c,
		rng:       rand.New(rand.NewPCG(c.Seed, 0x64616e676f6c)),
		cat:       newCatalogue(),
		stop:      never,
		customers: make([]customer, c.Customers),
		malformed: Malformed(),
	}
	if c.Stop > 0 {
		s.stop = c.Start + c.Stop.Milliseconds()
	}
	s.visits.less = func(a, b *visit) bool { return a.at < b.at || a.at == b.at && a.slot < b.slot }
	s.pending.less = func(a, b *arrival) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }
	for i := range s.customers {
		cu := &s.customers[i]
		s.welcome(cu, c.Start)
		// Their first visits are spread as their visits are, so that the
		// first day is a day like any other.
		s.visits.push(visit{cu.next(), uint32(i)})
	}
	return s
}

// Next returns the next record to arrive. There is always one.
func (s *Shop) Next() Record {
	if s.last != nil {
		s.free = append(s.free, s.last)
		s.last = nil
	}
	// A visit at t causes only arrivals at t or later.
	for s.pending.len() == 0 || s.visits.top().at <= s.pending.top().at {
		v := s.visits.top()
		cu := &s.customers[v.slot]
		s.visit(cu, v.at)
		v.at = cu.next()
		s.visits.fix()
	}
	a := s.pending.pop()
	s.last = a.buf
	r := Record{Arrival: a.at, Time: a.time, Customer: s.names[a.id], Value: a.buf, Kind: a.kind, Type: a.typ}
	if a.kind == Broken {
		m := &s.malformed[a.bad]
		r.Value, r.Reject, s.last = m.Value, m.Reason, nil
	}
	return r
}

// send puts an encoded event on its way, perhaps late, perhaps twice.
func (s *Shop) send(cu *customer, typ event.Type, at int64, buf []byte) {
	a := arrival{at: at + 50 + s.rng.Int64N(1500), time: at, id: cu.id, typ: typ, buf: buf}
	late := s.c.Lateness.Milliseconds()
	if s.chance(s.c.LateShare) {
		a.kind = Late
		a.at = at + late/20 + s.rng.Int64N(late-late/20)
	}
	s.push(a)
	if s.chance(s.c.DuplicateShare) {
		again := a
		again.kind = Duplicate
		again.at = a.at + s.rng.Int64N(max(at+late-a.at, 1))
		again.buf = append(s.buffer(), buf...)
		s.push(again)
	}
	if s.chance(s.c.MalformedShare) {
		s.push(arrival{at: a.at, id: cu.id, kind: Broken, bad: s.broken % len(s.malformed)})
		s.broken++
	}
}

func (s *Shop) push(a arrival) {
	s.seq++
	a.seq = s.seq
	s.pending.push(a)
}

// buffer returns an empty buffer, a used one where there is one.
func (s *Shop) buffer() []byte {
	if n := len(s.free); n > 0 {
		b := s.free[n-1]
		s.free = s.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 512)
}

func (s *Shop) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }
