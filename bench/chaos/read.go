package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/chaos/oracle"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// compared are the engine's topics that are.
var compared = []pipeline.Topic{pipeline.Changes, pipeline.Scores, pipeline.DeadLetters, pipeline.Changelog}

func (w *world) endsOf(ctx context.Context, topic string) (map[int32]int64, error) {
	return w.listed(ctx, w.adm.ListEndOffsets, topic)
}

func (w *world) listed(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topic string) (map[int32]int64, error) {
	offs, err := list(ctx, topic)
	if err == nil {
		err = offs.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", topic, err)
	}
	ends := map[int32]int64{}
	offs.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// growth is how far the compared topics go.
func (w *world) growth(ctx context.Context) ([]int64, error) {
	var all []int64
	for _, t := range compared {
		ends, err := w.endsOf(ctx, kafka.TopicName(appID, t))
		if err != nil {
			return nil, err
		}
		sum := int64(0)
		for _, n := range ends {
			sum += n
		}
		all = append(all, sum)
	}
	return all, nil
}

// closed waits until no transaction is open in a topic.
func (w *world) closed(ctx context.Context, topic string) error {
	for {
		ends, err := w.endsOf(ctx, topic)
		if err != nil {
			return err
		}
		stable, err := w.listed(ctx, w.adm.ListCommittedOffsets, topic)
		if err != nil {
			return err
		}
		open := false
		for p, end := range ends {
			open = open || stable[p] < end
		}
		if !open {
			return nil
		}
		if pause(ctx, drainEvery); ctx.Err() != nil {
			return fmt.Errorf("a transaction is still open in %s: stable up to %v, ends %v: %w", topic, stable, ends, ctx.Err())
		}
	}
}

const closedMost = 2 * time.Minute

// read hands out a topic's committed records, partition by partition in their
// order.
func (w *world) read(ctx context.Context, topic string, fn func(*oracle.Record) error) error {
	wait, cancel := context.WithTimeout(ctx, closedMost)
	defer cancel()
	if err := w.closed(wait, topic); err != nil {
		return err
	}
	ends, err := w.endsOf(ctx, topic)
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.Addrs()...), kgo.ConsumeTopics(topic), kgo.ClientID("chaos-reader"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	left := map[int32]int64{}
	for p, end := range ends {
		if end > 0 {
			left[p] = end
		}
	}
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s, still to go %v: %w", topic, left, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if err == nil && !r.Attrs.IsControl() {
				err = fn(recordOf(r))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func recordOf(r *kgo.Record) *oracle.Record {
	o := &oracle.Record{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		o.Headers = append(o.Headers, oracle.Header{Key: h.Key, Value: h.Value})
	}
	return o
}
