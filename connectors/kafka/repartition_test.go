package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// unkeyed is a broker with an input topic whose records have no key of use, and
// what was written there.
type unkeyed struct {
	t    *testing.T
	cfg  *Config
	cl   *kgo.Client
	adm  *kadm.Client
	rng  *rand.Rand
	sent map[string]*kgo.Record // by place
	seq  map[int]int            // by customer
}

func newUnkeyed(t *testing.T, partitions int32, seed uint64, opts ...kfake.Opt) *unkeyed {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, "events"), kfake.SleepOutOfOrder(),
		kfake.BrokerConfigs(map[string]string{"group.min.session.timeout.ms": "500", "group.consumer.heartbeat.interval.ms": "100"})}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Repartition, cfg.SessionTimeout = c.ListenAddrs(), true, 2*time.Second
	u := &unkeyed{t: t, cfg: &cfg, rng: rand.New(rand.NewPCG(seed, 1)), sent: map[string]*kgo.Record{}, seq: map[int]int{}}
	u.connect()
	return u
}

func (u *unkeyed) connect() {
	u.t.Helper()
	var err error
	u.cl, err = kgo.NewClient(kgo.SeedBrokers(u.cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(u.t, err)
	u.t.Cleanup(u.cl.Close)
	u.adm = kadm.NewClient(u.cl)
}

const customers = 17

// record is one of a customer, or one that has none to be read.
func (u *unkeyed) record(partitions int) *kgo.Record {
	r := &kgo.Record{
		Topic: "events", Partition: int32(u.rng.IntN(partitions)), Key: fmt.Appendf(nil, "key-%d", u.rng.IntN(5)),
		Timestamp: time.UnixMilli(1_700_000_000_000 + u.rng.Int64N(1e9)),
	}
	if u.rng.IntN(3) == 0 {
		r.Headers = []kgo.RecordHeader{{Key: "trace", Value: []byte("t")}, {Key: pipeline.OriginTopic, Value: []byte("forged")}}
	}
	switch u.rng.IntN(12) {
	case 0:
		r.Value = []byte(`{"type":`)
	case 1:
		r.Value = []byte(`{"id":"i","type":"item_updated","customer_id":"nobody","time":"2026-01-02T03:04:05Z","item_id":"A"}`)
	case 2:
		r.Key, r.Value = nil, nil
	default:
		c := u.rng.IntN(customers)
		u.seq[c]++
		r.Partition = int32(c % partitions) // a customer's records come in order, in one partition
		r.Value = fmt.Appendf(nil, `{"id":"%d","type":"order_completed","customer_id":"c-%d","time":"2026-01-02T03:04:05Z","amount":"1.00"}`, u.seq[c], c)
	}
	return r
}

func (u *unkeyed) feed(partitions, n int) {
	u.t.Helper()
	recs := make([]*kgo.Record, n)
	for i := range recs {
		recs[i] = u.record(partitions)
	}
	u.send(recs...)
}

func (u *unkeyed) send(recs ...*kgo.Record) {
	u.t.Helper()
	require.NoError(u.t, u.cl.ProduceSync(u.t.Context(), recs...).FirstErr())
	for _, r := range recs {
		u.sent[fmt.Sprintf("events/%d/%d", r.Partition, r.Offset)] = r
	}
}

func (u *unkeyed) stage(instance string, more ...kgo.Opt) *Repartition {
	u.t.Helper()
	dec, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(u.t, err)
	dec.Hold = true
	cfg := *u.cfg
	cfg.Instance = instance
	r, err := NewRepartition("app", &cfg, dec, pipeline.LoopConfig{CommitInterval: 2 * time.Millisecond, MaxRecords: 40},
		slog.New(slog.DiscardHandler), more...)
	require.NoError(u.t, err)
	u.t.Cleanup(r.adm.Close)
	return r
}

// run runs a stage until the test or the caller ends it; what it returned is
// looked at then.
func (u *unkeyed) run(r *Repartition) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); require.NoError(u.t, <-done) })
	u.t.Cleanup(stop)
	return stop
}

