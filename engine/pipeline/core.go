package pipeline

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// Clock modes.
const (
	LiveClock  = "live"  // watermark while catching up, the wall clock at the end of the partition
	EventClock = "event" // the watermark alone
)

// Late modes.
const (
	ApplyLate  = "apply"
	RejectLate = "reject"
)

// Config says how a Core works.
type Config struct {
	Ledger   ledger.Config
	Score    score.Config
	Basket   basket.Config
	NextBest nextbest.Config
	Zone     *time.Location
	Topic    string // of the input, for dead letters' headers
	Late     string // ApplyLate or RejectLate
	Clock    string // LiveClock or EventClock
	// ClockLag is how far the clock trails the newest event: the allowed lateness
	// for a stream, 0 for files in event-time order.
	ClockLag time.Duration
	// FutureSkew is how far ahead of the wall clock an event's time may be.
	FutureSkew time.Duration
}

// maxClockStep is how far one transaction moves a live partition's clock, so
// that a long sleep is made up for in steps and a leaping wall clock does not
// fire a year of timers at once.
const maxClockStep = 7 * 24 * time.Hour

// endHolds is how long the broker's word on a partition's end is believed. A
// broker that does not answer may hold any number of records: time must not go
// on without them.
const endHolds = 3 * time.Second

// Core is the engine without its connections: shards over a store, and the
// models that all of them score with.
//
// A transaction is: Process, as often as there are records; Finish; produce
// the outputs; then commit or abort. Within Process the shards run side by side
// and read the models; in commit nothing else runs, and the models move. So
// the data path takes no lock. Queries run beside all of it: they read
// committed state from the store, and the models under mu.
type Core struct {
	cfg        Config
	calendar   ledger.Calendar
	store      *state.Store
	enc        Encoder
	newDecoder func() (Decoder, error)
	now        func() time.Time
	places     int // for residents; tests make it small

	shards map[int32]*shard

	assignMu sync.Mutex
	restored map[int32]bool       // since their shard was opened: what it holds may be old
	given    map[int32]Assignment // the latest of each partition

	// committing is full from the end of a transaction until the store has it: a
	// restore waits for that. It is a channel because the waiting must be able
	// to end with its context: the client may need its goroutine.
	committing chan struct{}

	mu      sync.RWMutex // guards what follows, which queries read and commit writes
	agg     *score.Aggregate
	counts  *basket.Counts
	dict    *basket.Dictionary
	clocks  map[int32]Position
	commits uint64
	ready   error
	unsaved map[uint64]unsavedItem // entries that changed in the open transaction

	models atomic.Pointer[score.Models]
	past   pastModels

	statsMu sync.Mutex
	stats   Stats
}

type unsavedItem struct {
	shard int32
	item  basket.Item
}

// NewCore returns a Core without shards. now is the wall clock, for
// measurements; newDecoder is called once a shard.
func NewCore(cfg Config, store *state.Store, enc Encoder, newDecoder func() (Decoder, error), now func() time.Time) *Core {
	c := &Core{
		cfg: cfg, calendar: ledger.NewCalendar(cfg.Zone), store: store, enc: enc, newDecoder: newDecoder, now: now, places: places,
		shards: map[int32]*shard{}, restored: map[int32]bool{}, given: map[int32]Assignment{}, committing: make(chan struct{}, 1), clocks: map[int32]Position{},
		unsaved: map[uint64]unsavedItem{}, ready: ErrNotReady,
	}
	c.stats.Rejects = map[event.Reason]uint64{}
	c.resetModels()
	return c
}

// rules of the ledger, with an interner of the caller's own.
func (c *Core) rules() ledger.Rules {
	r := c.cfg.Ledger.Rules(c.calendar)
	r.Intern = newInterner()
	return r
}

func (c *Core) resetModels() {
	c.agg = score.NewAggregate()
	c.counts = basket.New(c.cfg.Basket)
	c.dict = basket.NewDictionary()
	c.models.Store(c.freshModels())
}

