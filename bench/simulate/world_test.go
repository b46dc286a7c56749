//go:build synctests

package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

const (
	app   = "app"
	topic = "events"
)

// scenario is what a seed says of its world, beside the faults.
type scenario struct {
	instances  int
	partitions int32
	brokers    int
	live       bool // the live clock, with time that goes on after the last event
	standbys   int
	protocol   string
	events     int
	trouble    time.Duration // so long there are faults
	interval   time.Duration // between commits
	most       int           // records of a transaction
}

// world is one run.
type world struct {
	t    *testing.T
	seed uint64
	scenario
	input *input
	log   *slog.Logger

	net     kfake.VirtualNetwork
	cluster *kfake.Cluster
	plain   *kgo.Client // of nobody's process: no fault is for it
	adm     *kadm.Client
	all     []*instance
	corpses sync.WaitGroup
	planted *planted

	mu        sync.Mutex
	rng       *rand.Rand
	luck      map[string]*rand.Rand // each fault's own: its occasions come in any order
	rates     map[string]int        // of a fault, in 1/10000 at each occasion
	calm      bool                  // no fault any more
	fired     map[string]int
	ahead     time.Duration   // of the processes' wall clock before the bubble's
	ends      map[int32]int64 // of the input so far
	fatal     []string        // what a process gave up with
	downUntil time.Time       // no process starts before
}

// newWorld makes up a scenario and the rates of its faults.
func newWorld(t *testing.T, seed uint64, log *slog.Logger) *world {
	w := &world{
		t: t, seed: seed, log: log, rng: rand.New(rand.NewPCG(seed, 1)), luck: map[string]*rand.Rand{}, rates: map[string]int{},
		fired: map[string]int{}, ends: map[int32]int64{}, planted: &planted{},
	}
	r := w.rng
	w.scenario = scenario{
		instances: 1 + r.IntN(3), partitions: int32(2 + r.IntN(3)), brokers: 1 + r.IntN(2), live: r.IntN(2) == 0,
		standbys: r.IntN(4) / 3, protocol: "classic", events: 60 + r.IntN(120),
		trouble: time.Duration(3+r.IntN(12)) * time.Second, interval: time.Duration(50+r.IntN(250)) * time.Millisecond, most: 10 + r.IntN(60),
	}
	if r.IntN(8) == 0 {
		w.protocol = "consumer"
	}
	w.input = newInput(rand.New(rand.NewPCG(seed, 0)), w.events, 8, w.partitions)
	return w
}

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// seldom are faults with few occasions, and how much more often they happen at one.
var seldom = map[string]int{"state deleted": 25, "state of before": 25, "down for long": 10, "answer to the end lost": 4}

// fault says whether the named one happens now. Each is in a third of the worlds,
// and there more or less often.
func (w *world) fault(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm {
		return false
	}
	luck, ok := w.luck[name]
	if !ok {
		luck = rand.New(rand.NewPCG(w.seed, event.Hash(name)))
		w.luck[name] = luck
		if luck.IntN(3) == 0 {
			w.rates[name] = (20 + luck.IntN(200)) * max(1, seldom[name])
		}
		w.rates[name] = w.planted.rate(name, w.rates[name])
	}
	if rate := w.rates[name]; rate == 0 || luck.IntN(10_000) >= rate {
		return false
	}
	w.fired[name]++
	return true
}

// count counts what is worth knowing of.
func (w *world) count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fired[name]++
}

// long is a time that may outlast a session or a transaction.
func (w *world) long() time.Duration { return time.Duration(2_000+w.intN(18_000)) * time.Millisecond }

// now is the processes' wall clock.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// until is the live clock's end.
func (w *world) until() int64 {
	if !w.live {
		return 0
	}
	return bubbleStart.Add(25 * 24 * time.Hour).UnixMilli()
}

