package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const parts = 3

// cluster has an empty topic "events"; cl writes where it is told.
func cluster(t *testing.T) (cfg *Config, cl *kgo.Client) {
	t.Helper()
	return clientsOf(t, bootstrap(t, parts))
}

// imitation is a cluster for what must be told at once: on the original a
// commit is answered before it is seen everywhere.
func imitation(t *testing.T) (*Config, *kgo.Client) {
	t.Helper()
	_, cfg, cl := fakeCluster(t)
	return cfg, cl
}

// fakeCluster is cluster on Kafka's imitation, which can be told to fail.
func fakeCluster(t *testing.T) (*kfake.Cluster, *Config, *kgo.Client) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(parts, "events"), kfake.SleepOutOfOrder())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cfg, cl := clientsOf(t, c.ListenAddrs())
	return c, cfg, cl
}

func clientsOf(t *testing.T, brokers []string) (*Config, *kgo.Client) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Brokers = brokers
	require.NoError(t, cfg.Validate())
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &cfg, cl
}

func feed(t *testing.T, cl *kgo.Client, partition int32, n int) {
	t.Helper()
	for i := range n {
		r := &kgo.Record{Topic: "events", Partition: partition, Key: []byte("k"), Value: fmt.Appendf(nil, "%d/%d", partition, i)}
		require.NoError(t, cl.ProduceSync(t.Context(), r).FirstErr())
	}
}

func open(t *testing.T, cfg *Config, restore pipeline.Keeper) *Session {
	t.Helper()
	s, err := Open(t.Context(), "app", cfg, restore, slog.New(slog.DiscardHandler), kgo.HeartbeatInterval(100*time.Millisecond))
	require.NoError(t, err)
	return s
}

// keeper restores by a function and follows nothing.
type keeper func(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error)

func (k keeper) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	return k(ctx, a, log)
}

func (keeper) Follow(ctx context.Context, _ pipeline.Assignment, _ pipeline.ChangelogReader) error {
	<-ctx.Done()
	return nil
}

func fromCommitted(_ context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
	return max(a.Committed, a.Start), nil
}

// poll collects n records.
func poll(t *testing.T, s *Session, n int) map[int32]int64 {
	t.Helper()
	next := map[int32]int64{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for got := 0; got < n; {
		bs, err := s.Poll(ctx, n-got)
		require.NoError(t, err)
		require.NoError(t, ctx.Err(), "got %d of %d records", got, n)
		for _, b := range bs {
			got += len(b.Records)
			next[b.Partition] = b.Records[len(b.Records)-1].Offset + 1
		}
	}
	return next
}

// awaitAssigned polls, of an input that gives nothing, until the session has
// exactly these partitions.
func awaitAssigned(t *testing.T, s *Session, ps ...int32) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !slices.Equal(ps, s.Assigned()) {
		require.True(t, time.Now().Before(deadline), "has %v, not %v", s.Assigned(), ps)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		bs, err := s.Poll(ctx, 1)
		cancel()
		require.NoError(t, err)
		require.Empty(t, bs)
	}
}

// commit ends the transaction, and returns the changelog's positions.
func commit(t *testing.T, s *Session, next map[int32]int64) map[int32]int64 {
	t.Helper()
	ok, pos, err := s.End(t.Context(), true, next)
	require.NoError(t, err)
	require.True(t, ok)
	return pos
}

func logged(i int, p int32) pipeline.Output {
	return pipeline.Output{To: pipeline.Changelog, Partition: p, Key: []byte("c1"), Value: fmt.Appendf(nil, "v%d", i)}
}

