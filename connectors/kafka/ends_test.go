package kafka

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// An end counts what no poll gives; who stands before that and asks is set past it, and
// one who stands before a record is not.
func TestEndsWithoutRecords(t *testing.T) {
	cfg, cl := cluster(t)
	feed(t, cl, 0, 3)
	feed(t, cl, 1, 3)
	txn, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.TransactionalID("other"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer txn.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryAbort, kgo.TryCommit} {
		require.NoError(t, txn.BeginTransaction())
		r := &kgo.Record{Topic: "events", Key: []byte("k"), Value: []byte("v")}
		if end == kgo.TryCommit {
			r.Partition = 1
		}
		require.NoError(t, txn.ProduceSync(t.Context(), r).FirstErr())
		require.NoError(t, txn.EndTransaction(context.Background(), end))
	}
	s := open(t, cfg, keeper(fromCommitted))
	defer s.Close()

	ends, err := s.Ends(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{0: 7, 1: 5, 2: 0}, ends)
	for _, one := range []struct{ at, then map[int32]int64 }{
		{map[int32]int64{0: 3, 1: 3, 2: 0}, map[int32]int64{0: 7, 1: 3, 2: 0}}, // two aborted records and their markers; one that was committed
		{map[int32]int64{0: 2, 1: 4}, map[int32]int64{0: 2, 1: 5}},             // a record, aborted ones; a marker
	} {
		again, err := s.Ends(t.Context(), one.at)
		require.NoError(t, err)
		require.Equal(t, ends, again)
		require.Equal(t, one.then, one.at)
	}
}

// leaderless has a broker say, to who asks for the input alone, that one partition of
// it has no leader.
func leaderless(t *testing.T, c *kfake.Cluster, cl *kgo.Client, partition int32) {
	t.Helper()
	details, err := kadm.NewClient(cl).ListTopics(t.Context(), "events")
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	require.NoError(t, err)
	at, err := strconv.Atoi(port)
	require.NoError(t, err)
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked := req.(*kmsg.MetadataRequest).Topics
		if len(asked) != 1 || asked[0].Topic == nil || *asked[0].Topic != "events" {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		resp.Brokers = []kmsg.MetadataResponseBroker{{Host: host, Port: int32(at)}}
		topic := kmsg.MetadataResponseTopic{Topic: asked[0].Topic, TopicID: details["events"].ID}
		for p := range int32(parts) {
			mp := kmsg.MetadataResponseTopicPartition{Partition: p, Replicas: []int32{0}, ISR: []int32{0}}
			if p == partition {
				mp.Leader, mp.ErrorCode = -1, kerr.LeaderNotAvailable.Code
			}
			topic.Partitions = append(topic.Partitions, mp)
		}
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
}

// A partition without a leader is in nobody's way but that of who is given it, and
// that one says which it is. The ends of the others are known.
func TestPartitionWithoutALeader(t *testing.T) {
	for _, start := range []string{"earliest", "latest"} {
		t.Run(start, func(t *testing.T) {
			c, cfg, cl := fakeCluster(t)
			cfg.Start = start
			s, err := Open(t.Context(), "app", cfg, keeper(fromCommitted), slog.New(slog.DiscardHandler), kgo.MetadataMinAge(10*time.Millisecond))
			require.NoError(t, err)
			defer s.Close()
			awaitAssigned(t, s, 0, 1, 2)
			feed(t, cl, 2, 3)
			leaderless(t, c, cl, 1)

			var ends map[int32]int64
			require.Eventually(t, func() bool {
				ends, err = s.Ends(t.Context(), map[int32]int64{0: 0, 1: 0, 2: 2})
				require.NoError(t, err)
				return len(ends) < parts
			}, 10*time.Second, time.Millisecond)
			require.Equal(t, map[int32]int64{0: 0, 2: 3}, ends)
			given := func(ps ...int32) error {
				offs := map[int32]kgo.Offset{}
				for _, p := range ps {
					offs[p] = kgo.NewOffset().At(0)
				}
				_, err := s.given(t.Context(), map[string]map[int32]kgo.Offset{"events": offs})
				return err
			}
			require.NoError(t, given(0, 2))
			err = given(0, 1)
			require.ErrorContains(t, err, "events/1")
			require.ErrorIs(t, err, kerr.LeaderNotAvailable)
		})
	}
}

// An input that grows ends the session for good, and does so before it is opened anew.
func TestInputThatGrows(t *testing.T) {
	_, cfg, cl := fakeCluster(t)
	s, err := Open(t.Context(), "app", cfg, keeper(fromCommitted), slog.New(slog.DiscardHandler), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(t, err)
	defer s.Close()
	awaitAssigned(t, s, 0, 1, 2)
	ends, err := s.Ends(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, ends, parts)
	_, err = kadm.NewClient(cl).CreatePartitions(t.Context(), 1, "events")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err = s.Ends(t.Context(), nil)
		return err != nil
	}, 10*time.Second, time.Millisecond)
	_, polled := s.Poll(t.Context(), 1)
	for _, err := range []error{err, polled} {
		require.ErrorIs(t, err, pipeline.ErrFatal)
		require.ErrorContains(t, err, `topic "app.changelog" has 3 partitions, the input "events" has 4`)
	}
}