// passed tells whether the group has committed all there is.
func (u *unkeyed) passed() bool {
	u.t.Helper()
	ends, err := u.adm.ListEndOffsets(u.t.Context(), "events")
	require.NoError(u.t, err)
	done, err := u.adm.FetchOffsets(u.t.Context(), "app-repartition")
	if errors.Is(err, kerr.GroupIDNotFound) {
		return false
	}
	require.NoError(u.t, err)
	all := true
	ends.Each(func(e kadm.ListedOffset) {
		o, ok := done.Lookup("events", e.Partition)
		all = all && ok && o.At == e.Offset
	})
	return all
}

func (u *unkeyed) drained() {
	u.t.Helper()
	require.Eventually(u.t, u.passed, 60*time.Second, 20*time.Millisecond, "not everything was passed on")
}

// output reads the stage's topic to its end, committed records only.
func (u *unkeyed) output() []*kgo.Record {
	u.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(u.cfg.Brokers...), kgo.ConsumeTopics("app.repartition"), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(u.t, err)
	defer cl.Close()
	ends, err := u.adm.ListEndOffsets(u.t.Context(), "app.repartition")
	require.NoError(u.t, err)
	at := map[int32]int64{}
	behind := func() (yes bool) {
		ends.Each(func(e kadm.ListedOffset) { yes = yes || at[e.Partition] < e.Offset })
		return yes
	}
	ctx, cancel := context.WithTimeout(u.t.Context(), 30*time.Second)
	defer cancel()
	var recs []*kgo.Record
	for behind() {
		fs := cl.PollFetches(ctx)
		require.NoError(u.t, fs.Err(), "read to %v", at)
		fs.EachRecord(func(r *kgo.Record) {
			at[r.Partition] = r.Offset + 1
			if !r.Attrs.IsControl() {
				recs = append(recs, r)
			}
		})
	}
	return recs
}

// check compares what came out with what was sent: each record once, as it came
// but for its key and its place, and a customer's in order in one partition.
func (u *unkeyed) check() {
	u.t.Helper()
	dec, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(u.t, err)
	p := &passage{r: &Repartition{dec: dec}}
	seen := map[string]bool{}
	home, last := map[string]int32{}, map[string]int64{}
	for _, r := range u.output() {
		require.GreaterOrEqual(u.t, len(r.Headers), 3)
		require.Equal(u.t, []string{pipeline.OriginTopic, pipeline.OriginPartition, pipeline.OriginOffset},
			[]string{r.Headers[0].Key, r.Headers[1].Key, r.Headers[2].Key})
		place := fmt.Sprintf("%s/%s/%s", r.Headers[0].Value, r.Headers[1].Value, r.Headers[2].Value)
		in := u.sent[place]
		require.NotNil(u.t, in, place)
		require.False(u.t, seen[place], "%s came twice", place)
		seen[place] = true
		require.Equal(u.t, in.Value, r.Value, place)
		require.Equal(u.t, len(in.Headers), len(r.Headers)-3, place)
		for i, h := range in.Headers {
			require.Equal(u.t, h, r.Headers[3+i], place)
		}
		require.Equal(u.t, in.Timestamp.UnixMilli(), r.Timestamp.UnixMilli(), place)
		key, err := p.key(in)
		require.NoError(u.t, err)
		require.Equal(u.t, string(key), string(r.Key), place)
		require.Equal(u.t, key == nil, r.Key == nil, place)
		if p.ev.CustomerID == "" || string(key) != p.ev.CustomerID {
			continue
		}
		id := p.ev.CustomerID
		if was, ok := home[id]; ok {
			require.Equal(u.t, was, r.Partition, "customer %s is in two partitions", id)
		}
		home[id] = r.Partition
		n, err := strconv.ParseInt(p.ev.ID, 10, 64)
		require.NoError(u.t, err)
		require.Greater(u.t, n, last[id], "customer %s, %s", id, place)
		last[id] = n
	}
	require.Len(u.t, seen, len(u.sent), "records that are missing")
}

// cutter makes connections that lose the answer to a request of one kind, once:
// the broker has done what was asked, and nobody hears of it.
type cutter struct{ key, cuts atomic.Int32 }

const (
	produceKey         = 0
	endTxnKey          = 26
	txnOffsetCommitKey = 28
)

func newCutter() *cutter {
	c := new(cutter)
	c.key.Store(-1)
	return c
}

