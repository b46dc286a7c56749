package state

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// A customer of the benchmarks: an id of eleven bytes, and two thirds of the
// ledger that is aimed at for five orders.
const benchVal = 160

func benchKey(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst[:0], "cc-"...), int64(10_000_000+n), 10)
}

// benchTable is a table of n committed customers, all in memory.
func benchTable(tb testing.TB, n int) *Table {
	cfg := DefaultConfig()
	cfg.Dir = testDir
	s, err := Open(cfg, vfs.NewMem(), Observer{})
	require.NoError(tb, err)
	s.budget.limit = 1 << 30
	tab, err := s.Table(0)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		tab.Close()
		require.NoError(tb, s.Close())
	})
	b := s.NewBatch()
	val, key := make([]byte, benchVal), []byte(nil)
	for i := range n {
		key = benchKey(key, i)
		require.NoError(tb, tab.Put(key, val[:benchVal-i%16], int64(1+i%1000)))
		if i%50_000 == 49_999 || i == n-1 {
			b.AddTable(tab, []byte("here"))
			require.NoError(tb, b.Commit())
		}
	}
	return tab
}

// scatter is a fixed walk over 0..n-1 that visits neighbours far apart.
func scatter(i, n int) int { return int(uint64(i) * 0x9e3779b97f4a7c15 >> 20 % uint64(n)) }

func BenchmarkGetHit(b *testing.B) {
	for _, n := range []int{10_000, 500_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			tab := benchTable(b, n)
			keys := make([][]byte, 1<<16)
			for i := range keys {
				keys[i] = benchKey(nil, scatter(i, n))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, ok, _ := tab.Get(keys[i%len(keys)]); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkGetMissComplete(b *testing.B) {
	tab := benchTable(b, 10_000)
	for b.Loop() {
		if _, ok, _ := tab.Get([]byte("nobody")); ok {
			b.Fatal("found")
		}
	}
}

// BenchmarkPut changes customers of whom each is dirty already, and grows
// their values by a few bytes now and then.
func BenchmarkPut(b *testing.B) {
	const n = 10_000
	tab := benchTable(b, n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = benchKey(nil, i)
	}
	val := make([]byte, 400)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k := scatter(i, n)
		if err := tab.Put(keys[k], val[:benchVal+i/n%100], int64(1+k%1000)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransaction puts 10,000 of the customers, in random order, and
// commits them; it reports ns a customer of both parts. In the second case each
// gets another due time, which costs two writes to the timer index.
func BenchmarkTransaction(b *testing.B) {
	const n, of = 10_000, 200_000
	for _, timers := range []bool{false, true} {
		b.Run(fmt.Sprintf("timers=%t", timers), func(b *testing.B) {
			tab := benchTable(b, of)
			batch := tab.store.NewBatch()
			val, key := make([]byte, benchVal), []byte(nil)
			round := 0
			b.ReportAllocs()
			for b.Loop() {
				round++
				for i := range n {
					k := scatter(round*n+i, of)
					due := int64(1 + k%1000)
					if timers {
						due = int64(1 + (k*31+round*977)%1_000_000)
					}
					key = benchKey(key, k)
					binary.LittleEndian.PutUint64(val, uint64(round))
					if err := tab.Put(key, val[:benchVal-k%16], due); err != nil {
						b.Fatal(err)
					}
				}
				batch.AddTable(tab, []byte("here"))
				if err := batch.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/customer")
		})
	}
}

// BenchmarkGetLoad reads customers that are not in memory.
func BenchmarkGetLoad(b *testing.B) {
	const n = 200_000
	tab := benchTable(b, n)
	require.NoError(b, tab.store.Flush())
	tab.store.budget.limit = 4 << 20
	for range 100 {
		tab.Abort()
	}
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key = benchKey(key, scatter(i, n))
		if _, ok, err := tab.Get(key); !ok || err != nil {
			b.Fatal("not found", err)
		}
	}
	b.ReportMetric(float64(tab.misses)/float64(tab.misses+tab.hits), "misses/get")
}
