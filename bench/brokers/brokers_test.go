//go:build realkafka

package brokers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const topic = "words"

// patience is for a busy machine; nothing here waits so long on another.
const patience = 2 * time.Minute

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func started(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	began := time.Now()
	c, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	t.Logf("%d brokers of Kafka %s in %s", cfg.Nodes, Version, time.Since(began).Round(time.Millisecond))
	require.NoError(t, c.CreateTopic(within(t), topic, 2, nil))
	return c
}

// writer produces numbered records to both partitions, one batch at a time.
type writer struct {
	t  *testing.T
	cl *kgo.Client
	n  int
}

func newWriter(t *testing.T, c *Cluster) *writer {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DialTimeout(2*time.Second), kgo.RequestTimeoutOverhead(3*time.Second))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &writer{t: t, cl: cl}
}

func (w *writer) write(n int) {
	w.t.Helper()
	var recs []*kgo.Record
	for range n {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(w.n % 2), Value: fmt.Append(nil, w.n)})
		w.n++
	}
	require.NoError(w.t, w.cl.ProduceSync(within(w.t), recs...).FirstErr())
}

// hasAll reads all that was written, in order and once.
func (w *writer) hasAll(c *Cluster) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(w.t, err)
	defer cl.Close()
	next, ctx := [2]int{0, 1}, within(w.t)
	for got := 0; got < w.n; {
		fs := cl.PollFetches(ctx)
		require.NoError(w.t, ctx.Err(), "%d of %d records", got, w.n)
		fs.EachRecord(func(r *kgo.Record) {
			require.Equal(w.t, fmt.Sprint(next[r.Partition]), string(r.Value))
			next[r.Partition] += 2
			got++
		})
	}
}

func restarted(t *testing.T, c *Cluster, i int) {
	t.Helper()
	require.NoError(t, c.Restart(i))
	require.NoError(t, c.Ready(within(t)))
	require.NoError(t, c.InSync(within(t)))
}

// Acknowledged records live through the death, the pause and the orderly end of
// the broker that leads their partition.
func TestThreeBrokers(t *testing.T) {
	c := started(t, Config{Nodes: 3, MaxLife: 10 * time.Minute})
	ctx := t.Context()
	level, err := c.Feature(ctx, "transaction.version")
	require.NoError(t, err)
	require.Equal(t, 2, level)
	m, err := c.Admin().Metadata(ctx, topic)
	require.NoError(t, err)
	require.Len(t, m.Topics[topic].Partitions[0].Replicas, 3)
	about, err := c.Admin().DescribeTopicConfigs(ctx, topic)
	require.NoError(t, err)
	on, err := about.On(topic, nil)
	require.NoError(t, err)
	require.Equal(t, "2", settingOf(on, "min.insync.replicas"))

	w := newWriter(t, c)
	w.write(1000)
	leader := func() int {
		i, err := c.Leader(within(t), topic, 0)
		require.NoError(t, err)
		return i
	}
	moved := func(from int) {
		t.Helper()
		require.NotEqual(t, from, leader(), "nobody took over, and yet a record was acknowledged")
	}

	i := leader()
	c.Kill(i)
	require.False(t, c.Alive(i))
	w.write(1000)
	moved(i)
	restarted(t, c, i)
	require.True(t, c.Alive(i))
	w.hasAll(c)

	i = leader()
	require.NoError(t, c.Pause(i))
	require.True(t, c.Alive(i))
	w.write(1000)
	moved(i)
	require.NoError(t, c.Resume(i))
	require.NoError(t, c.Ready(within(t)))
	require.NoError(t, c.InSync(within(t)))
	w.hasAll(c)

	i, err = c.Controller(ctx)
	require.NoError(t, err)
	require.NoError(t, c.Pause(i))
	require.NoError(t, c.Stop(i), "a paused broker is resumed to be stopped")
	require.False(t, c.Alive(i))
	w.write(1000)
	restarted(t, c, i)
	w.hasAll(c)

	i, err = c.GroupCoordinator(within(t), "readers")
	require.NoError(t, err)
	offs := kadm.Offsets{}
	offs.AddOffset(topic, 1, 7, -1)
	require.NoError(t, c.Admin().CommitAllOffsets(within(t), "readers", offs))
	c.Kill(i)
	require.Eventually(t, func() bool {
		at, err := c.Committed(ctx, "readers", topic)
		return err == nil && at[1] == 7
	}, patience, pollEvery, "the group's offsets are with another coordinator")
	restarted(t, c, i)

	i, err = c.TxnCoordinator(within(t), "somebody")
	require.NoError(t, err)
	c.Kill(i)
	require.Eventually(t, func() bool {
		to, err := c.TxnCoordinator(ctx, "somebody")
		return err == nil && to != i
	}, patience, pollEvery, "the coordinator of transactions moved")
	restarted(t, c, i)
}

