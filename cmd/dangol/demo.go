package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/broker"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

type demoOptions struct {
	seconds       float64
	rate          float64
	shop          shop.Config
	input, format string
	data          string
	kafka, http   string
	partitions    int32
}

func newDemoCommand() *cobra.Command {
	o := demoOptions{shop: shop.DefaultConfig()}
	o.shop.Customers = 1000
	// At the default rate a minute is nearly a year of the shop's time.
	o.shop.Stop = 120 * 24 * time.Hour
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch it work: a broker, a shop and the engine in one process",
		Long: `Demo starts an embedded Kafka broker, a simulated shop whose days pass in a fraction
of a second, the engine and its API, and shows what changes. It needs no
configuration and leaves nothing behind unless --data names a directory.

Time is the shop's: it moves with its events, so that what changes by itself, because
nothing happened, is seen in a minute.`,
		Example: "  dangol demo --seconds 60\n  dangol demo --input CDNOW_sample.txt --format cdnow",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rate <= 0 || o.seconds < 0 || o.shop.Customers < 1 || o.partitions < 1 {
				return errors.New("--rate, --customers and --partitions must be above 0, --seconds not below")
			}
			return demo(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.seconds, "seconds", 0, "end after so long; 0: when stopped, or when the --input file is through")
	f.Float64Var(&o.rate, "rate", 10_000, "events a second")
	f.IntVar(&o.shop.Customers, "customers", o.shop.Customers, "the shop's customers at any one time")
	f.Uint64Var(&o.shop.Seed, "seed", o.shop.Seed, "another seed is another shop")
	f.StringVar(&o.input, "input", "", "feed this `FILE` through the broker instead of a shop")
	f.StringVar(&o.format, "format", jsonFormat, formatUsage())
	f.StringVar(&o.data, "data", "", "keep broker and state in this `directory` (default: a temporary one, removed at the end)")
	f.StringVar(&o.kafka, "kafka-listen", "127.0.0.1:0", "loopback `address` of the broker; port 0: a free one")
	f.StringVar(&o.http, "http-listen", "127.0.0.1:0", "`address` of the API; port 0: a free one")
	f.Int32Var(&o.partitions, "partitions", 4, "partitions of the topics")
	return cmd
}

func demo(ctx context.Context, o *demoOptions, out, errOut io.Writer) (err error) {
	// Three years back, so that a long demo does not run into the present,
	// where events of the future would be refused.
	o.shop.Start = time.Now().AddDate(-3, 0, 0).Truncate(24 * time.Hour).UnixMilli()
	dir := o.data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "dangol-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	b, err := broker.Start(broker.Config{Dir: filepath.Join(dir, "broker"), Listen: o.kafka, Partitions: o.partitions})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	cfg, err := demoConfig(o, dir, b.Addrs())
	if err != nil {
		return err
	}
	if err := b.CreateTopics(ctx, broker.Topic{Name: cfg.Input.Kafka.Topic}); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	e, err := newEngine(cfg, log)
	if err != nil {
		return err
	}
	return runDemo(ctx, o, e, out)
}

// demoHalfLife is short enough for a habit to be forgotten while somebody looks.
const demoHalfLife = 60 * 24 * time.Hour

// demoConfig is the default configuration on this process's broker, with time
// moved by the events.
func demoConfig(o *demoOptions, dir string, brokers []string) (*Config, error) {
	cfg := DefaultConfig()
	cfg.Input.Kafka.Brokers = brokers
	cfg.Clock = pipeline.EventClock
	cfg.State.Dir = filepath.Join(dir, "state")
	cfg.HTTP.Listen = o.http
	if o.input == "" {
		cfg.Basket.HalfLife = demoHalfLife
	}
	return &cfg, cfg.Validate()
}

// runDemo lets feed, engine and display work side by side.
func runDemo(ctx context.Context, o *demoOptions, e *engine, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.run(gctx) })

	var sent atomic.Int64
	fctx, stopFeed := context.WithCancel(gctx)
	defer stopFeed()
	fed := make(chan error, 1)
	go func() { fed <- feed(fctx, o, e.cfg, &sent) }()
	w, err := watch(gctx, e.cfg)
	if err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	s := &screen{out: out, engine: e, watch: w, sent: &sent, began: time.Now()}
	if o.input == "" {
		s.habits = newPlanted(&o.shop, e.cfg.Basket.HalfLife, e.core)
	}
	s.open(o)
	var feedErr error
	s.until(gctx, o.seconds, fed, &feedErr)
	stopFeed()
	s.drain(gctx)
	s.summary()
	stop()
	return errors.Join(feedErr, group.Wait())
}

// feed produces the shop's events, or the file's, at the rate asked for.
func feed(ctx context.Context, o *demoOptions, cfg *Config, sent *atomic.Int64) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Input.Kafka.Brokers...), kgo.DefaultProduceTopic(cfg.Input.Kafka.Topic),
		kgo.MaxBufferedRecords(maxBuffered), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	src, err := demoSource(o)
	if err != nil {
		return err
	}
	defer src.Close()
	p := pace{began: time.Now(), rate: o.rate}
	for n := 0; p.wait(ctx, n); n++ {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		cl.Produce(ctx, &kgo.Record{Key: r.key, Value: r.value}, func(_ *kgo.Record, err error) {
			if err == nil {
				sent.Add(1)
			}
		})
	}
	fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return cl.Flush(fctx)
}

func demoSource(o *demoOptions) (source, error) {
	if o.input != "" {
		return openSource(o.input, o.format, nil)
	}
	return &shopSource{shop.New(o.shop)}, nil
}

// shopSource is a shop that never closes.
type shopSource struct{ shop *shop.Shop }

func (s *shopSource) next() (outgoing, error) {
	r := s.shop.Next()
	if r.Arrival > time.Now().UnixMilli() {
		return outgoing{}, io.EOF // the shop's time has come to the present
	}
	return outgoing{key: []byte(r.Customer), value: append([]byte(nil), r.Value...)}, nil
}

func (s *shopSource) report() string { return "" }
func (s *shopSource) Close() error   { return nil }

// topics are what the engine writes, for the screen.
func topics(cfg *Config) []string {
	var ts []string
	for _, t := range []pipeline.Topic{pipeline.Changes, pipeline.Scores, pipeline.DeadLetters} {
		ts = append(ts, kafka.TopicName(cfg.AppID, t))
	}
	return ts
}

func addresses(e *engine, w io.Writer) {
	fmt.Fprintf(w, "  API     http://%s\n  Kafka   %s: %s → %v\n", e.server.Addr(), e.cfg.Input.Kafka.Brokers[0], e.cfg.Input.Kafka.Topic, topics(e.cfg))
}
