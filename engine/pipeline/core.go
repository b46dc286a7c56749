package pipeline

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
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
	// Sweep is how many customers of a partition are scored again in a transaction
	// after the models have moved; 0: none, the move shows at their next event.
	Sweep int
	// LeastLog is how many bytes must have come on the shared log for a snapshot of
	// what is in it; 0: 8 MiB.
	LeastLog int64
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
// A transaction is: Process, as often as there are records; Finish; commit, which
// has the outputs produced and the transaction ended. Within Process the shards
// run side by side and read the models; in commit they rest, and the models move.
// So the data path takes no lock. Queries run beside all of it: they read
// committed state from the store, and the models under mu.
type Core struct {
	cfg        Config
	calendar   ledger.Calendar
	store      *state.Store
	enc        Encoder
	newDecoder func() (Decoder, error)
	now        func() time.Time
	places     int // for residents; tests make it small
	// leastBuyers are those that a fit needs; tests make it small.
	leastBuyers int
	leastLog    int64 // bytes, that a snapshot needs; tests make it small

	shards map[int32]*shard

	assignMu  sync.Mutex
	restored  map[int32]bool       // since their shard was opened: what it holds may be old
	given     map[int32]Assignment // the latest of each partition
	restoring map[int32]*restoring // under way
	slots     chan struct{}        // one for each restore that reads
	followed  map[int32]Position   // of other instances, that copies are kept of
	stales    map[int32]map[string]bool

	// committing is full from the end of a transaction until the store has it: a
	// restore waits for that. It is a channel because the waiting must be able
	// to end with its context: the client may need its goroutine.
	committing chan struct{}

	life       context.Context // of what goes on in the background
	end        context.CancelFunc
	background sync.WaitGroup

	shared shared

	mu     sync.RWMutex // guards what follows, which queries read and commit writes
	agg    *score.Aggregate
	counts *basket.Counts
	dict   *basket.Dictionary
	clocks map[int32]place // of all partitions of the application
	ours   []int32         // that are open here
	// revision counts the commits with events, and the changes of what is
	// assigned: in between, all facts are the same.
	revision       uint64
	joined         bool      // what is shared is known
	openedAt       time.Time // when the session was
	partitionCount int32     // of the application; 0: not known
	lessons        lessons
	audience       *nextbest.Audience
	publisher      publisher
	learning       learning

	began  int64     // of a replay: the first event's time
	busyAt time.Time // when something happened last
	restAt time.Time // its value when the models were made exact
	moved  uint64    // how often the models moved, from 1; shards compare it with what they have swept

	models atomic.Pointer[score.Models]
	trends atomic.Pointer[nextbest.Trends]
	past   pastModels

	statsMu sync.Mutex
	stats   Stats
}

// NewCore returns a Core without shards. now is the wall clock, for
// measurements; newDecoder is called once a shard.
func NewCore(cfg Config, store *state.Store, enc Encoder, newDecoder func() (Decoder, error), now func() time.Time) *Core {
	c := &Core{
		cfg: cfg, calendar: ledger.NewCalendar(cfg.Zone), store: store, enc: enc, newDecoder: newDecoder, now: now, places: places, leastBuyers: leastBuyers,
		shards: map[int32]*shard{}, restored: map[int32]bool{}, given: map[int32]Assignment{}, committing: make(chan struct{}, 1),
		leastLog: cmp.Or(cfg.LeastLog, leastLog), joined: true, moved: 1,
		restoring: map[int32]*restoring{}, slots: make(chan struct{}, runtime.GOMAXPROCS(0)), followed: map[int32]Position{}, stales: map[int32]map[string]bool{},
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.stats.Rejects = map[event.Reason]uint64{}
	c.resetShared()
	return c
}

// rules of the ledger, with an interner of the caller's own.
func (c *Core) rules() ledger.Rules {
	r := c.cfg.Ledger.Rules(c.calendar)
	r.Intern = newInterner()
	return r
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
	return n, sideBySide(len(batches), func(i int) error {
		return c.shards[batches[i].Partition].batch(&batches[i], wall)
	})
}

// eachShard calls work with every shard, side by side.
func (c *Core) eachShard(work func(s *shard) error) error {
	shards := slices.Collect(maps.Values(c.shards))
	return sideBySide(len(shards), func(i int) error { return work(shards[i]) })
}

// sideBySide calls work with 0 to n−1, the last on the calling goroutine, and
// joins what goes wrong.
func sideBySide(n int, work func(i int) error) error {
	if n == 0 {
		return nil
	}
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n - 1 {
		wg.Go(func() { errs[i] = work(i) })
	}
	errs[n-1] = work(n - 1)
	wg.Wait()
	return errors.Join(errs...)
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
	if err := c.eachShard(func(s *shard) error {
		if err := s.tick(wall); err != nil {
			return err
		}
		return s.flushAll()
	}); err != nil {
		return err
	}
	c.propose()
	c.publishAffinities()
	return c.eachShard(func(s *shard) error {
		if err := s.renew(); err != nil { // now that it is known who is to say something
			return err
		}
		s.finish()
		return nil
	})
}
