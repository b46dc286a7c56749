package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// opened begins a transaction and leaves it open in some partitions of a topic.
func opened(t *testing.T, cfg *Config, id, topic string, partitions ...int32) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	require.NoError(t, cl.BeginTransaction())
	for _, p := range partitions {
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: p, Value: []byte("x")}).FirstErr())
	}
	return cl
}

func txns(t *testing.T, cfg *Config) *Txns {
	t.Helper()
	x, err := OpenTxns("app", cfg)
	require.NoError(t, err)
	t.Cleanup(x.Close)
	return x
}

func listTxns(t *testing.T, x *Txns) map[string]Transaction {
	t.Helper()
	all, err := x.List(t.Context())
	require.NoError(t, err)
	by := map[string]Transaction{}
	for _, tx := range all {
		require.NotContains(t, by, tx.ID)
		by[tx.ID] = tx
	}
	return by
}

// stable is the last stable offset of a partition.
func stable(t *testing.T, x *Txns, topic string, partition int32) int64 {
	t.Helper()
	offs, err := x.adm.ListCommittedOffsets(t.Context(), topic)
	require.NoError(t, err)
	o, ok := offs.Lookup(topic, partition)
	require.True(t, ok)
	require.NoError(t, o.Err)
	return o.Offset
}

// This application's transactional ids are listed, open or not, and others' that are
// open in its topics or its input; no others.
func TestTxnsAreListed(t *testing.T) {
	_, cfg, cl := fakeCluster(t)
	require.Empty(t, listTxns(t, txns(t, cfg)), "without topics")
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	_, err := kadm.NewClient(cl).CreateTopic(t.Context(), 1, 1, nil, "elsewhere")
	require.NoError(t, err)
	feed(t, cl, 1, 4)
	opened(t, cfg, "app-0", "app.changes", 2, 0)
	opened(t, cfg, "shop", "events", 1)
	opened(t, cfg, "stranger", "elsewhere", 0)
	done := opened(t, cfg, "app-1", "app.changes", 1)
	require.NoError(t, done.EndTransaction(t.Context(), kgo.TryCommit))

	got := listTxns(t, txns(t, cfg))
	require.Len(t, got, 3)
	own := got["app-0"]
	require.True(t, own.Own)
	require.Equal(t, "Ongoing", own.State)
	require.Equal(t, []OpenPart{{"app.changes", 0, 0}, {"app.changes", 2, 0}}, own.Parts)
	require.False(t, own.Since.IsZero())
	require.Equal(t, "app.changes/2@0", own.Parts[1].String())
	other := got["shop"]
	require.False(t, other.Own)
	require.Equal(t, []OpenPart{{"events", 1, 4}}, other.Parts)
	ended := got["app-1"]
	require.NotEqual(t, "Ongoing", ended.State)
	require.Empty(t, ended.Parts)
	require.True(t, ended.Since.IsZero())
}

// A transactional id's open transaction is aborted and its producer fenced off; of
// another application, of none, or without one open, nothing is done.
func TestTxnIsAbortedByID(t *testing.T) {
	_, cfg, cl := fakeCluster(t)
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	x := txns(t, cfg)
	mine := opened(t, cfg, "app-0", "app.changes", 2)
	opened(t, cfg, "shop", "events", 1)

	was, err := x.AbortID(t.Context(), "app-0", false)
	require.NoError(t, err)
	require.Equal(t, "Ongoing", was.State)
	require.Equal(t, []OpenPart{{"app.changes", 2, -1}}, was.Parts)
	require.Equal(t, "app.changes/2", was.Parts[0].String())
	require.Empty(t, listTxns(t, x)["app-0"].Parts)
	require.Equal(t, int64(2), stable(t, x, "app.changes", 2), "past the record and the marker")
	require.Error(t, mine.EndTransaction(t.Context(), kgo.TryCommit))

	_, err = x.AbortID(t.Context(), "app-0", false)
	require.ErrorContains(t, err, "has no open transaction")
	_, err = x.AbortID(t.Context(), "app-7", false)
	require.ErrorContains(t, err, "no coordinator knows")
	_, err = x.AbortID(t.Context(), "shop", false)
	require.ErrorContains(t, err, "of another application")
	require.Equal(t, int64(0), stable(t, x, "events", 1))
	_, err = x.AbortID(t.Context(), "shop", true)
	require.NoError(t, err)
	require.Equal(t, int64(2), stable(t, x, "events", 1))
}

// forget has the coordinator know nothing of any transaction.
func forget(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.ListTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return req.ResponseKind(), nil, true
	})
	c.ControlKey(int16(kmsg.DescribeTransactions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		for _, id := range req.(*kmsg.DescribeTransactionsRequest).TransactionalIDs {
			st := kmsg.NewDescribeTransactionsResponseTransactionState()
			st.TransactionalID, st.ErrorCode = id, kerr.TransactionalIDNotFound.Code
			resp.TransactionStates = append(resp.TransactionStates, st)
		}
		return resp, nil, true
	})
}

// What is open in a partition and unknown to its coordinator hangs, and a marker ends
// it. What does not hang gets none.
func TestHangingTxnIsAborted(t *testing.T) {
	c, cfg, cl := fakeCluster(t)
	require.NoError(t, EnsureTopics(t.Context(), kadm.NewClient(cl), "app", cfg))
	x := txns(t, cfg)
	feed(t, cl, 1, 4)
	opened(t, cfg, "app-0", "app.pairs", 2)
	opened(t, cfg, "shop", "events", 1)
	pairs, events := OpenPart{"app.pairs", 2, 0}, OpenPart{"events", 1, 4}

	_, err := x.AbortHanging(t.Context(), pairs, false)
	require.ErrorContains(t, err, `that of the transactional id "app-0" and does not hang`)
	require.Equal(t, int64(0), stable(t, x, "app.pairs", 2))
	forget(c)
	all, err := x.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, tx := range all {
		require.Equal(t, Hanging, tx.State)
		require.Empty(t, tx.ID)
		require.False(t, tx.Since.IsZero())
		require.Contains(t, []OpenPart{pairs, events}, tx.Parts[0])
	}

	_, err = x.AbortHanging(t.Context(), OpenPart{"app.pairs", 2, 1}, false)
	require.ErrorContains(t, err, "no transaction is open in app.pairs/2 from offset 1")
	_, err = x.AbortHanging(t.Context(), events, false)
	require.ErrorContains(t, err, "is not written by this application")
	was, err := x.AbortHanging(t.Context(), pairs, false)
	require.NoError(t, err)
	require.Equal(t, []OpenPart{pairs}, was.Parts)
	require.Equal(t, int64(2), stable(t, x, "app.pairs", 2))
	_, err = x.AbortHanging(t.Context(), events, true)
	require.NoError(t, err)
	require.Equal(t, int64(6), stable(t, x, "events", 1))
}
