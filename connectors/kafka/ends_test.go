package kafka

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
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