func (c *cutter) dial(ctx context.Context, network, host string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, host)
	return &cutConn{Conn: conn, cutter: c}, err
}

type cutConn struct {
	net.Conn
	cutter *cutter
	armed  atomic.Bool
}

func (c *cutConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && c.cutter.key.CompareAndSwap(int32(b[4])<<8|int32(b[5]), -1) {
		c.armed.Store(true)
		c.cutter.cuts.Add(1)
	}
	return c.Conn.Write(b)
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.armed.Load() {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// The stage dies at every point of a transaction, again and again, and loses
// answers of the broker: what comes out is what went in, once and in order.
func TestRepartitionIsExactlyOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const partitions = 4
	u := newUnkeyed(t, partitions, seed)
	u.feed(partitions, 200)
	cut := newCutter()
	r := u.stage("0", kgo.Dialer(cut.dial))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	deaths := 0
	enough := func() bool { return len(u.sent) >= 1500 && deaths >= 6 && cut.cuts.Load() >= 3 }
	for !enough() || !u.passed() {
		require.NoError(t, ctx.Err(), "after %d deaths", deaths)
		p, err := r.open(ctx)
		require.NoError(t, err)
		for alive := true; alive && (!enough() || !u.passed()); {
			if !enough() {
				u.feed(partitions, u.rng.IntN(120))
			}
			alive = u.step(ctx, p, cut)
		}
		p.close()
		deaths++
	}
	t.Logf("%d sessions, %d answers lost, %+v", deaths, cut.cuts.Load(), r.Stats())
	u.check()
}

// step carries a transaction through, or to where the process dies.
func (u *unkeyed) step(ctx context.Context, p *passage, cut *cutter) (alive bool) {
	require.NoError(u.t, p.begin())
	if p.collect(ctx) != nil {
		return false
	}
	if len(p.polled) == 0 {
		return p.commit(ctx) == nil
	}
	switch u.rng.IntN(12) {
	case 0: // nothing has left the process, or some has
		return false
	case 1: // all has, and is not committed
		require.NoError(u.t, p.gs.Client().Flush(ctx))
		return false
	case 2: // it is committed, and the process does not live to know it
		_ = p.commit(ctx)
		return false
	case 3:
		cut.key.Store([]int32{produceKey, endTxnKey, txnOffsetCommitKey}[u.rng.IntN(3)])
		err := p.commit(ctx)
		cut.key.Store(-1)
		return err == nil
	case 4:
		return p.abort(ctx) != nil
	}
	return p.commit(ctx) == nil
}

// Two processes share the input under either protocol; one joins late, one leaves.
func TestRepartitionShares(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const partitions = 6
			u := newUnkeyed(t, partitions, 7)
			u.cfg.GroupProtocol = protocol
			a, b := u.stage("a"), u.stage("b")
			u.feed(partitions, 300)
			stop := u.run(a)
			u.drained()
			u.run(b)
			require.Eventually(t, func() bool {
				u.feed(partitions, 30)
				return b.Stats().Records > 0
			}, 60*time.Second, 20*time.Millisecond, "b was given nothing")
			u.drained()
			if protocol == classicProtocol { // of the other, the imitation keeps the place of who has left for ever
				stop()
			}
			u.feed(partitions, 300)
			u.drained()
			u.check()
			require.Equal(t, uint64(len(u.sent)), a.Stats().Records+b.Stats().Records)
			require.Positive(t, a.Stats().Commits)
		})
	}
}

// With start: latest the stage begins at one end once and for all: what comes
// while it is dead is not left out.
func TestRepartitionFromLatest(t *testing.T) {
	u := newUnkeyed(t, 2, 3)
	u.cfg.Start = "latest"
	u.feed(2, 50)
	u.sent = map[string]*kgo.Record{}
	r := u.stage("0")
	p, err := r.open(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.transaction(t.Context()) == nil && u.passed() }, 30*time.Second, time.Millisecond)
	p.close()
	u.feed(2, 50)
	u.run(r)
	u.drained()
	u.check()
}

