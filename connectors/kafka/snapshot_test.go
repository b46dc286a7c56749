package kafka

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// write emits parts.
func write(parts ...string) func(emit func([]byte) error) error {
	return func(emit func([]byte) error) error {
		var buf []byte
		for _, p := range parts {
			buf = append(buf[:0], p...)
			if err := emit(buf); err != nil {
				return err
			}
		}
		return nil
	}
}

// grown writes records until partition 0 ends at a multiple of 10, and says where
// all end.
func grown(t *testing.T, s *Shared, cl *kgo.Client) map[int32]int64 {
	t.Helper()
	for i := range 10 {
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "app.pairs", Partition: 0, Value: fmt.Append(nil, i)}).FirstErr())
	}
	ends, err := s.Ends(t.Context())
	require.NoError(t, err)
	return ends
}

func starts(t *testing.T, s *Shared) map[int32]int64 {
	t.Helper()
	at, err := s.starts(t.Context())
	require.NoError(t, err)
	return at
}

// recordsOf counts the topic's records by key prefix, the latest of each key, without tombstones.
func recordsOf(t *testing.T, s *Shared) map[string]int {
	t.Helper()
	require.NoError(t, s.snaps.scan(t.Context()))
	latest := map[string]bool{}
	_, err := s.snaps.each(t.Context(), 0, -1, func(r *kgo.Record) error {
		latest[string(r.Key)] = r.Value != nil
		return nil
	})
	require.NoError(t, err)
	n := map[string]int{}
	for key, is := range latest {
		if is {
			kind, _, _ := strings.Cut(key, "/")
			n[kind]++
		}
	}
	return n
}

// What is saved is loaded, by another process too; two snapshots are kept, and the
// log from the older one of them on.
func TestSharedSavesAndLoads(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	var ends []map[int32]int64
	for i := range 4 {
		at := grown(t, s, cl)
		ends = append(ends, at)
		require.NoError(t, s.Save(t.Context(), at, write(fmt.Sprint("a", i), fmt.Sprint("b", i), "")))
		for _, reader := range []*Shared{s, openShared(t, cfg)} {
			parts, from := load(t, reader)
			require.Equal(t, []string{fmt.Sprint("a", i), fmt.Sprint("b", i), ""}, parts)
			require.Equal(t, at, from)
			require.Empty(t, caughtUp(t, reader, from))
		}
		require.Equal(t, map[string]int{"manifest": min(2, i+1), "part": 3 * min(2, i+1)}, recordsOf(t, s))
		require.Equal(t, max(0, int64(i)*10), starts(t, s)[0], "the log before the snapshot before is gone")
	}
	more := grown(t, s, cl)
	_, from := load(t, s)
	require.Equal(t, ends[3], from)
	require.Len(t, caughtUp(t, s, from)[0], 10)
	require.Equal(t, more, from)
}

// An empty snapshot is one.
func TestSharedSavesNothing(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	at := grown(t, s, cl)
	require.NoError(t, s.Save(t.Context(), at, write()))
	parts, from := load(t, s)
	require.Empty(t, parts)
	require.Equal(t, at, from)
}

// What a dead writer left is cleared away once it is old, and not while a slow one
// may still be at it.
func TestSharedClearsOrphans(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	at := grown(t, s, cl)
	for _, age := range []time.Duration{2 * orphaned, 0} {
		r := &kgo.Record{Topic: "app.population", Key: partName(fmt.Sprintf("%016x", age), 0), Value: []byte("x"), Timestamp: time.Now().Add(-age)}
		require.NoError(t, cl.ProduceSync(t.Context(), r).FirstErr())
	}
	require.Equal(t, map[string]int{"part": 2}, recordsOf(t, s))
	require.NoError(t, s.Save(t.Context(), at, write("1")))
	require.Equal(t, map[string]int{"manifest": 1, "part": 2}, recordsOf(t, s))
}

// Writers at once do not touch each other: at any time a reader finds one's snapshot
// whole, and in the end the one that has read most. One that was frozen and comes
// late with an old one changes nothing.
func TestSharedWritersAtOnce(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	var ends []map[int32]int64
	for range 12 {
		ends = append(ends, grown(t, s, cl))
	}
	body := func(at map[int32]int64) []string {
		rng := rand.New(rand.NewPCG(uint64(at[0]), 1))
		out := make([]string, 1+rng.IntN(20))
		for i := range out {
			out[i] = fmt.Sprint(at[0], "/", i, "/", rng.Uint64())
		}
		return out
	}
	require.NoError(t, s.Save(t.Context(), ends[0], write(body(ends[0])...)))
	var wg sync.WaitGroup
	for w := range 3 {
		s := openShared(t, cfg)
		wg.Go(func() {
			for i := 1 + w; i < len(ends); i += 3 {
				if err := s.Save(t.Context(), ends[i], write(body(ends[i])...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	reader := openShared(t, cfg)
	seen := int64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		got, at := load(t, reader)
		require.Equal(t, body(at), got)
		require.GreaterOrEqual(t, at[0], seen, "never back")
		seen = at[0]
	}
	require.Equal(t, ends[11][0], seen)

	frozen := openShared(t, cfg)
	require.NoError(t, frozen.Save(t.Context(), ends[2], write("late")))
	got, at := load(t, reader)
	require.Equal(t, body(ends[11]), got)
	require.Equal(t, ends[11], at)
	require.Equal(t, map[string]int{"manifest": 2, "part": len(body(ends[11])) + len(body(ends[10]))}, recordsOf(t, s))
	require.Equal(t, ends[10][0], starts(t, s)[0])
}

// A compaction takes away what was dropped and nothing else, and whoever scans finds
// the end also where the last records are gone.
func TestSharedAfterCompaction(t *testing.T) {
	c, cfg, cl := fakeCluster(t)
	s := openShared(t, cfg)
	lag := "0"
	_, err := s.adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "min.compaction.lag.ms", Value: &lag}}, "app.population")
	require.NoError(t, err)
	for i := range 5 {
		at := grown(t, s, cl)
		require.NoError(t, s.Save(t.Context(), at, write(fmt.Sprint("a", i), fmt.Sprint("b", i))))
		c.Compact()
		for _, reader := range []*Shared{s, openShared(t, cfg)} {
			got, from := load(t, reader)
			require.Equal(t, []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}, got)
			require.Equal(t, at, from)
		}
	}
}

// 20 MB are saved and loaded without being held.
func TestSharedSavesMuch(t *testing.T) {
	cfg, cl := imitation(t)
	s := openShared(t, cfg)
	at := grown(t, s, cl)
	const n, size = 23, 900 << 10
	part := make([]byte, size)
	want := xxhash.New()
	rng := rand.NewChaCha8([32]byte{7})
	require.NoError(t, s.Save(t.Context(), at, func(emit func([]byte) error) error {
		for range n {
			_, _ = rng.Read(part)
			_, _ = want.Write(part)
			if err := emit(part); err != nil {
				return err
			}
		}
		return nil
	}))
	got, parts := xxhash.New(), 0
	from, err := openShared(t, cfg).Load(t.Context(), func(part []byte) error {
		_, _ = got.Write(part)
		require.Len(t, part, size)
		parts++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, n, parts)
	require.Equal(t, want.Sum64(), got.Sum64())
	require.Equal(t, at, from)
}
