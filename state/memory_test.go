package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fillHot inserts n entries of the benchmarks' kind and returns their bytes.
func fillHot(t require.TestingT, h *hotSet, from, to int) (net int64) {
	val, key := make([]byte, benchVal), []byte(nil)
	for i := from; i < to; i++ {
		key = benchKey(key, i)
		v := val[:benchVal-i%16]
		_, err := h.insert(key, v, 0, int64(i))
		require.NoError(t, err)
		net += int64(len(key) + len(v))
	}
	return net
}

// TestNoPointers: the collector has nothing to look at for each entry, and an
// entry costs at most 40 bytes above its key and value wherever the index is in
// its growth.
func TestNoPointers(t *testing.T) {
	h := newHotSet(&budget{limit: 1 << 30}, defaultTuning.chunkShift)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var net, worst int64
	const n, step = 200_000, 1000
	for i := 0; i < n; i += step {
		net += fillHot(t, h, i, i+step)
		if i >= 50_000 { // where the last chunk's free space no longer counts
			worst = max(worst, (h.own-net)/int64(i+step))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapObjects)-int64(before.HeapObjects), int64(2000))
	require.LessOrEqual(t, worst, int64(40))
	require.Equal(t, n, h.index.count)
	t.Logf("%d objects for %d entries; overhead %d bytes at worst, %d at the end",
		int64(after.HeapObjects)-int64(before.HeapObjects), n, worst, (h.own-net)/n)
	runtime.KeepAlive(h)
}

// TestSteadyMemory: entries that grow and shrink for long neither leak nor
// fragment the arena much.
func TestSteadyMemory(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, tuning{chunkShift: 11, timerBatch: 100}, 1<<30)
	tab, err := s.Table(0)
	require.NoError(t, err)
	b := s.NewBatch()
	const n = 2000
	rng := rand.New(rand.NewPCG(3, 4))
	size := make([]int, n)
	val := make([]byte, 1000)
	var most int64
	for round := range 60 {
		for range n / 2 {
			k := rng.IntN(n)
			size[k] = max(20, min(400, size[k]+rng.IntN(60)-25))
			if rng.IntN(50) == 0 {
				size[k] = 20 + rng.IntN(30)
			}
			require.NoError(t, tab.Put(benchKey(nil, k), val[:size[k]], 0))
		}
		b.AddTable(tab, nil)
		require.NoError(t, b.Commit())
		var need int64
		for _, v := range size {
			need += int64(entryUnits(11, v)) * unit
		}
		if round > 5 {
			most = max(most, tab.hot.arena.bytes*100/need)
		}
	}
	t.Logf("arena at most %d %% of its blocks", most)
	require.Less(t, most, int64(130))
	require.NoError(t, s.Close())
}

// TestHotSetAgainstMap: many entries, so that the index grows and blocks of all
// sizes come and go.
func TestHotSetAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		h := newHotSet(&budget{limit: 1 << 30}, 9) // chunks of 4 KiB
		plain := map[string]string{}
		for range 1500 {
			key := fmt.Appendf(nil, "k%d", rng.IntN(400))
			val := bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(1<<(1+rng.IntN(13))))
			switch r := h.find(key); {
			case r == 0:
				_, err := h.insert(key, val, dirty, 0)
				require.NoError(t, err)
				plain[string(key)] = string(val)
			case rng.IntN(3) == 0:
				h.remove(r)
				delete(plain, string(key))
			default:
				_, err := h.replace(r, val)
				require.NoError(t, err)
				plain[string(key)] = string(val)
			}
		}
		checkHotSet(t, h)
		require.Equal(t, len(plain), h.index.count)
		for k, v := range plain {
			r := h.find([]byte(k))
			require.NotZero(t, r)
			require.Equal(t, v, string(entryVal(h.arena.at(r))))
			h.remove(r)
		}
		require.Zero(t, h.arena.bytes, "empty chunks go back")
		require.Equal(t, h.index.bytes(), h.own)
	})
}

