package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newProduceCommand() *cobra.Command {
	var o produceOptions
	cmd := &cobra.Command{
		Use:   "produce --input FILE",
		Short: "Produce the events of a file to a topic",
		Long: `Produce sends a file's events to Kafka, keyed by customer id, in the order of the
file; records of one customer keep that order. It is idempotent: what the client
repeats after a lost answer is stored once.

JSON lines go as they are, byte for byte; a line that is no event goes without a
key and ends as a dead letter. Other formats are sorted by event time and sent as
native JSON; a line that is no event is counted and left out.`,
		Example: "  dangol produce --input events.jsonl\n  dangol produce --input CDNOW_sample.txt --format cdnow --partitions 12",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.input) == 0 {
				return errors.New("no file given: dangol produce --input FILE")
			}
			if o.rate < 0 || o.partitions < 0 {
				return errors.New("--rate and --partitions must not be negative")
			}
			return produce(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.input, "input", nil, inputUsage)
	f.StringVar(&o.format, "format", jsonFormat, formatUsage())
	f.StringSliceVar(&o.brokers, "brokers", DefaultConfig().Input.Kafka.Brokers, "seed brokers")
	f.StringVar(&o.topic, "topic", DefaultConfig().Input.Kafka.Topic, "topic to produce to")
	f.Int32Var(&o.partitions, "partitions", 0, "create the topic with that many partitions if it does not exist; 0: it must exist")
	f.Float64Var(&o.rate, "rate", 0, "records a second; 0: as fast as it goes")
	return cmd
}

type produceOptions struct {
	input      []string // files, produced as one
	format     string
	brokers    []string
	topic      string
	partitions int32
	rate       float64
}

// outgoing is one record to produce: fresh memory, which the client keeps
// until the broker has answered.
type outgoing struct{ key, value []byte }

// source yields a file's records in order, io.EOF at the end.
type source interface {
	next() (outgoing, error)
	// report says what was met on the way, in words; "" for nothing special.
	report() string
	io.Closer
}

// maxBuffered records may wait for the broker.
const maxBuffered = 50_000

func produce(ctx context.Context, o *produceOptions, out, errOut io.Writer) (err error) {
	bar := newProgress(errOut)
	defer bar.close()
	src, err := openSources(o.input, o.format, bar)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(o.brokers...),
		kgo.DefaultProduceTopic(o.topic),
		kgo.MaxBufferedRecords(maxBuffered),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.RecordDeliveryTimeout(time.Minute),
	)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	if err := prepareTopic(ctx, client, o); err != nil {
		return err
	}
	began := time.Now()
	sent, err := send(ctx, client, src, o.rate)
	if err != nil {
		return fmt.Errorf("%d records produced to %s, then: %w", sent, o.topic, err)
	}
	took := time.Since(began)
	bar.close()
	_, err = fmt.Fprintf(out, "%d records produced to %s in %s (%.0f/s)%s\n", sent, o.topic,
		took.Round(time.Millisecond), float64(sent)/max(took.Seconds(), .001), src.report())
	return err
}

// send produces everything that src holds and returns how many records are
// stored. The first record that the broker refuses ends it.
func send(ctx context.Context, client *kgo.Client, src source, rate float64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var stored atomic.Int64
	answer := func(_ *kgo.Record, err error) {
		if err != nil {
			cancel(err) // the first cause stays
			return
		}
		stored.Add(1)
	}
	pace := pace{began: time.Now(), rate: rate}
	for n := 0; ctx.Err() == nil; n++ {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return stored.Load(), errors.Join(err, client.Flush(ctx))
		}
		if !pace.wait(ctx, n) {
			break
		}
		client.Produce(ctx, &kgo.Record{Key: r.key, Value: r.value}, answer)
	}
	err := client.Flush(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return stored.Load(), err
}

// prepareTopic finds the topic, or creates it when it may.
func prepareTopic(ctx context.Context, client *kgo.Client, o *produceOptions) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("no broker answers at %s: start one (dangol broker) or name another with --brokers: %w", strings.Join(o.brokers, ", "), err)
	}
	admin := kadm.NewClient(client)
	if o.partitions > 0 {
		_, err := admin.CreateTopic(ctx, o.partitions, -1, nil, o.topic)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", o.topic, err)
		}
	}
	topics, err := admin.ListTopics(ctx, o.topic)
	if err != nil {
		return fmt.Errorf("topic %s: %w", o.topic, err)
	}
	have := len(topics[o.topic].Partitions)
	if err := topics[o.topic].Err; err != nil || have == 0 {
		return fmt.Errorf("topic %s does not exist: create it with --partitions N", o.topic)
	}
	if o.partitions > 0 && have != int(o.partitions) {
		return fmt.Errorf("topic %s has %d partitions, not %d: leave --partitions out to use it as it is", o.topic, have, o.partitions)
	}
	return nil
}

// pace holds a loop to so many rounds a second, on average since it began.
type pace struct {
	began time.Time
	rate  float64 // 0: no limit
}

// wait returns when the round n is due, or false when ctx ended before. It
// waits in steps of a few milliseconds, not between every two rounds.
func (p *pace) wait(ctx context.Context, n int) bool {
	if p.rate <= 0 {
		return true
	}
	early := time.Duration(float64(n)/p.rate*float64(time.Second)) - time.Since(p.began)
	if early < 5*time.Millisecond {
		return true
	}
	timer := time.NewTimer(early)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
