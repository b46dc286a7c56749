package kafka

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// A commit that the broker carries out, and answers with an error, is not taken for an
// abort: the session ends, and the next one finds it committed.
func TestCommitOfUnknownOutcome(t *testing.T) {
	c, cfg, cl := fakeCluster(t)
	feed(t, cl, 0, 3)
	s := open(t, cfg, keeper(fromCommitted))
	require.NoError(t, s.Begin())
	next := poll(t, s, 3)
	s.Produce([]pipeline.Output{logged(1, 0)})
	var asked bool
	var done *kmsg.EndTxnResponse
	c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked {
			return nil, nil, false
		}
		asked = true
		c.SleepControl(func() {
			again := *req.(*kmsg.EndTxnRequest)
			done, _ = again.RequestWith(context.Background(), cl)
		})
		return &kmsg.EndTxnResponse{Version: req.GetVersion(), ErrorCode: kerr.UnknownServerError.Code}, nil, true
	})
	ok, _, err := s.End(t.Context(), true, next)
	require.ErrorIs(t, err, errUnconfirmed)
	require.False(t, ok)
	require.NotNil(t, done)
	require.Zero(t, done.ErrorCode)
	s.Close()

	found := make(chan int64, parts)
	s = open(t, cfg, keeper(func(_ context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
		if a.Partition > 0 {
			return 0, nil
		}
		_, err := log.Read(t.Context(), 0, 0, func(recs []pipeline.LogRecord, _ int64) error {
			found <- int64(len(recs))
			return nil
		})
		found <- a.Committed
		return max(a.Committed, 0), err
	}))
	defer s.Close()
	require.Equal(t, int64(1), <-found, "what the transaction wrote")
	require.Equal(t, next[0], <-found, "and what it had read")
}

// A commit that the group or the broker refuses is an abort, and the session goes on:
// its records come again.
func TestCommitThatIsRefused(t *testing.T) {
	for name, fault := range map[string]kfake.Fault{
		"the group rebalances":      {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress},
		"the group has gone on":     {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration},
		"the offsets are not taken": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.UnknownServerError},
		"the member is unknown":     {Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true},
		"the broker aborts":         {Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.TransactionAbortable},
	} {
		t.Run(name, func(t *testing.T) {
			c, cfg, cl := fakeCluster(t)
			feed(t, cl, 0, 3)
			s := open(t, cfg, keeper(fromCommitted))
			defer s.Close()
			require.NoError(t, s.Begin())
			next := poll(t, s, 3)
			s.Produce([]pipeline.Output{logged(1, 0)})
			require.NoError(t, s.group.Flush(t.Context()))
			faults := c.Fault(fault)
			ok, _, err := s.End(t.Context(), true, next)
			require.NoError(t, err)
			require.False(t, ok)
			require.Equal(t, 1, faults.Hits())

			require.NoError(t, s.Begin())
			require.Equal(t, next, poll(t, s, 3))
		})
	}
}
