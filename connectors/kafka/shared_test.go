package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

func openShared(t *testing.T, cfg *Config) *Shared {
	t.Helper()
	s, err := OpenShared(t.Context(), "app", cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// writerOfPairs is a process whose transactions say something in the shared log.
func writerOfPairs(t *testing.T, cfg *Config, id string) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.TransactionalID(id),
		kgo.RecordPartitioner(newPartitioner("app.pairs")), kgo.DefaultProduceTopic("app.pairs"))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func say(t *testing.T, cl *kgo.Client, partition int32, value string) {
	t.Helper()
	require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Partition: partition, Value: []byte(value)}).FirstErr())
}

// load returns the parts of the latest snapshot.
func load(t *testing.T, s *Shared) (parts []string, at map[int32]int64) {
	t.Helper()
	at, err := s.Load(t.Context(), func(part []byte) error {
		parts = append(parts, string(part))
		return nil
	})
	require.NoError(t, err)
	return parts, at
}

// polled takes what has come, by partition, and moves at on over it.
func polled(t *testing.T, s *Shared, at map[int32]int64) map[int32][]string {
	t.Helper()
	got := map[int32][]string{}
	last := map[int32]int64{}
	recs, moved, err := s.Poll()
	require.NoError(t, err)
	for _, r := range recs {
		require.GreaterOrEqual(t, r.Offset, max(last[r.Partition], at[r.Partition]), "in order, and none from before")
		require.Less(t, r.Offset, moved[r.Partition])
		last[r.Partition] = r.Offset + 1
		got[r.Partition] = append(got[r.Partition], string(r.Value))
	}
	for p, o := range moved {
		require.Greater(t, o, at[p])
		at[p] = o
	}
	return got
}

// caughtUp polls until everything up to the log's end has come, and returns it by
// partition.
func caughtUp(t *testing.T, s *Shared, at map[int32]int64) map[int32][]string {
	t.Helper()
	ends, err := s.Ends(t.Context())
	require.NoError(t, err)
	got := map[int32][]string{}
	require.Eventually(t, func() bool {
		for p, vs := range polled(t, s, at) {
			got[p] = append(got[p], vs...)
		}
		for p, end := range ends {
			require.LessOrEqual(t, at[p], end, "nothing is written meanwhile")
		}
		for p, end := range ends {
			if at[p] < end {
				return false
			}
		}
		return true
	}, 30*time.Second, time.Millisecond, "at %v of %v", at, ends)
	require.Equal(t, ends, at)
	return got
}

// What transactions say comes once it is committed, in its order, to the very end of
// the log: also where that is aborted records, right below a transaction that is
// still open.
func TestSharedReadsWhatIsCommitted(t *testing.T) {
	cfg, _ := imitation(t)
	s := openShared(t, cfg)
	recs, moved, err := s.Poll()
	require.NoError(t, err)
	require.Empty(t, recs)
	require.Empty(t, moved)
	parts, at := load(t, s)
	require.Empty(t, parts)
	require.Equal(t, map[int32]int64{0: 0, 1: 0, 2: 0}, at)

	a, b := writerOfPairs(t, cfg, "a"), writerOfPairs(t, cfg, "b")
	end := func(cl *kgo.Client, how kgo.TransactionEndTry) {
		require.NoError(t, cl.EndTransaction(t.Context(), how))
	}
	require.NoError(t, a.BeginTransaction())
	require.NoError(t, b.BeginTransaction())
	say(t, a, 0, "a1")
	say(t, b, 0, "b1")
	say(t, a, 1, "a2")
	require.Empty(t, caughtUp(t, s, at), "both are open")
	end(a, kgo.TryCommit)
	require.Equal(t, map[int32][]string{0: {"a1"}, 1: {"a2"}}, caughtUp(t, s, at), "the other one is open behind it")
	end(b, kgo.TryCommit)
	require.Equal(t, map[int32][]string{0: {"b1"}}, caughtUp(t, s, at))

	require.NoError(t, a.BeginTransaction())
	say(t, a, 2, "a3, aborted")
	require.NoError(t, b.BeginTransaction())
	say(t, b, 2, "b2")
	end(a, kgo.TryAbort)
	require.Empty(t, caughtUp(t, s, at))
	require.Equal(t, int64(1), at[2], "past the aborted record, whose marker is behind the open one")
	end(b, kgo.TryAbort)
	require.Empty(t, caughtUp(t, s, at))
	require.Equal(t, int64(4), at[2])

	_, again := load(t, s)
	require.Equal(t, map[int32][]string{0: {"a1", "b1"}, 1: {"a2"}}, caughtUp(t, s, again), "from the start, once more")
	require.Equal(t, at, again)
}