// Sync opens shards for the partitions assigned and closes those of others.
func (c *Core) Sync(assigned []int32) error {
	want := make(map[int32]bool, len(assigned))
	for _, p := range assigned {
		want[p] = true
	}
	lost := false
	for p, s := range c.shards {
		if !want[p] || c.isRestored(p) {
			if s.touched {
				return errNotCommitted
			}
			s.table.Close()
			delete(c.shards, p)
			lost = true
		}
	}
	if lost {
		if err := c.rebuild(); err != nil {
			return err
		}
	}
	for _, p := range assigned {
		if c.shards[p] == nil {
			if err := c.openShard(p); err != nil {
				return fmt.Errorf("open partition %d: %w", p, err)
			}
		}
	}
	if len(assigned) > 0 && len(c.shards) == len(assigned) {
		c.setReady(nil)
	}
	return nil
}

func (c *Core) setReady(err error) {
	c.mu.Lock()
	c.ready = err
	c.mu.Unlock()
}

func (c *Core) isRestored(p int32) bool {
	c.assignMu.Lock()
	defer c.assignMu.Unlock()
	return c.restored[p]
}

// stale notes that the store's partition changes under an open shard.
func (c *Core) stale(a Assignment) {
	c.assignMu.Lock()
	c.restored[a.Partition] = true
	c.given[a.Partition] = a
	c.assignMu.Unlock()
}

// openShard makes a shard of the store's partition and adds its customers to
// the models.
func (c *Core) openShard(p int32) error {
	c.assignMu.Lock()
	delete(c.restored, p)
	a := c.given[p]
	c.assignMu.Unlock()
	pos, have, err := c.position(p)
	if err != nil {
		return err
	}
	if !have {
		pos = Position{Next: max(a.Start, 0), Identity: a.Identity}
	}
	table, err := c.store.Table(p)
	if err != nil {
		return err
	}
	dec, err := c.newDecoder()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := newShard(c, p, table, dec, pos)
	if err := c.absorb(p); err != nil {
		table.Close()
		return err
	}
	c.shards[p] = s
	c.clocks[p] = pos
	c.publish()
	return nil
}

// absorb adds everything the store holds of a partition to the models.
func (c *Core) absorb(p int32) error {
	var led ledger.Ledger
	var em score.Emission
	rules := c.rules()
	err := c.store.Scan(p, nil, func(key, val []byte, _ int64) error {
		switch key[0] {
		case itemKey:
			it, err := basket.DecodeItem(val)
			if err != nil {
				return err
			}
			c.dict.Restore(it)
		case customerKey:
			if err := decodeBlob(val, &led, &em, rules.Intern); err != nil {
				return fmt.Errorf("customer's state: %w", err)
			}
			c.agg.Add(&em)
			basket.Each(&led, &rules, c.counts.Apply)
		}
		return nil
	})
	return err
}

// rebuild makes the models anew from the open shards' partitions.
func (c *Core) rebuild() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cuts := c.models.Load().Cuts
	c.resetModels()
	c.clocks = map[int32]Position{}
	for p, s := range c.shards {
		if err := c.absorb(p); err != nil {
			return err
		}
		c.clocks[p] = s.saved
		s.useModels()
	}
	m := *c.models.Load()
	m.Cuts = cuts
	c.models.Store(&m)
	c.publish()
	return nil
}

// publish makes the models of what the population is now: cut points only where
// they moved, so that scores do not flap. c.mu is held.
func (c *Core) publish() {
	old := c.models.Load()
	m := *old
	m.BasketOrders = c.counts.Orders()
	day := int32(math.MinInt32)
	for _, p := range c.clocks {
		if p.Clock > 0 {
			day = max(day, c.calendar.Day(p.Clock))
		}
	}
	if cuts := c.agg.Cuts(day); cuts.Moved(&old.Cuts) {
		m.Cuts = cuts
	}
	c.models.Store(&m)
}

func (c *Core) position(p int32) (Position, bool, error) {
	b, ok, err := c.store.Position(p)
	if err != nil || !ok {
		return Position{}, false, err
	}
	pos, err := DecodePosition(b)
	return pos, err == nil, err
}

// Process applies batches, each in its shard, side by side. It returns how many
// records that were. A batch of a partition that is not open, or no longer as
// it was opened, is an error: the session has lost it.
func (c *Core) Process(batches []Batch, wall int64) (int, error) {
	n := 0
	for i := range batches {
		s := c.shards[batches[i].Partition]
		if s == nil || c.isRestored(s.part) {
			return 0, errNotCommitted
		}
		n += len(batches[i].Records)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(batches))
	for i := range batches {
		b := &batches[i]
		s := c.shards[b.Partition]
		work := func() { errs[i] = s.batch(b, wall) }
		if i == len(batches)-1 {
			work()
			break
		}
		wg.Go(work)
	}
	wg.Wait()
	return n, errors.Join(errs...)
}

