package state

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// clockPartition has no keys; every batch but a Drop sets its position to the
// next number, which says where in its past a recovered store is.
const clockPartition = testPartitions

// moment is what all partitions were after a batch.
type moment struct {
	clock  uint32
	states [testPartitions]*plain
}

func newPast() []moment {
	var m moment
	for p := range m.states {
		m.states[p] = newPlain()
	}
	return []moment{m}
}

// walk changes a store at random, and remembers what it was after each batch.
type walk struct {
	t       require.TestingT
	store   *Store
	rng     *rand.Rand
	tables  [testPartitions]*Table
	now     [testPartitions]*plain
	clock   uint32
	past    []moment
	begins  func(what string)  // before each thing it does, if set
	reached func(flushed bool) // after each batch that returned, if set
}

// newWalk goes on from the last moment of the past.
func newWalk(t require.TestingT, s *Store, rng *rand.Rand, past []moment) *walk {
	last := past[len(past)-1]
	w := &walk{t: t, store: s, rng: rng, clock: last.clock, past: past}
	for p := range w.now {
		w.now[p] = &plain{committed: last.states[p].committed, position: last.states[p].position}
		w.now[p].abort()
		w.open(p)
	}
	return w
}

func (w *walk) open(p int) {
	var err error
	w.tables[p], err = w.store.Table(int32(p))
	require.NoError(w.t, err)
}

func (w *walk) closeTables() {
	for _, tab := range w.tables {
		tab.Close()
	}
}

func (w *walk) record() {
	m := moment{clock: w.clock}
	for p := range w.now {
		m.states[p] = &plain{committed: w.now[p].committed, position: w.now[p].position}
	}
	w.past = append(w.past, m)
}

// commit commits a batch whose tables and entries are there already.
func (w *walk) commit(b *Batch) {
	w.clock++
	b.SetPosition(clockPartition, binary.BigEndian.AppendUint32(nil, w.clock))
	w.record() // before: a crash in the middle may have it
	require.NoError(w.t, b.Commit())
	w.done(false)
}

func (w *walk) begin(what string) {
	if w.begins != nil {
		w.begins(what)
	}
}

func (w *walk) done(flushed bool) {
	if w.reached != nil {
		w.reached(flushed)
	}
}

func (w *walk) step() {
	switch w.rng.IntN(12) {
	case 0:
		w.begin("flush")
		require.NoError(w.t, w.store.Flush())
		w.done(true)
	case 1:
		w.restore(w.rng.IntN(testPartitions), false)
	case 2:
		w.restore(w.rng.IntN(testPartitions), true)
	default:
		w.transaction()
	}
}

// transaction changes some partitions and commits those, in one batch.
func (w *walk) transaction() {
	w.begin("transaction")
	b := w.store.NewBatch()
	for p, tab := range w.tables {
		if w.rng.IntN(4) == 0 {
			continue
		}
		w.puts(p, func(key string, val []byte, due int64) {
			require.NoError(w.t, tab.Put([]byte(key), val, due))
		})
		position := w.position()
		b.AddTable(tab, position)
		w.now[p].commit(position)
	}
	w.commit(b)
}

// restore puts into a partition without a table, in several batches; before it
// drops the partition, if it has to begin anew.
func (w *walk) restore(p int, anew bool) {
	w.tables[p].Close()
	if anew {
		w.begin("drop")
		w.now[p] = newPlain()
		w.record()
		require.NoError(w.t, w.store.Drop(int32(p)))
		w.done(true)
	}
	w.begin("restore")
	b := w.store.NewBatch()
	for range 1 + w.rng.IntN(4) {
		w.puts(p, func(key string, val []byte, due int64) {
			require.NoError(w.t, b.Put(int32(p), []byte(key), val, due))
		})
		position := w.position()
		b.SetPosition(int32(p), position)
		w.now[p].commit(position)
		w.commit(b)
	}
	w.open(p)
}