// Several writers commit and abort at random; every committed record comes once.
func TestSharedReadsManyWriters(t *testing.T) {
	cfg, _ := imitation(t)
	s := openShared(t, cfg)
	_, at := load(t, s)
	var mu sync.Mutex
	want := map[string]int{}
	var wg sync.WaitGroup
	for w := range 3 {
		cl := writerOfPairs(t, cfg, fmt.Sprint("w", w))
		rng := rand.New(rand.NewPCG(7, uint64(w)))
		wg.Go(func() {
			for i := range 30 {
				if !flip(t, cl, rng, fmt.Sprintf("%d/%d/", w, i), func(v string) { mu.Lock(); want[v]++; mu.Unlock() }) {
					return
				}
			}
		})
	}
	wg.Wait()
	got := map[string]int{}
	for _, vs := range caughtUp(t, s, at) {
		for _, v := range vs {
			got[v]++
		}
	}
	require.NotEmpty(t, want)
	require.Equal(t, want, got)
}

// flip is one transaction of a few records, which is committed or aborted by chance.
func flip(t *testing.T, cl *kgo.Client, rng *rand.Rand, name string, committed func(string)) bool {
	var said []string
	err := cl.BeginTransaction()
	for i := range 1 + rng.IntN(5) {
		said = append(said, fmt.Sprint(name, i))
		if err == nil {
			err = cl.ProduceSync(t.Context(), &kgo.Record{Partition: rng.Int32N(parts), Value: []byte(said[i])}).FirstErr()
		}
	}
	commit := kgo.TransactionEndTry(rng.IntN(3) > 0)
	if err == nil {
		err = cl.EndTransaction(t.Context(), commit)
	}
	if err == nil && bool(commit) {
		for _, v := range said {
			committed(v)
		}
	}
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// What waits for a Poll is bounded, and all of it comes in the end.
func TestSharedHoldsLittle(t *testing.T) {
	cfg, _ := imitation(t)
	s := openShared(t, cfg)
	cl := writerOfPairs(t, cfg, "a")
	const n, size = 60, 500 << 10
	value := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(value) // which does not compress
	require.NoError(t, cl.BeginTransaction())
	for i := range n {
		say(t, cl, int32(i%parts), string(value))
	}
	require.NoError(t, cl.EndTransaction(t.Context(), kgo.TryCommit))
	load(t, s)
	held := func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.held }
	require.Eventually(t, func() bool { return held() > sharedHold }, 30*time.Second, time.Millisecond)
	got := 0
	require.Eventually(t, func() bool {
		require.LessOrEqual(t, held(), sharedHold+2*sharedFetch)
		recs, _, err := s.Poll()
		require.NoError(t, err)
		got += len(recs)
		return got == n
	}, 30*time.Second, time.Millisecond)
}

// A session writes the log in its transactions, each record in the partition named.
func TestSessionWritesSharedLog(t *testing.T) {
	cfg, cl := imitation(t)
	feed(t, cl, 0, 1)
	shared := openShared(t, cfg)
	_, at := load(t, shared)
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	next := poll(t, s, 1)
	for p := range int32(parts) {
		s.Produce([]pipeline.Output{{To: pipeline.Pairs, Partition: p, Value: fmt.Append(nil, p)}})
	}
	require.NoError(t, s.gs.Client().Flush(t.Context()))
	require.Empty(t, caughtUp(t, shared, at))
	require.Empty(t, commit(t, s, next), "no positions of the changelog")
	require.Equal(t, map[int32][]string{0: {"0"}, 1: {"1"}, 2: {"2"}}, caughtUp(t, shared, at))
}

// A process that stood still while others saved snapshots and trimmed the log is told
// so, and finds the latest one when it loads anew.
func TestSharedFallsBehind(t *testing.T) {
	cfg, cl := cluster(t)
	s := openShared(t, cfg)
	others := openShared(t, cfg)
	var at map[int32]int64
	for i := range 3 {
		at = grown(t, others, cl)
		require.NoError(t, others.Save(t.Context(), at, write(fmt.Sprint(i))))
	}
	s.begin(map[int32]int64{0: 3})
	var err error
	require.Eventually(t, func() bool {
		_, _, err = s.Poll()
		return err != nil
	}, 30*time.Second, 10*time.Millisecond)
	require.NotErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "begins anew with the latest snapshot")
	got, from := load(t, s)
	require.Equal(t, []string{"2"}, got)
	require.Equal(t, at, from)
	require.Empty(t, caughtUp(t, s, from))
}

// Close ends also when nobody polls and when the broker is gone.
func TestSharedCloses(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(parts, "events"))
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Brokers = c.ListenAddrs()
	s, err := OpenShared(context.Background(), "app", &cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	load(t, s)
	c.Close()
	s.Close()
}
