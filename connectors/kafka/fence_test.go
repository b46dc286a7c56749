package kafka

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// What a dead instance left open in the changelog is aborted by whoever gets its
// partition, and not waited for: here it would be for minutes. What one has open that
// is in the group, nobody touches.
func TestTransactionOfTheDead(t *testing.T) {
	cfg, cl := cluster(t)
	adm := kadm.NewClient(cl)
	require.NoError(t, EnsureTopics(t.Context(), adm, "app", cfg))
	dead := begun(t, cfg, "app-dead", "app.changelog")

	var read atomic.Int64
	s := open(t, cfg, keeper(func(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
		_, err := log.Read(ctx, a.Partition, 0, func(recs []pipeline.LogRecord, _ int64) error { read.Add(int64(len(recs))); return nil })
		return max(a.Committed, a.Start), err
	}))
	defer s.Close()
	awaitAssigned(t, s, 0, 1, 2)
	require.Zero(t, read.Load())
	require.Error(t, dead.EndTransaction(t.Context(), kgo.TryCommit))

	require.NoError(t, s.Begin())
	s.Produce([]pipeline.Output{logged(1, 0)})
	require.NoError(t, s.group.Flush(t.Context()))
	id, _, err := s.group.ProducerID(t.Context())
	require.NoError(t, err)
	open, err := adm.ListTransactions(t.Context(), []int64{id}, []string{"Ongoing"})
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.NoError(t, s.fence(t.Context()))
	commit(t, s, map[int32]int64{0: 0})
}

// The group's offsets are hidden while a transaction with them is open: of the dead it
// is aborted as well. One of another application, whose name only looks like ours, is not.
func TestOffsetsOfTheDead(t *testing.T) {
	cfg, cl := cluster(t)
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	dead, other := begun(t, cfg, "app-dead", "app.changes"), begun(t, cfg, "app-b-1", cfg.Topic)
	id, epoch, err := dead.ProducerID(t.Context())
	require.NoError(t, err)
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = "app-dead", id, epoch, "app"
	added, err := add.RequestWith(t.Context(), dead)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(added.ErrorCode))
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group, commit.Generation = "app-dead", id, epoch, "app", -1
	_, in, err := await(t.Context(), cl, cfg.Topic)
	require.NoError(t, err)
	for p := range int32(3) {
		commit.Topics = append(commit.Topics, kmsg.TxnOffsetCommitRequestTopic{Topic: cfg.Topic, TopicID: in.TopicID,
			Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{{Partition: p, LeaderEpoch: -1}}})
	}
	committed, err := commit.RequestWith(t.Context(), dead)
	require.NoError(t, err)
	require.NoError(t, kerr.ErrorForCode(committed.Topics[0].Partitions[0].ErrorCode))

	s := open(t, cfg, keeper(func(_ context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
		return max(a.Committed, a.Start), nil
	}))
	defer s.Close()
	awaitAssigned(t, s, 0, 1, 2)
	require.Error(t, dead.EndTransaction(t.Context(), kgo.TryCommit))
	require.NoError(t, other.EndTransaction(t.Context(), kgo.TryCommit))
}

// What the repartition stage of a dead instance left open is aborted, and not that of
// one that is in the pipeline's group.
func TestTransactionOfADeadStage(t *testing.T) {
	w := newTown(t, classicProtocol)
	w.cfg.Topic = RepartitionTopic("app")
	_, err := w.adm.CreateTopic(t.Context(), wide, -1, nil, w.cfg.Topic)
	require.NoError(t, err)
	_, _, err = await(t.Context(), w.cl, w.cfg.Topic)
	require.NoError(t, err)
	a := w.start("a", 0, nil)
	w.spreadOver(a)
	living := begun(t, &w.cfg, "app-a-repartition", w.cfg.Topic)
	own := begun(t, &w.cfg, "app-b-repartition", w.cfg.Topic)
	dead := begun(t, &w.cfg, "app-dead-repartition", w.cfg.Topic)
	b := w.start("b", 0, nil)
	w.await("the transaction of the dead is aborted", func() bool {
		open, err := w.adm.ListTransactions(t.Context(), nil, []string{"Ongoing"})
		require.NoError(t, err)
		return !slices.Contains(open.TransactionalIDs(), "app-dead-repartition")
	}, a, b)
	w.spreadOver(a, b)
	require.Error(t, dead.EndTransaction(t.Context(), kgo.TryCommit))
	require.NoError(t, living.EndTransaction(t.Context(), kgo.TryCommit))
	require.NoError(t, own.EndTransaction(t.Context(), kgo.TryCommit))
}

// begun is a producer with a transaction open, for minutes, that has written to a topic.
func begun(t *testing.T, cfg *Config, id, topic string) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.TransactionalID(id), kgo.TransactionTimeout(10*time.Minute))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	require.NoError(t, cl.BeginTransaction())
	require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("c1"), Value: []byte("v")}).FirstErr())
	return cl
}