func (w *walk) position() []byte { return fmt.Appendf(nil, "before %d", w.clock) }

// puts changes a few keys, with values large enough that Pebble flushes by
// itself now and then.
func (w *walk) puts(p int, put func(key string, val []byte, due int64)) {
	for range 8 {
		key, val, due := fmt.Sprintf("c%03d", w.rng.IntN(300)), []byte(strings.Repeat("v", w.rng.IntN(4096))), w.rng.Int64N(1000)
		if w.rng.IntN(6) == 0 {
			val = nil
		}
		put(key, val, due)
		w.now[p].put(key, val, due)
	}
}

// openMode opens a small store.
func openMode(t require.TestingT, disk vfs.FS, durability string, tune tuning) *Store {
	cfg := testConfig()
	cfg.Durability = durability
	s, err := open(cfg, disk, Observer{}, tune)
	require.NoError(t, err)
	s.budget.limit = 256 << 10
	return s
}

// verdict keeps what a check has to say, instead of failing the test.
type verdict struct{ text string }

func (v *verdict) Errorf(format string, args ...any) {
	v.text = fmt.Sprintf(format, args...)
	if _, after, ok := strings.Cut(v.text, "Error:"); ok { // behind the trace
		v.text = strings.TrimSpace(after)
	}
	v.text = v.text[:min(len(v.text), 500)]
}
func (v *verdict) FailNow() { panic(v) }

// failureOf runs a check and returns what it says, "" if all is well.
func failureOf(check func(t require.TestingT)) (text string) {
	v := &verdict{}
	defer func() {
		if r := recover(); r != nil && r != any(v) {
			panic(r)
		}
		text = v.text
	}()
	check(v)
	return ""
}

// checkRecovered opens a disk and finds the moment of the past that it is, the
// latest if there are several, or says how it differs.
func checkRecovered(disk vfs.FS, durability string, past []moment) (at int, failure string) {
	failure = failureOf(func(t require.TestingT) {
		s := openMode(t, disk, durability, smallTuning)
		defer func() { require.NoError(t, s.Close()) }()
		var differs string
		at, differs = findMoment(t, s, past)
		require.Empty(t, differs)
	})
	return at, failure
}

// findMoment compares everything that a store holds with its past.
func findMoment(t require.TestingT, s *Store, past []moment) (at int, differs string) {
	position, ok, err := s.Position(clockPartition)
	require.NoError(t, err)
	var clock uint32
	if ok {
		clock = binary.BigEndian.Uint32(position)
	}
	differs = fmt.Sprintf("there was no batch %d", clock)
	for at = len(past) - 1; at >= 0; at-- {
		if past[at].clock != clock {
			continue
		}
		if differs = failureOf(func(t require.TestingT) { checkMoment(t, s, past[at]) }); differs == "" {
			return at, ""
		}
		if s.damage.met() != nil {
			break // it cannot be any
		}
	}
	return 0, differs
}

func checkMoment(t require.TestingT, s *Store, m moment) {
	for p, want := range m.states {
		checkCommitted(t, s, int32(p), want)
		tab, err := s.Table(int32(p))
		require.NoError(t, err)
		defer tab.Close()
		require.Equal(t, len(want.committed), tab.Len())
		drainTimers(t, tab, want.committed)
	}
}

// drainTimers takes all timers in their order.
func drainTimers(t require.TestingT, tab *Table, data map[string]plainEntry) {
	type timer struct {
		due int64
		key string
	}
	var want, got []timer
	for k, e := range data {
		if e.due != 0 {
			want = append(want, timer{e.due, k})
		}
	}
	slices.SortFunc(want, func(a, b timer) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.key, b.key))
	})
	for {
		key, due, ok, err := tab.NextDue(math.MaxInt64)
		require.NoError(t, err)
		if !ok {
			break
		}
		got = append(got, timer{due, string(key)})
		require.NoError(t, tab.Put(key, nil, 0))
	}
	require.Equal(t, want, got)
}
