package kafka

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// An end counts what no poll gives, but not for who stands before that and asks; and
// one who stands before a record is not told that it is at the end.
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
	ends, err = s.Ends(t.Context(), map[int32]int64{0: 3, 1: 3, 2: 0})
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{0: 3, 1: 5, 2: 0}, ends, "two aborted records and their markers; one that was committed")
	ends, err = s.Ends(t.Context(), map[int32]int64{0: 2, 1: 4})
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{0: 7, 1: 4, 2: 0}, ends, "a record, aborted ones; a marker")
}
