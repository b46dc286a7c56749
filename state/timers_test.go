package state

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTimersAgainstPlain runs long walks over few keys with crowded due times,
// so that the horizon moves both ways, due times are taken back, and the heap
// fills with stale entries; the clock goes on as an owner's does.
func TestTimersAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		keys := rapid.IntRange(1, 60).Draw(t, "keys")
		spread := rapid.Int64Range(2, 400).Draw(t, "spread")
		s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, rapid.SampledFrom([]int64{1 << 10, 1 << 20}).Draw(t, "hot"))
		defer func() { _ = s.Close() }()
		w := &timerWalk{t: t, rng: rng, store: s, plain: newPlain(), before: map[string]int64{}, spread: spread}
		w.open()
		for range 600 {
			key := fmt.Sprintf("k%02d", rng.IntN(keys))
			switch rng.IntN(14) {
			case 0:
				b := s.NewBatch()
				b.AddTable(w.table, nil)
				require.NoError(t, b.Commit())
				w.plain.commit(nil)
			case 1:
				w.table.Abort()
				w.plain.abort()
			case 2:
				if rng.IntN(5) == 0 {
					w.table.Close()
					w.plain.abort()
					w.open()
				}
			case 3, 4, 5:
				w.clock += rng.Int64N(4)
				w.fire(rng.IntN(6))
			case 6:
				w.put(key, nil, 0)
			case 7: // as it was once
				if due, ok := w.before[key]; ok {
					w.put(key, []byte("v"), due)
				}
			default:
				w.put(key, []byte("v"), w.due())
			}
		}
	})
}

type timerWalk struct {
	t      *rapid.T
	rng    *rand.Rand
	store  *Store
	table  *Table
	plain  *plain
	before map[string]int64 // a due time that a key had
	spread int64
	clock  int64
}

func (w *timerWalk) open() {
	var err error
	w.table, err = w.store.Table(0)
	require.NoError(w.t, err)
}

func (w *timerWalk) due() int64 {
	if w.rng.IntN(8) == 0 {
		return 0
	}
	return w.clock + w.rng.Int64N(w.spread)
}

func (w *timerWalk) put(key string, val []byte, due int64) {
	require.NoError(w.t, w.table.Put([]byte(key), val, due))
	if val == nil {
		due = 0
	}
	w.plain.put(key, val, due)
	if w.rng.IntN(2) == 0 {
		w.before[key] = due
	}
	tm := &w.table.timers
	require.LessOrEqual(w.t, len(tm.heap), 2*60+4*tm.batch, "stale entries are dropped")
	used := 0
	for _, e := range tm.heap {
		used += len(tm.keyOf(e))
	}
	require.Equal(w.t, used, tm.used)
	require.LessOrEqual(w.t, len(tm.keys), 2*tm.used+slackKeys+len(key))
}

// fire takes up to n due timers. Each comes again until it is put, as do those
// of a transaction that was given up.
func (w *timerWalk) fire(n int) {
	for range n {
		wantKey, wantDue, want := w.plain.nextDue()
		want = want && wantDue <= w.clock
		for range 2 {
			if want {
				require.LessOrEqual(w.t, w.table.EarliestDue(), wantDue)
			}
			key, due, ok, err := w.table.NextDue(w.clock)
			require.NoError(w.t, err)
			require.Equal(w.t, want, ok)
			if !ok {
				require.Greater(w.t, w.table.EarliestDue(), w.clock)
				return
			}
			require.Equal(w.t, wantKey, string(key))
			require.Equal(w.t, wantDue, due)
		}
		next := int64(0)
		if w.rng.IntN(3) > 0 {
			next = w.clock + 1 + w.rng.Int64N(w.spread)
		}
		w.put(wantKey, []byte("fired"), next)
	}
}

// TestTimerKeysStayBounded: a few keys whose due times change for ever take no
// more memory.
func TestTimerKeysStayBounded(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, tuning{chunkShift: 15, timerBatch: 100}, 1<<20)
	tab, err := s.Table(0)
	require.NoError(t, err)
	for i := range int64(20_000) {
		require.NoError(t, tab.Put([]byte("a key of twenty byte"), []byte("v"), i+1))
		if i%3 == 0 {
			_, due, ok, err := tab.NextDue(i + 1)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, i+1, due)
		}
		require.True(t, tab.timers.all, "stale entries are no reason to go back to the disk")
	}
	require.LessOrEqual(t, cap(tab.timers.keys), 4*slackKeys)
	require.NoError(t, s.Close())
}

// TestTimersStayOnDisk: of many timers only the next ones are held.
func TestTimersStayOnDisk(t *testing.T) {
	const n, batch = 5000, 50
	s := openTest(t, vfs.NewMem(), Observer{}, tuning{chunkShift: 15, timerBatch: batch}, 1<<20)
	tab, err := s.Table(0)
	require.NoError(t, err)
	b := s.NewBatch()
	most := 0
	for i := range n {
		require.NoError(t, tab.Put(fmt.Appendf(nil, "k%d", i), []byte{}, int64(1+i*7919%n)))
		if i%100 == 99 {
			most = max(most, len(tab.timers.heap))
			b.AddTable(tab, nil)
			require.NoError(t, b.Commit())
		}
	}
	require.LessOrEqual(t, most, 4*batch)
	for i := range int64(n) {
		key, due, ok, err := tab.NextDue(n)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, i+1, due)
		require.NoError(t, tab.Put(key, []byte{}, 0))
		most = max(most, len(tab.timers.heap))
	}
	require.LessOrEqual(t, most, 4*batch)
	require.NoError(t, s.Close())
}

func TestHorizon(t *testing.T) {
	tm := timers{horizonDue: 5, horizonKey: []byte("b")}
	require.True(t, tm.covers(4, []byte("z")))
	require.True(t, tm.covers(5, []byte("a")))
	require.True(t, tm.covers(5, []byte("b")), "the horizon itself is in the heap")
	require.False(t, tm.covers(5, []byte("ba")))
	require.False(t, tm.covers(6, []byte("a")))
	tm.all = true
	require.True(t, tm.covers(6, []byte("a")))
}
