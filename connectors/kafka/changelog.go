package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// changelog reads the changelog's partitions back, transaction by transaction. What
// was written without transactions is one up to its commit record, see tokened.
//
// It reads uncommitted records and the control records that decide them, and
// resolves the transactions itself, up to a barrier that it writes first. A
// read_committed poll never returns for a tail of control records or aborted
// ones, offsets near the end may hold nothing after a compaction, and a reader
// that cannot tell "the end" from "not yet" either hangs or misses committed
// state.
//
// Each reader has a client of its own, so that partitions that are read side by side
// do not wait for one another.
type changelog struct {
	topic string
	aux   *kgo.Client // writes barriers, asks for bounds
	opts  []kgo.Opt   // of the clients that read
	log   *slog.Logger
	token []byte                          // of the session: what its barriers say
	fence func(ctx context.Context) error // ends what the dead have left open; nil: that is waited for

	mu   sync.Mutex
	ends map[int32]int64 // offset after what the session has read or written, by partition
}

func (c *changelog) end(p int32) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ends[p]
}

func (c *changelog) endsAt(p int32, end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = map[int32]int64{}
	}
	c.ends[p] = end
}

const (
	readBytes  = 16 << 20 // of one fetch
	batchBytes = 64 << 20 // of one batch, decompressed
)

// barrierKey is the key of barriers; each compacts the one before away. The value is
// the token of the session that goes on from there.
var barrierKey = []byte{'b'}

// Read implements pipeline.ChangelogReader.
func (c *changelog) Read(ctx context.Context, partition int32, from int64, fn func(recs []pipeline.LogRecord, upTo int64) error) (int64, error) {
	barrier, err := c.barrier(ctx, partition)
	if err != nil {
		return 0, err
	}
	cl, err := c.open(ctx, partition, from, barrier)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	upTo := barrier + 1
	r := newReplay(from, upTo, func(recs []pipeline.LogRecord) error { return fn(recs, upTo) })
	r.log = c.log.With("topic", c.topic, "partition", partition)
	r.fence = c.fence
	end, err := r.run(ctx, cl)
	if err == nil {
		c.endsAt(partition, end)
	}
	return end, err
}

// Follow implements pipeline.ChangelogReader.
func (c *changelog) Follow(ctx context.Context, partition int32, from int64, fn func([]pipeline.LogRecord) error) error {
	ends, err := kadm.NewClient(c.aux).ListEndOffsets(ctx, c.topic)
	end, err := offsetOf(ends, err, c.topic, partition)
	if err != nil {
		return err
	}
	cl, err := c.open(ctx, partition, from, end)
	if err != nil {
		return err
	}
	defer cl.Close()
	_, err = newReplay(from, math.MaxInt64, fn).run(ctx, cl)
	return err
}

// open returns a client that reads a partition with all that is in it, from the
// record before an offset on, which may say whose the next ones are: from the start
// of the log, where that lies behind it.
func (c *changelog) open(ctx context.Context, partition int32, from, end int64) (*kgo.Client, error) {
	if from > end {
		return nil, fmt.Errorf("%w: %s/%d ends at offset %d, the local state has read it to %d: the topic lost records, or was made anew; "+
			"move the state directory away to restore from the topic", pipeline.ErrFatal, c.topic, partition, end, from)
	}
	starts, err := kadm.NewClient(c.aux).ListStartOffsets(ctx, c.topic)
	start, err := offsetOf(starts, err, c.topic, partition)
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(append(slices.Clone(c.opts),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.topic: {partition: kgo.NewOffset().At(max(from-1, start))}}),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(readBytes), kgo.FetchMaxPartitionBytes(readBytes), kgo.MaxDecompressBatchBytes(batchBytes),
		kgo.WithPools(NewPools()), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
}

// barrier writes one and returns its offset.
func (c *changelog) barrier(ctx context.Context, partition int32) (int64, error) {
	r := &kgo.Record{Topic: c.topic, Partition: partition, Key: barrierKey, Value: c.token}
	if err := c.aux.ProduceSync(ctx, r).FirstErr(); err != nil {
		return 0, fmt.Errorf("barrier in %s/%d: %w", c.topic, partition, err)
	}
	return r.Offset, nil
}
