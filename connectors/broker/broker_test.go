package broker_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/broker"
)

func start(t *testing.T, c broker.Config) *broker.Broker {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	b, err := broker.Start(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func client(t *testing.T, b *broker.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addrs()...))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// Records, topics and their configuration outlive the process.
func TestReopen(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	dir := t.TempDir()
	topics := broker.Topics("shop", "events", 3, time.Hour)

	b := start(t, broker.Config{Dir: dir})
	require.NoError(t, b.CreateTopics(ctx, topics...))
	require.NoError(t, b.CreateTopics(ctx, topics...), "again: they exist")
	p := client(t, b)
	for i := range 100 {
		p.Produce(ctx, &kgo.Record{Topic: "events", Key: []byte{byte(i)}, Value: []byte(strconv.Itoa(i))}, nil)
	}
	require.NoError(t, p.Flush(ctx))
	require.NoError(t, b.Close())
	require.NoError(t, b.Close(), "closing twice is closing once")

	b = start(t, broker.Config{Dir: dir})
	c := client(t, b, kgo.ConsumeTopics("events"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]bool{}
	for len(seen) < 100 {
		fetches := c.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
	}
	cfgs, err := kadm.NewClient(c).DescribeTopicConfigs(ctx, "events", "shop.scores", "shop.changelog")
	require.NoError(t, err)
	want := map[string][2]string{
		"events":         {"cleanup.policy", "delete"},
		"shop.scores":    {"cleanup.policy", "compact"},
		"shop.changelog": {"cleanup.policy", "compact"},
	}
	require.Len(t, cfgs, len(want))
	for _, r := range cfgs {
		got := map[string]string{}
		for _, kv := range r.Configs {
			got[kv.Key] = kv.MaybeValue()
		}
		require.Equal(t, want[r.Name][1], got[want[r.Name][0]], r.Name)
		if r.Name == "events" {
			require.Equal(t, "3600000", got["retention.ms"])
		}
	}
}

func TestPartitionsDiffer(t *testing.T) {
	b := start(t, broker.Config{})
	ctx := context.Background()
	require.NoError(t, b.CreateTopics(ctx, broker.Topic{Name: "a", Partitions: 2}))
	require.ErrorContains(t, b.CreateTopics(ctx, broker.Topic{Name: "a", Partitions: 4}),
		"broker: topic a: exists with 2 partitions, not 4")
	require.NoError(t, b.CreateTopics(ctx, broker.Topic{Name: "a"}), "no number given: any will do")
}

func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	held := t.TempDir()
	start(t, broker.Config{Dir: held})

	for name, tc := range map[string]struct {
		config broker.Config
		want   string
	}{
		"every interface": {broker.Config{Listen: "0.0.0.0:9092"}, "is not loopback"},
		"no host":         {broker.Config{Listen: ":9092"}, "is not loopback"},
		"other machine":   {broker.Config{Listen: "192.0.2.1:9092"}, "is not loopback"},
		"name":            {broker.Config{Listen: "kafka.example:9092"}, "is not loopback"},
		"no port":         {broker.Config{Listen: "127.0.0.1"}, "want host:port"},
		"bad port":        {broker.Config{Listen: "127.0.0.1:99999"}, "outside 0 to 65535"},
		"port in use":     {broker.Config{Listen: taken.Addr().String()}, "is in use by another process"},
		"directory held":  {broker.Config{Listen: "127.0.0.1:0", Dir: held}, "is in use by another broker"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := broker.Start(tc.config)
			if err == nil {
				require.NoError(t, b.Close())
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// A failed start leaves the directory free.
func TestFailedStartUnlocks(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, err = broker.Start(broker.Config{Dir: dir, Listen: taken.Addr().String()})
	require.Error(t, err)
	require.NoError(t, taken.Close())
	start(t, broker.Config{Dir: dir})
}

func TestLocalhost(t *testing.T) {
	b := start(t, broker.Config{Listen: "localhost:0"})
	host, _, err := net.SplitHostPort(b.Addrs()[0])
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
}
