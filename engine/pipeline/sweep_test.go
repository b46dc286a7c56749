package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// sweeper drives a Core of one partition by hand, a transaction at a time.
type sweeper struct {
	t      *testing.T
	cfg    Config
	store  *state.Store
	core   *Core
	log    *testLog
	offset int64
	last   map[string]uint64 // version that was told last
}

func newSweeper(t *testing.T) *sweeper {
	s := &sweeper{t: t, log: newTestLog(1), cfg: learningConfig(t), store: openStore(t, vfs.NewMem(), 1<<20), last: map[string]uint64{}}
	s.cfg.Sweep = 7
	s.open()
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	return s
}

// newTaught has a shop of so many customers, and slower models wait to be proposed.
func newTaught(t *testing.T, customers int) *sweeper {
	s := newSweeper(t)
	s.shop(customers)
	s.teach(3)
	return s
}

// open begins a session on what is committed.
func (s *sweeper) open() {
	if s.core != nil {
		s.core.closeAll()
	}
	s.core = newTestCore(s.cfg, s.store, future())
	require.NoError(s.t, s.core.Join(s.t.Context(), s.log.reader()))
	require.NoError(s.t, s.core.Sync([]int32{0}))
}

// run carries events through a transaction, and returns how many changes it told
// by their kind of cause.
func (s *sweeper) run(evs ...event.Event) map[string]int {
	s.t.Helper()
	b := Batch{End: s.offset + int64(len(evs)), EndAt: s.core.now().UnixMilli()}
	for i := range evs {
		value, err := json.Marshal(&evs[i])
		require.NoError(s.t, err)
		b.Records = append(b.Records, Record{Offset: s.offset, Key: []byte(evs[i].CustomerID), Value: value})
		s.offset++
	}
	if len(evs) > 0 {
		_, err := s.core.Process([]Batch{b}, s.core.now().UnixMilli())
		require.NoError(s.t, err)
	}
	require.NoError(s.t, s.core.Finish(0))
	kinds := map[string]int{}
	s.core.eachOutput(func(outs []Output) {
		for _, o := range outs {
			if o.To != Changes {
				continue
			}
			var v uint64
			var cause string
			_, err := fmt.Sscan(string(o.Value), &v, &cause)
			require.NoError(s.t, err)
			require.Equal(s.t, s.last[string(o.Key)]+1, v, "customer %s", o.Key)
			s.last[string(o.Key)] = v
			for _, kind := range []string{"event", "timer", "model"} {
				if strings.HasPrefix(cause, kind) {
					kinds[kind]++
				}
			}
		}
	})
	s.log.commit(s.t, s.core)
	require.LessOrEqual(s.t, kinds["model"], s.cfg.Sweep)
	return kinds
}

// settle runs empty transactions until nobody is left to be looked at.
func (s *sweeper) settle() (transactions, model int) {
	for ; !s.core.settled(); transactions++ {
		require.Less(s.t, transactions, 100, "it never ends")
		model += s.run()["model"]
	}
	return transactions, model
}

// teach lets the next transaction propose models of a faster or slower
// population.
func (s *sweeper) teach(pace float64) {
	now := s.core.models.Load().Learned()
	l := *now
	l.Version, l.At = now.Version+1, now.At+1
	l.Rhythm.Alpha *= pace
	s.core.learning.done = &l
}

// stale checks what is kept of every customer, and that what is kept was told.
func (s *sweeper) stale() {
	s.t.Helper()
	nothingStale(s.t, s.cfg, s.store, s.core.models.Load().Learned())
	_, versions := facts(s.t, s.store)
	require.Equal(s.t, versions, s.last)
}

func at(day int) int64 {
	return time.Date(2026, 1, 1+day, 12, 0, 0, 0, time.UTC).UnixMilli()
}

func order(customer string, day int) event.Event {
	id := fmt.Sprintf("%s-%d", customer, day)
	return event.Event{ID: id, CustomerID: customer, Time: at(day), Type: event.OrderCompleted, OrderID: id, Amount: event.One, HasAmount: true}
}