// config is that of the core. Nothing that is said may hang on others but through
// what is counted, and nothing is learned, for that hangs on when.
func (w *world) config() pipeline.Config {
	cfg := pipeline.Config{
		Ledger: ledger.DefaultConfig(), Score: score.DefaultConfig(), Basket: basket.DefaultConfig(),
		NextBest: nextbest.DefaultConfig(), Zone: time.UTC, Topic: topic, Late: pipeline.ApplyLate, Clock: pipeline.EventClock,
		ClockLag: 24 * time.Hour, FutureSkew: time.Hour, LeastLog: 2_000,
	}
	if w.live {
		cfg.Clock = pipeline.LiveClock
	}
	cfg.Score.Learn.Sample = 0
	cfg.Score.Offers = 0
	cfg.Score.RFM.Cuts = "fixed"
	cfg.Score.RFM.Fixed.Recency = []float64{5, 10, 20, 40}
	cfg.Score.RFM.Fixed.Frequency = []float64{1, 2, 4, 8}
	cfg.Score.RFM.Fixed.Monetary = []float64{50, 100, 200, 400}
	return cfg
}

// kafkaConfig is that of an instance.
func (w *world) kafkaConfig(instance string) kafka.Config {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Topic, cfg.Instance = w.cluster.ListenAddrs(), topic, instance
	cfg.SessionTimeout, cfg.TxnTimeout = 6*time.Second, 10*time.Second
	cfg.GroupProtocol, cfg.Standbys, cfg.Replication = w.protocol, w.standbys, 1
	return cfg
}

// open starts the brokers.
func (w *world) open() {
	ports := make([]int, w.brokers)
	for i := range ports {
		ports[i] = 9000 + i
	}
	var err error
	w.cluster, err = kfake.NewCluster(kfake.NumBrokers(w.brokers), kfake.Ports(ports...), kfake.ListenFn(w.net.Listen),
		kfake.SeedTopics(w.partitions, topic), kfake.SleepOutOfOrder(), kfake.BrokerConfigs(map[string]string{
			"group.consumer.session.timeout.ms": "6000", "group.consumer.heartbeat.interval.ms": "1000",
		}))
	require.NoError(w.t, err)
	w.plain, err = kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(newLine(w, nil).dial),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	require.NoError(w.t, err)
	w.adm = kadm.NewClient(w.plain)
}

// feed writes the input: at once where the clock is live, for it would go on where
// more is to come; else bit by bit.
func (w *world) feed(ctx context.Context) {
	rs := w.input.records
	for len(rs) > 0 && ctx.Err() == nil {
		n := len(rs)
		if !w.live {
			n = min(n, 1+w.intN(20))
		}
		var out []*kgo.Record
		for _, r := range rs[:n] {
			out = append(out, &kgo.Record{Topic: topic, Partition: r.partition, Key: []byte(r.key), Value: r.value})
		}
		require.NoError(w.t, w.plain.ProduceSync(ctx, out...).FirstErr(), "the input")
		w.mu.Lock()
		for _, r := range rs[:n] {
			w.ends[r.partition]++
		}
		w.mu.Unlock()
		if rs = rs[n:]; len(rs) > 0 {
			time.Sleep(w.trouble * time.Duration(n) / time.Duration(len(w.input.records)))
		}
	}
}

// run lets the world go through its trouble, and come to rest.
func (w *world) run() *outcome {
	w.open()
	defer func() {
		w.plain.Close()
		w.cluster.Close()
	}()
	if w.live {
		w.feed(context.Background())
	}
	var running sync.WaitGroup
	for i := range w.instances {
		in := newInstance(w, fmt.Sprint(i))
		w.all = append(w.all, in)
		running.Go(in.run)
	}
	ctx, cancel := context.WithTimeout(context.Background(), w.trouble)
	var beside sync.WaitGroup
	beside.Go(func() { w.trouble1(ctx) })
	if !w.live {
		w.feed(context.Background())
	}
	beside.Wait()
	cancel()
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	stuck := w.settle()
	for _, in := range w.all {
		close(in.over)
	}
	running.Wait()
	w.corpses.Wait()
	defer time.Sleep(time.Minute) // in which clients that were closed end what they were at
	return w.outcome(stuck)
}