// TestBudget: tables take what others leave, a late one gets its share, those
// that exceed theirs shrink as they work, and the whole keeps to the bound.
func TestBudget(t *testing.T) {
	const limit, slack = 256 << 10, 32 << 10 // slack: a chunk and an index
	s := openTest(t, vfs.NewMem(), Observer{}, tuning{chunkShift: 9, timerBatch: 100}, limit)
	b := s.NewBatch()
	val := make([]byte, 300)
	work := func(tab *Table, rounds int) {
		for i := range rounds {
			for k := range 50 {
				require.NoError(t, tab.Put(fmt.Appendf(nil, "k%d", i*50+k), val, int64(i+1)))
			}
			b.AddTable(tab, nil)
			require.NoError(t, b.Commit())
		}
	}
	first, err := s.Table(0)
	require.NoError(t, err)
	work(first, 60) // 1 MB
	require.Greater(t, first.hot.own, int64(limit-slack), "the first takes all")
	require.LessOrEqual(t, s.budget.used.Load(), int64(limit+slack))
	require.False(t, first.hot.complete)

	second, err := s.Table(1)
	require.NoError(t, err)
	work(second, 60)
	require.Greater(t, second.hot.own, int64(limit/2-slack), "the second gets its share")
	for range 20 {
		first.Abort()
	}
	require.LessOrEqual(t, s.budget.used.Load(), int64(limit+slack))
	m := s.Metrics()
	require.Positive(t, m.HotEvictions)
	require.Equal(t, s.budget.used.Load(), m.HotBytes)

	// A transaction larger than the bound is held whole, and let go after it.
	for k := range 3000 {
		require.NoError(t, second.Put(fmt.Appendf(nil, "new%d", k), val, 0))
	}
	used := s.budget.used.Load()
	require.Greater(t, used, int64(3000*300))
	for k := range 3000 { // what is only read does not add to it for long
		_, ok, err := second.Get(fmt.Appendf(nil, "k%d", k))
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.Less(t, s.budget.used.Load(), used+used/2)
	b.AddTable(second, nil)
	require.NoError(t, b.Commit())
	for range 20 {
		second.Abort()
	}
	require.LessOrEqual(t, s.budget.used.Load(), int64(limit+2*slack))

	// One value larger than the whole: it is held, others make room.
	require.NoError(t, second.Put([]byte("large"), make([]byte, 2*limit), 0))
	b.AddTable(second, nil)
	require.NoError(t, b.Commit())
	for range 20 {
		second.Abort()
	}
	require.LessOrEqual(t, s.budget.used.Load(), int64(limit+2*slack))
	got, ok, err := second.Get([]byte("large"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Len(t, got, 2*limit)
	require.NoError(t, second.Put([]byte("large"), []byte("small"), 0))
	require.Less(t, second.hot.own, int64(limit), "a value that shrank lets its memory go")
	second.Close()
	first.Close()
	require.Zero(t, s.budget.used.Load())
	require.NoError(t, s.Close())
}

// TestPreload: a partition that fits is read once, when its table is opened;
// of one that does not fit, a part is, without evicting.
func TestPreload(t *testing.T) {
	disk := vfs.NewMem()
	s := openTest(t, disk, Observer{}, smallTuning, 1<<20)
	b := s.NewBatch()
	for k := range 1000 {
		require.NoError(t, b.Put(int32(k%2), fmt.Appendf(nil, "k%d", k), make([]byte, 10+k%200), 0))
	}
	b.SetPosition(0, []byte("p"))
	b.SetPosition(1, []byte("p"))
	require.NoError(t, b.Commit())
	for _, hot := range []int64{1 << 20, 60 << 10} {
		s.budget.limit = hot
		tab, err := s.Table(0)
		require.NoError(t, err)
		require.Equal(t, hot == 1<<20, tab.hot.complete)
		require.LessOrEqual(t, tab.hot.own, hot/2, "the other partition's part is left")
		require.Greater(t, tab.hot.index.count, 100)
		require.Zero(t, tab.hot.evictions)
		require.Equal(t, 500, tab.Len())
		for k := range 1001 { // 1000 does not exist
			val, ok, err := tab.Get(fmt.Appendf(nil, "k%d", k))
			require.NoError(t, err)
			require.Equal(t, k%2 == 0 && k < 1000, ok)
			if ok {
				require.Len(t, val, 10+k%200)
			}
		}
		require.Equal(t, tab.hot.complete, tab.misses == 0)
		tab.Close()
	}
	require.NoError(t, s.Close())
}

// TestHitsStay: what a table has counted stays counted when it is closed.
func TestHitsStay(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 64<<10)
	for i := range int64(3) {
		tab, err := s.Table(int32(i))
		require.NoError(t, err)
		b := s.NewBatch()
		require.NoError(t, tab.Put([]byte("a"), []byte("1"), 0))
		b.AddTable(tab, nil)
		require.NoError(t, b.Commit())
		_, _, err = tab.Get([]byte("a"))
		require.NoError(t, err)
		tab.Abort() // brings the figures up to date
		before := s.Metrics()
		require.EqualValues(t, i+1, before.HotHits)
		tab.Close()
		after := s.Metrics()
		require.Equal(t, before.HotHits, after.HotHits)
		require.Zero(t, after.Tables)
	}
	require.NoError(t, s.Close())
}
