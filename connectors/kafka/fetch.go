package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetcher reads partitions of a topic and always knows up to where.
//
// A consumer of the client's own tells its position by its records alone. Where
// aborted records lie at the end, or right below a transaction that is still open,
// none comes, not even a marker: who waits for a known end would wait until
// something else is written. A fetch by hand says where to go on.
type fetcher struct {
	cl    *kgo.Client
	topic string
	id    kadm.TopicID
	level kgo.IsolationLevel
	size  int32 // bytes that one answer may have, about
}

// fetched is what one fetch gave of a partition.
type fetched struct {
	partition int32
	records   []*kgo.Record // without markers, and without aborted ones if read committed
	next      int64         // where to go on
	end       int64         // the high watermark
}

// newFetcher learns the topic's identity; it has partitions from 0 to n-1.
func newFetcher(ctx context.Context, cl *kgo.Client, topic string, level kgo.IsolationLevel, size int32) (f *fetcher, n int, err error) {
	_, d, err := await(ctx, cl, topic)
	if err != nil {
		return nil, 0, err
	}
	return &fetcher{cl: cl, topic: topic, id: d.TopicID, level: level, size: size}, len(d.Partitions), nil
}

// describe asks the broker for a topic as it is now. The admin client's answer may be
// some seconds old, and a topic made since would be missing from it.
func describe(ctx context.Context, cl *kgo.Client, topic string) (*kmsg.MetadataResponse, *kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	req.Topics = append(req.Topics, rt)
	m, err := cl.RequestCachedMetadata(ctx, req, time.Nanosecond)
	if err == nil && len(m.Topics) != 1 {
		err = errors.New("the broker says nothing of it")
	}
	if err == nil {
		err = kerr.ErrorForCode(m.Topics[0].ErrorCode)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("topic %q: %w", topic, err)
	}
	return m, &m.Topics[0], nil
}

// await is describe of a topic that was just made, which not every broker may know
// yet.
func await(ctx context.Context, cl *kgo.Client, topic string) (*kmsg.MetadataResponse, *kmsg.MetadataResponseTopic, error) {
	for {
		m, d, err := describe(ctx, cl, topic)
		if err == nil || !kerr.IsRetriable(err) {
			return m, d, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(sharedRetry):
		}
	}
}

// errRecreated says that a topic is not the one that it was.
var errRecreated = errors.New("was deleted and made anew")

// leaders are the brokers that lead the topic's partitions, and which they lead. An
// error beside them is of partitions that have no leader.
func (f *fetcher) leaders(ctx context.Context) (map[int32][]int32, error) {
	_, d, err := describe(ctx, f.cl, f.topic)
	if err != nil {
		return nil, err
	}
	if d.TopicID != f.id {
		return nil, fmt.Errorf("topic %q %w", f.topic, errRecreated)
	}
	by := map[int32][]int32{}
	for _, p := range d.Partitions {
		if p.Leader < 0 {
			err = errors.Join(err, fmt.Errorf("%s/%d: %w", f.topic, p.Partition, kerr.LeaderNotAvailable))
			continue
		}
		by[p.Leader] = append(by[p.Leader], p.Partition)
	}
	return by, err
}

// fetch asks a broker for what comes from some offsets on, by partition, and lets
// it wait so long for something to come. A partition that the answer leaves out
// has nothing to say. An error is beside what the other partitions gave.
func (f *fetcher) fetch(ctx context.Context, leader int32, from map[int32]int64, wait time.Duration) ([]fetched, error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(wait.Milliseconds()), 1, f.size
	req.SessionEpoch = -1 // of no fetch session: every partition is in the answer
	if f.level == kgo.ReadCommitted() {
		req.IsolationLevel = 1
	}
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = f.topic, f.id
	for p, at := range from {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = p, at, f.size
		t.Partitions = append(t.Partitions, rp)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, f.cl.Broker(int(leader)))
	if err != nil {
		return nil, fmt.Errorf("fetch %s from broker %d: %w", f.topic, leader, err)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetch %s from broker %d: %w", f.topic, leader, err)
	}
	var all []fetched
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			rp := &resp.Topics[i].Partitions[j]
			opts := kgo.ProcessFetchPartitionOpts{
				Offset: from[rp.Partition], IsolationLevel: f.level, Topic: f.topic, Partition: rp.Partition,
			}
			fp, next := kgo.ProcessFetchPartition(opts, rp, kgo.DefaultDecompressor(), nil)
			if fp.Err != nil {
				err = errors.Join(err, fmt.Errorf("fetch %s/%d from offset %d: %w", f.topic, rp.Partition, from[rp.Partition], fp.Err))
				continue
			}
			all = append(all, fetched{partition: rp.Partition, records: fp.Records, next: next, end: fp.HighWatermark})
		}
	}
	return all, err
}
