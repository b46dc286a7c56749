//go:build realkafka

package kafka

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/brokers"
)

// realCluster is a real Kafka with an input topic.
func realCluster(t *testing.T, bc brokers.Config) (*brokers.Cluster, *Config, *kgo.Client) {
	t.Helper()
	c, err := brokers.Start(t.Context(), bc)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.CreateTopic(t.Context(), "events", parts, nil))
	cfg := DefaultConfig()
	cfg.Brokers = c.Addrs()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return c, &cfg, cl
}

// On a real Kafka, too, the position gets to the end over aborted records and over
// markers that are written some time after the transaction's end, and snapshots are
// found, and the log is trimmed.
func TestSharedOnRealKafka(t *testing.T) {
	_, cfg, cl := realCluster(t, brokers.Config{Nodes: 1})
	s := openShared(t, cfg)
	_, at := load(t, s)
	a, b := writerOfPairs(t, cfg, "a"), writerOfPairs(t, cfg, "b")
	got := map[int32][]string{}
	reached := func(want map[int32][]string, end int64) {
		t.Helper()
		require.Eventually(t, func() bool {
			for p, vs := range polled(t, s, at) {
				got[p] = append(got[p], vs...)
			}
			ends, err := s.Ends(t.Context()) // after each poll, for markers come late
			require.NoError(t, err)
			return at[0] == end && maps.Equal(at, ends)
		}, time.Minute, 10*time.Millisecond, "at %v", at)
		require.Equal(t, want, got)
	}
	require.NoError(t, a.BeginTransaction())
	require.NoError(t, b.BeginTransaction())
	say(t, a, 0, "a1")
	say(t, b, 0, "b1")
	say(t, a, 1, "a2")
	require.NoError(t, a.EndTransaction(t.Context(), kgo.TryAbort))
	reached(map[int32][]string{}, 1) // past the aborted record, whose marker is behind the open one
	require.NoError(t, b.EndTransaction(t.Context(), kgo.TryCommit))
	reached(map[int32][]string{0: {"b1"}}, 4)
	require.NoError(t, a.BeginTransaction())
	say(t, a, 0, "a3")
	require.NoError(t, a.EndTransaction(t.Context(), kgo.TryAbort))
	reached(map[int32][]string{0: {"b1"}}, 6)

	first, second := grown(t, s, cl), grown(t, s, cl)
	require.NoError(t, s.Save(t.Context(), first, write("1", "2")))
	require.NoError(t, s.Save(t.Context(), second, write("3")))
	for _, reader := range []*Shared{s, openShared(t, cfg)} {
		parts, from := load(t, reader)
		require.Equal(t, []string{"3"}, parts)
		require.Equal(t, second, from)
	}
	require.Equal(t, first[0], starts(t, s)[0])
}
