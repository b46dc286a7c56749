package kafka

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// What a dead instance left open in the changelog is aborted by whoever gets its
// partition, and not waited for: here it would be for minutes. What one has open that
// is in the group, nobody touches.
func TestTransactionOfTheDead(t *testing.T) {
	cfg, cl := cluster(t)
	adm := kadm.NewClient(cl)
	require.NoError(t, EnsureTopics(t.Context(), adm, "app", cfg))
	dead, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.TransactionalID("app-dead"), kgo.TransactionTimeout(10*time.Minute))
	require.NoError(t, err)
	defer dead.Close()
	require.NoError(t, dead.BeginTransaction())
	require.NoError(t, dead.ProduceSync(t.Context(), &kgo.Record{Topic: "app.changelog", Key: []byte("c1"), Value: []byte("v")}).FirstErr())

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
	require.NoError(t, s.fence(t.Context(), []int64{id}))
	commit(t, s, map[int32]int64{0: 0})
}
