package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Load is how much a benchmark puts through the broker.
type Load struct {
	Customers  int // each has been seen once before the measured part
	Items      int
	Events     int // measured
	Partitions int32
	Seed       uint64
}

// Fill creates the topic and produces the load: one visit of every customer,
// then the events.
func (l Load) Fill(ctx context.Context, brokers []string, topic string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.MaxBufferedRecords(200_000),
		kgo.ProducerLinger(20*time.Millisecond), kgo.ProducerBatchMaxBytes(900<<10), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, l.Partitions, -1, nil, topic); err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := NewWorkload(l.Customers, l.Items, l.Seed)
	for i := range l.Customers + l.Events {
		r := Record{}
		if i < l.Customers {
			r = w.Visit(i)
		} else {
			r = w.Next()
		}
		bytes := append(append(make([]byte, 0, len(r.Key)+len(r.Value)), r.Key...), r.Value...)
		cl.Produce(ctx, &kgo.Record{Key: bytes[:len(r.Key):len(r.Key)], Value: bytes[len(r.Key):]}, func(_ *kgo.Record, err error) {
			if err != nil {
				cancel(err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// Consume reads the load with a bare client and nothing else, and measures the
// part after the visits. It is the least that any consumer pays.
func (l Load) Consume(ctx context.Context, brokers []string, topic string, pools ...kgo.Pool) (Cost, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(16<<20), kgo.WithPools(pools))
	if err != nil {
		return Cost{}, err
	}
	defer cl.Close()
	var from Usage
	begun := 0
	n := 0
	for n < l.Customers+l.Events {
		if begun == 0 && n >= l.Customers {
			from, begun = Measure(), n
		}
		fs := cl.PollRecords(ctx, 50_000)
		if err := fs.Err(); err != nil {
			return Cost{}, err
		}
		n += fs.NumRecords()
		fs.EachRecord(func(r *kgo.Record) { r.Recycle() })
	}
	c := from.Since()
	c.Events = uint64(n - begun)
	return c, nil
}