// timersDue says whether timers wait that an earlier transaction had no room
// for.
func (c *Core) timersDue() bool {
	for _, s := range c.shards {
		if s.due() {
			return true
		}
	}
	return false
}

// Finish moves the clocks of partitions at their end to wall (Unix ms), fires
// what is due, and completes the transaction's outputs.
func (c *Core) Finish(wall int64) error {
	for _, s := range c.shards {
		if err := s.tick(wall); err != nil {
			return err
		}
		if err := s.flushAll(); err != nil {
			return err
		}
	}
	if err := c.saveItems(); err != nil {
		return err
	}
	for _, s := range c.shards {
		s.finish()
	}
	return nil
}

// saveItems puts what was learned about items into the shards that met them.
func (c *Core) saveItems() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	learned := false
	for _, s := range c.shards {
		for i := range s.met.items {
			m := &s.met.items[i]
			if entry, changed := c.dict.Observe(&m.item, m.at); changed {
				c.unsaved[event.Hash(entry.ID)] = unsavedItem{s.part, *entry}
				learned = true
			}
		}
	}
	if learned {
		for _, s := range c.shards {
			s.met.forget()
		}
	}
	for _, u := range c.unsaved {
		s := c.shards[u.shard]
		if s == nil {
			continue
		}
		s.touched = true
		s.key = append(append(s.key[:0], itemKey), u.item.ID...)
		s.blob = basket.AppendItem(s.blob[:0], &u.item)
		if err := s.table.Put(s.key, s.blob, 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *Core) eachOutput(produce func([]Output)) {
	for _, s := range c.shards {
		if s.touched {
			produce(s.out.outputs())
		}
	}
}

// outputBytes is how much the open transaction has to say so far.
func (c *Core) outputBytes() int {
	n := 0
	for _, s := range c.shards {
		n += len(s.out.arena)
	}
	return n
}

func (c *Core) touched() bool {
	for _, s := range c.shards {
		if s.touched {
			return true
		}
	}
	return false
}

// next is the input offset to go on from, of each partition that was touched.
func (c *Core) next() map[int32]int64 {
	next := map[int32]int64{}
	for p, s := range c.shards {
		if s.touched {
			next[p] = s.pos.Next
		}
	}
	return next
}

// commit lets the store have the transaction, and then the models.
func (c *Core) commit(changelog map[int32]int64, now time.Time) error {
	b := c.store.NewBatch()
	n := 0
	c.mu.Lock()
	for p, s := range c.shards {
		c.clocks[p] = s.pos // time goes on where nothing happens, too
	}
	c.mu.Unlock()
	for p, s := range c.shards {
		if !s.touched {
			continue
		}
		s.pos.Changelog = changelog[p]
		b.AddTable(s.table, s.pos.Append(nil))
		n++
	}
	if n == 0 {
		return nil
	}
	if err := b.Commit(); err != nil {
		return err
	}
	c.mu.Lock()
	for p, s := range c.shards {
		if s.touched {
			s.settle(c.agg, c.counts)
			c.clocks[p] = s.pos
		}
	}
	clear(c.unsaved)
	c.commits++
	c.publish()
	c.mu.Unlock()
	c.tallyUp(now)
	for _, s := range c.shards {
		s.saved = s.pos
		s.reset()
	}
	return nil
}

// closeAll forgets all shards; the store stays.
func (c *Core) closeAll() {
	c.setReady(ErrNotReady)
	for p, s := range c.shards {
		s.table.Abort()
		s.table.Close()
		delete(c.shards, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resetModels()
	c.clocks = map[int32]Position{}
	clear(c.unsaved)
}

// observeEnds takes the broker's word on where its partitions end. idle says
// that polls have given nothing for a while.
func (c *Core) observeEnds(ends map[int32]int64, idle bool, wall int64) {
	for p, s := range c.shards {
		if end, ok := ends[p]; ok {
			s.end, s.endAt, s.idle = end, wall, idle
		}
	}
}
