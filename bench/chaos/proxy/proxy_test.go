package proxy

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// world is three fake brokers and a way to them. dialled are the addresses that
// clients of the way went to.
type world struct {
	net     *Net
	mu      sync.Mutex
	dialled map[string]int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, "t"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	w := &world{dialled: map[string]int{}}
	w.net, err = New(cluster.ListenAddrs())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.net.Close()) })
	return w
}

func (w *world) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(w.net.Addrs()...), kgo.DefaultProduceTopic("t"),
		kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
			w.mu.Lock()
			w.dialled[host]++
			w.mu.Unlock()
			return new(net.Dialer).DialContext(ctx, network, host)
		}))...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// consume reads so many records.
func consume(t *testing.T, cl *kgo.Client, n int) (values []string) {
	t.Helper()
	ctx := within(t)
	for len(values) < n {
		fs := cl.PollFetches(ctx)
		require.NoError(t, fs.Err())
		fs.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

// Everything passes, transactions and groups included, and nothing goes past the
// proxy.
func TestAllWaysLeadThroughTheProxy(t *testing.T) {
	w := newWorld(t)
	p := w.client(t, kgo.TransactionalID("x"))
	ctx := within(t)
	require.NoError(t, p.BeginTransaction())
	for range 60 {
		p.Produce(ctx, &kgo.Record{Key: []byte{byte(time.Now().Nanosecond())}, Value: []byte("v")}, nil)
	}
	require.NoError(t, p.Flush(ctx))
	require.NoError(t, p.EndTransaction(ctx, kgo.TryCommit))
	c := w.client(t, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.Len(t, consume(t, c, 60), 60)
	w.mu.Lock()
	defer w.mu.Unlock()
	for addr := range w.dialled {
		require.Contains(t, w.net.Addrs(), addr)
	}
	require.Len(t, w.dialled, 3)
}

// The answer to EndTxn is lost after the broker has committed: the client cannot
// know, a reader sees the records.
func TestTheAnswerToEndTxnIsLost(t *testing.T) {
	w := newWorld(t)
	p := w.client(t, kgo.TransactionalID("x"), kgo.RequestRetries(0))
	ctx := within(t)
	asked := false
	hook := &Hook{Key: EndTxn, At: Answer, Cut: true, Do: func() { asked = true }}
	w.net.On(hook)
	require.NoError(t, p.BeginTransaction())
	require.NoError(t, p.ProduceSync(ctx, &kgo.Record{Value: []byte("v")}).FirstErr())
	_ = p.EndTransaction(ctx, kgo.TryCommit) // may have been repeated, or not
	<-hook.Done
	require.True(t, asked)
	require.False(t, w.net.Drop(hook), "it has happened")
	c := w.client(t, kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.Equal(t, []string{"v"}, consume(t, c, 1))
}

// What is cut or held back is sent again, or passes later.
func TestCutsHolesAndDelays(t *testing.T) {
	w := newWorld(t)
	p := w.client(t)
	ctx := within(t)
	produce := func() { require.NoError(t, p.ProduceSync(ctx, &kgo.Record{Value: []byte("v")}).FirstErr()) }
	produce()
	require.NotZero(t, w.net.Cut())
	produce()
	w.net.Delay(5 * time.Millisecond)
	began := time.Now()
	produce()
	require.Greater(t, time.Since(began), 10*time.Millisecond)
	w.net.Delay(0)

	w.net.Hole(true)
	done := make(chan error, 1)
	go func() { done <- p.ProduceSync(ctx, &kgo.Record{Value: []byte("v")}).FirstErr() }()
	select {
	case err := <-done:
		t.Fatal("a record passed the hole: ", err)
	case <-time.After(100 * time.Millisecond):
	}
	w.net.Hole(false)
	require.NoError(t, <-done)

	hook := &Hook{Key: Produce, At: Request, Cut: true}
	w.net.On(hook)
	produce()
	<-hook.Done
	unmet := &Hook{Key: EndTxn, At: Forwarded}
	w.net.On(unmet)
	produce()
	require.True(t, w.net.Drop(unmet))
}