// shop is a partition with n customers who bought some times.
func (s *sweeper) shop(n int) {
	var evs []event.Event
	for day := range 40 {
		for i := range n {
			if (day+i)%(5+i%7) == 0 {
				evs = append(evs, order(fmt.Sprintf("c%02d", i), day))
			}
		}
	}
	s.run(evs...)
	s.settle()
	s.stale()
}

// New models are told a few customers a transaction, to each one once, and then
// everything that is kept is what they say.
func TestSweepReachesEverybody(t *testing.T) {
	for _, n := range []int{1, 6, 7, 8, 40} {
		s := newTaught(t, n)
		require.Zero(t, s.run()["model"], "what stores the models is told under those before")
		require.Equal(t, 2, s.core.models.Load().Learned().Version)
		transactions, told := s.settle()
		// One more finds that nobody is left, where the last one was full.
		require.LessOrEqual(t, transactions, n/s.cfg.Sweep+1)
		require.Positive(t, told)
		require.LessOrEqual(t, told, n)
		s.stale()
		require.Zero(t, s.run()["model"])
	}
}

// Who is new, forgotten, or buys while a pass goes on is not left out and not
// told twice; nor while it is overtaken by newer models.
func TestSweepWhileThingsHappen(t *testing.T) {
	s := newTaught(t, 40)
	s.run(order("a-first", 41), order("d-first", 41)) // new in the transaction that stores the models
	require.Positive(t, s.run(order("c00", 42), order("b-second", 42))["model"])
	s.run(event.Event{ID: "x", CustomerID: "c15", Type: event.ErasureRequested, Time: at(42)}, // ahead of the pass
		event.Event{ID: "y", CustomerID: "c01", Type: event.ErasureRequested, Time: at(42)}) // behind it
	s.teach(0.2)
	s.run(order("c16", 43), order("e-last", 43))
	s.run(order("c15", 44), order("c02", 90)) // time goes on, timers are due as well
	s.settle()
	s.stale()
	transactions, _ := s.settle()
	require.Zero(t, transactions)
}

// A session that ends leaves neither models that were not committed nor a pass
// half done.
func TestSweepBeginsAnewWithTheSession(t *testing.T) {
	s := newTaught(t, 40)
	require.NoError(t, s.core.Finish(0))
	require.Equal(t, 1, s.core.models.Load().Learned().Version, "not committed")
	s.open()
	require.Equal(t, 1, s.core.models.Load().Learned().Version)
	s.settle()
	s.stale()

	s.teach(3)
	s.run()
	require.Positive(t, s.run()["model"])
	s.open()
	require.Equal(t, 2, s.core.models.Load().Learned().Version)
	require.Zero(t, s.core.shards[0].swept, "nobody knows how far the pass had come")
	_, told := s.settle()
	require.Positive(t, told)
	s.stale()
}

// Where more timers are due than a transaction has room for, a look tells its
// customer's first, and keeps that it did.
func TestSweepWithTimersDue(t *testing.T) {
	s := newTaught(t, 40)
	s.run()
	sh := s.core.shards[0]
	sh.pos.Clock += 400 * dayMS
	require.NoError(t, sh.sweep())
	timers := sh.tally.timers
	require.Positive(t, timers)
	s.run()
	s.settle()
	s.stale()
}

// What was learned stays in the state when learning is switched off, but does not
// count.
func TestLearningSwitchedOff(t *testing.T) {
	s := newTaught(t, 8)
	s.run()
	s.cfg.Score.Learn.Sample = 0
	s.open()
	require.Equal(t, score.BuiltIn(s.cfg.Score.HorizonDays), s.core.models.Load().Learned())
	s.settle()
	s.stale()
}

// Models that another instance has learned count here from where the log tells
// them; an earlier version that comes after is of no use.
func TestAnothersModels(t *testing.T) {
	s := newSweeper(t)
	s.shop(8)
	for _, version := range []int{9, 3} {
		newer := *s.core.models.Load().Learned()
		newer.Version = version
		newer.Rhythm.Alpha *= 2
		s.log.add(Output{To: Pairs, Value: appendSection(nil, modelsSection, plainEncoder{}.AppendModels(nil, &newer))})
		s.run()
		require.Equal(t, 9, s.core.models.Load().Learned().Version)
	}
	_, told := s.settle()
	require.Positive(t, told)
	s.stale()
}