// Partitions that the input gets later are passed on from their first record, also
// where the stage began at the end.
func TestRepartitionOfAnInputThatGrows(t *testing.T) {
	for _, start := range []string{"earliest", "latest"} {
		t.Run(start, func(t *testing.T) {
			u := newUnkeyed(t, 2, 8)
			u.cfg.Start = start
			r := u.stage("0")
			stop := u.run(r)
			u.drained()
			u.feed(2, 50)
			u.drained()
			stop()
			_, err := u.adm.UpdatePartitions(t.Context(), 5, "events")
			require.NoError(t, err)
			u.connect() // a client that knows of them
			u.feed(5, 100)
			u.run(u.stage("0"))
			u.drained()
			u.check()
		})
	}
}

// Of those who begin at once, whoever has partition 0 says where, and the others wait
// for it: what comes from then on is passed on, whoever gets the partition.
func TestRepartitionBeginsOnce(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const partitions = 6
			u := newUnkeyed(t, partitions, 9)
			u.cfg.Start, u.cfg.GroupProtocol = "latest", protocol
			u.feed(partitions, 100)
			u.sent = map[string]*kgo.Record{}
			a, b, c := u.stage("a"), u.stage("b"), u.stage("c")
			require.NoError(t, a.Prepare(t.Context()))
			begins := func(within time.Duration) (int64, error) {
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				fresh := map[int32]int64{5: 0}
				err := (&passage{r: b}).starts(ctx, fresh)
				return fresh[5], err
			}
			_, err := begins(50 * time.Millisecond)
			require.ErrorIs(t, err, context.DeadlineExceeded, "nobody has said where")

			u.run(a)
			u.run(b)
			u.run(c)
			u.drained()
			said, err := begins(10 * time.Second)
			require.NoError(t, err)
			offsets, err := a.offsets(t.Context())
			require.NoError(t, err)
			require.Len(t, offsets, partitions)
			require.Equal(t, offsets[5], said)
			u.feed(partitions, 300)
			u.drained()
			u.check()
		})
	}
}

// A stage that has nothing to do holds nobody up, and what comes then passes.
func TestRepartitionOfNothing(t *testing.T) {
	u := newUnkeyed(t, 2, 6)
	u.feed(2, 20)
	p, err := u.stage("0").open(t.Context())
	require.NoError(t, err)
	defer p.close()
	pass := func() bool { return p.transaction(t.Context()) == nil && u.passed() }
	require.Eventually(t, pass, 30*time.Second, time.Millisecond)
	began := time.Now()
	for range 10 {
		require.NoError(t, p.transaction(t.Context()))
	}
	require.Less(t, time.Since(began), 2*time.Second, "transactions of nothing were held up")
	u.feed(2, 20)
	require.Eventually(t, pass, 30*time.Second, time.Millisecond)
	u.check()
}

// The lag is that of the input; it is 0 when all is passed on, or what is left are
// control records.
func TestRepartitionLag(t *testing.T) {
	u := newUnkeyed(t, 2, 4)
	u.feed(2, 100)
	r := u.stage("0")
	p, err := r.open(t.Context())
	require.NoError(t, err)
	defer p.close()
	require.Eventually(t, func() bool { return len(p.held()) == 2 }, 30*time.Second, time.Millisecond)
	lag := func(came int) int64 {
		p.lagAt = time.Time{}
		p.observeLag(t.Context(), came)
		return r.Stats().Lag
	}
	require.EqualValues(t, 100, lag(1))
	p.heard = time.Now().Add(-time.Hour)
	require.Zero(t, lag(0))
	require.Eventually(t, func() bool { return p.transaction(t.Context()) == nil && r.Stats().Records > 0 }, 30*time.Second, time.Millisecond)
	require.EqualValues(t, 100-r.Stats().Records, lag(1))
	require.Eventually(t, func() bool { return p.transaction(t.Context()) == nil && u.passed() }, 30*time.Second, time.Millisecond)
	require.Zero(t, lag(1))
}

// A decoder that fails for another reason than the record ends the session: the
// record is not passed by.
func TestRepartitionDecoderFails(t *testing.T) {
	u := newUnkeyed(t, 1, 5)
	u.feed(1, 5)
	r := u.stage("0")
	r.dec = broken{r.dec}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.ErrorIs(t, r.session(ctx), errBroken)
	require.Zero(t, r.Stats().Records)
}

type broken struct{ pipeline.Decoder }

var errBroken = errors.New("broken")

func (broken) Decode([]byte, *event.Event) error { return errBroken }