func settingOf(c kadm.ResourceConfig, key string) string {
	for _, s := range c.Configs {
		if s.Key == key {
			return s.MaybeValue()
		}
	}
	return ""
}

// One broker keeps its data and its port over restarts; one that ends by itself
// says why; after Close there is neither process nor folder.
func TestOneBroker(t *testing.T) {
	c := started(t, Config{Nodes: 1, Settings: map[string]string{"num.partitions": "3"}})
	w := newWriter(t, c)
	w.write(100)
	addr := c.Addr(0)
	require.Error(t, c.Restart(0), "it runs already")
	require.NoError(t, c.Stop(0))
	restarted(t, c, 0)
	require.Equal(t, addr, c.Addr(0))
	w.write(100)
	c.Kill(0)
	require.Error(t, c.Pause(0), "it does not run")
	restarted(t, c, 0)
	require.Equal(t, []string{addr}, c.Addrs())
	w.hasAll(c)
	require.NoError(t, c.CreateTopic(within(t), "three", -1, nil))
	m, err := c.Admin().Metadata(within(t), "three")
	require.NoError(t, err)
	require.Len(t, m.Topics["three"].Partitions, 3)

	c.Kill(0)
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, c.Restart(0))
	err = c.Ready(within(t))
	require.ErrorIs(t, err, errEnded)
	require.ErrorContains(t, err, "Address already in use", "the end of its log")

	dir := c.dir
	require.NoError(t, c.Close())
	require.NoDirExists(t, dir)
	require.ErrorIs(t, c.Restart(0), errOver)
}

// A life that is over takes the brokers with it.
func TestMaxLife(t *testing.T) {
	c := started(t, Config{Nodes: 1})
	c.life.Reset(time.Millisecond)
	require.Eventually(t, func() bool { return !c.Alive(0) }, patience, pollEvery)
	require.ErrorIs(t, c.Ready(within(t)), errOver)
	require.ErrorIs(t, c.Restart(0), errOver)
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, err := Start(t.Context(), Config{Nodes: 2})
	require.ErrorContains(t, err, "1 or 3")
	_, err = Start(t.Context(), Config{Nodes: 1, Dir: ".", Heap: "256m"})
	require.ErrorContains(t, err, "is not empty")
	_, err = Start(t.Context(), Config{Nodes: 1, Settings: map[string]string{"broker.session.timeout.ms": "soon"}})
	require.ErrorContains(t, err, "broker.session.timeout.ms")

	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", binFolder(t, "java"))
	_, err = Start(t.Context(), Config{Nodes: 1})
	require.ErrorContains(t, err, "install Apache Maven")
	t.Setenv("PATH", t.TempDir())
	_, err = Start(t.Context(), Config{Nodes: 1})
	require.ErrorContains(t, err, "install a Java runtime")
	require.False(t, strings.Contains(err.Error(), "Maven"))
}

// binFolder holds one program of the PATH and no other.
func binFolder(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(path, filepath.Join(dir, name)))
	return dir
}