// What a transaction produced and its offsets become visible together; an
// aborted one leaves nothing, and its records are polled again.
func TestSessionCommitsAndAborts(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 10)
	feed(t, cl, 2, 5)
	s := open(t, cfg, keeper(fromCommitted))

	require.NoError(t, s.Begin())
	next := poll(t, s, 15)
	require.Equal(t, map[int32]int64{0: 10, 2: 5}, next)
	awaitAssigned(t, s, 0, 1, 2)
	s.Produce([]pipeline.Output{logged(0, 0)})
	require.NoError(t, s.gs.Client().Flush(t.Context()), "so that there is something to abort")
	ok, _, err := s.End(t.Context(), false, nil)
	require.NoError(t, err)
	require.False(t, ok)

	require.NoError(t, s.Begin())
	next = poll(t, s, 15)
	require.Equal(t, map[int32]int64{0: 10, 2: 5}, next, "an abort gives the records back")
	ends, err := s.Ends(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{0: 10, 1: 0, 2: 5}, ends)
	s.Produce([]pipeline.Output{logged(1, 0), logged(2, 2), {To: pipeline.Changes, Key: []byte("c1"), Value: []byte("{}")}})
	pos := commit(t, s, next)
	require.Greater(t, pos[0], int64(1), "after the aborted record and its marker")
	require.Equal(t, int64(1), pos[2])
	s.Close()

	var mu sync.Mutex
	committed := map[int32]int64{}
	identity := uint64(0)
	s = open(t, cfg, keeper(func(_ context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
		mu.Lock()
		defer mu.Unlock()
		committed[a.Partition] = a.Committed
		identity = a.Identity
		return max(a.Committed, a.Start), nil
	}))
	defer s.Close()
	feed(t, cl, 0, 1)
	require.NoError(t, s.Begin())
	require.Equal(t, map[int32]int64{0: 11}, poll(t, s, 1))
	awaitAssigned(t, s, 0, 1, 2)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[int32]int64{0: 10, 1: -1, 2: 5}, committed)
	require.NotZero(t, identity)
}

// What the client has fetched and the session has not handed out is not committed,
// neither by the transaction under way nor by the next one.
func TestSessionCommitsOnlyWhatItHandedOut(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 10)
	feed(t, cl, 1, 10)
	s := open(t, cfg, keeper(fromCommitted))
	require.NoError(t, s.Begin())
	first := poll(t, s, 5)
	commit(t, s, first)
	require.NoError(t, s.Begin())
	s.Produce([]pipeline.Output{logged(1, 0)})
	commit(t, s, map[int32]int64{0: first[0]})
	s.Close()

	s = open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	require.Equal(t, map[int32]int64{0: 10, 1: 10}, poll(t, s, 15), "the other 15, and no more")
}

// A transaction in which nothing was polled commits the offsets of the
// partitions whose timers fired, so that the group validates the member.
func TestSessionCommitsOffsetsWithoutRecords(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 3)
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	next := poll(t, s, 3)
	commit(t, s, next)
	require.NoError(t, s.Begin())
	s.Produce([]pipeline.Output{logged(1, 0)})
	pos := commit(t, s, map[int32]int64{0: 3})
	require.Contains(t, pos, int32(0))
}

// Transactions of nothing, of which a quiet stream makes many, take no time; what
// touches no partition is committed all the same.
func TestSessionCommitsNothingAtOnce(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 3)
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()
	require.NoError(t, s.Begin())
	commit(t, s, poll(t, s, 3))
	began := time.Now()
	for range 100 {
		require.NoError(t, s.Begin())
		require.Empty(t, commit(t, s, nil))
	}
	require.Less(t, time.Since(began), 20*time.Second, "half a second each would be 50")
	require.NoError(t, s.Begin())
	s.Produce([]pipeline.Output{{To: pipeline.Models, Partition: -1, Key: []byte("models"), Value: []byte("v")}})
	require.Empty(t, commit(t, s, nil))
	feed(t, cl, 0, 1)
	require.NoError(t, s.Begin())
	require.Equal(t, map[int32]int64{0: 4}, poll(t, s, 1))
}

// A restore that fails is the session's error, not a silent wait.
func TestSessionSurfacesRestoreError(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 1)
	s := open(t, cfg, keeper(func(context.Context, pipeline.Assignment, pipeline.ChangelogReader) (int64, error) {
		return 0, fmt.Errorf("%w: no such state", pipeline.ErrFatal)
	}))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, err := s.Poll(ctx, 1)
		if err != nil {
			require.ErrorIs(t, err, pipeline.ErrFatal)
			require.ErrorContains(t, err, "no such state")
			return
		}
		require.NoError(t, ctx.Err())
	}
}

// A changelog with another number of partitions than the input is refused.
func TestEnsureTopicsRefusesRepartitioning(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events"), kfake.SeedTopics(3, "app.changelog"))
	require.NoError(t, err)
	defer c.Close()
	cfg := DefaultConfig()
	cfg.Brokers = c.ListenAddrs()
	_, err = Open(t.Context(), "app", &cfg, keeper(fromCommitted), slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, pipeline.ErrFatal)
	require.ErrorContains(t, err, "has 3 partitions, the input \"events\" has 2")
	cfg.Topic = "nosuch"
	_, err = Open(t.Context(), "app", &cfg, keeper(fromCommitted), slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "does not exist")
}
