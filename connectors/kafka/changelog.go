package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// undecided is how long Read waits for the end of a transaction that is still
// open at what was the end of the log.
const undecided = time.Minute

// changelog reads the changelog's partitions back, transaction by transaction.
//
// It reads uncommitted records and the control records that decide them, and
// resolves the transactions itself, up to a barrier that it writes first. A
// read_committed poll never returns for a tail of control records or aborted
// ones, offsets near the end may hold nothing after a compaction, and a reader
// that cannot tell "the end" from "not yet" either hangs or misses committed
// state.
type changelog struct {
	topic string
	aux   *kgo.Client // writes barriers, asks for bounds
	opts  []kgo.Opt   // of the clients that read
	log   *slog.Logger
}

// barrierKey is the key of barriers; each compacts the one before away.
var barrierKey = []byte{'b'}

// Read implements pipeline.ChangelogReader.
func (c *changelog) Read(ctx context.Context, partition int32, from int64, fn func(recs []pipeline.LogRecord, upTo int64) error) (int64, error) {
	start, barrier, err := c.bounds(ctx, partition)
	if err != nil {
		return 0, err
	}
	if from > barrier {
		return 0, fmt.Errorf("%w: %s/%d ends at offset %d, the local state has read it to %d: the topic lost records, or was made anew; "+
			"move the state directory away to restore from the topic", pipeline.ErrFatal, c.topic, partition, barrier, from)
	}
	cl, err := c.client(partition, max(from, start))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	upTo := barrier + 1
	return newReplay(func(recs []pipeline.LogRecord) error { return fn(recs, upTo) }).run(ctx, cl, upTo)
}

// Follow implements pipeline.ChangelogReader.
func (c *changelog) Follow(ctx context.Context, partition int32, from int64, fn func([]pipeline.LogRecord) error) error {
	cl, err := c.client(partition, from)
	if err != nil {
		return err
	}
	defer cl.Close()
	_, err = newReplay(fn).run(ctx, cl, math.MaxInt64)
	return err
}

// client reads a partition with all that is in it.
func (c *changelog) client(partition int32, from int64) (*kgo.Client, error) {
	return kgo.NewClient(append(append([]kgo.Opt(nil), c.opts...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.topic: {partition: kgo.NewOffset().At(from)}}),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
}

// bounds are the start of the log and the offset of a barrier, freshly written.
func (c *changelog) bounds(ctx context.Context, partition int32) (start, barrier int64, err error) {
	starts, err := kadm.NewClient(c.aux).ListStartOffsets(ctx, c.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("start of %s: %w", c.topic, err)
	}
	s, ok := starts.Lookup(c.topic, partition)
	if !ok {
		return 0, 0, fmt.Errorf("%s has no partition %d", c.topic, partition)
	}
	if s.Err != nil {
		return 0, 0, fmt.Errorf("start of %s/%d: %w", c.topic, partition, s.Err)
	}
	r := &kgo.Record{Topic: c.topic, Partition: partition, Key: barrierKey, Value: []byte{}}
	if err := c.aux.ProduceSync(ctx, r).FirstErr(); err != nil {
		return 0, 0, fmt.Errorf("barrier in %s/%d: %w", c.topic, partition, err)
	}
	return s.Offset, r.Offset, nil
}

// replay resolves the transactions of a partition's records.
type replay struct {
	fn   func([]pipeline.LogRecord) error
	open map[int64][]pipeline.LogRecord // by producer id
	seen int64                          // offset after the last record
}

func newReplay(fn func([]pipeline.LogRecord) error) *replay {
	return &replay{fn: fn, open: map[int64][]pipeline.LogRecord{}}
}

func (r *replay) run(ctx context.Context, cl *kgo.Client, end int64) (int64, error) {
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	var timer *time.Timer
	for r.seen < end || len(r.open) > 0 {
		if r.seen >= end && timer == nil {
			timer = time.AfterFunc(undecided, cancel)
			defer timer.Stop()
		}
		fetches := cl.PollFetches(wait)
		if err := ctx.Err(); err != nil {
			return r.seen, err
		}
		if wait.Err() != nil {
			return r.seen, fmt.Errorf("a transaction is still open at the end of the changelog after %s: another process writes it, or it hangs and must be aborted", undecided)
		}
		if err := fetches.Err(); err != nil {
			return r.seen, err
		}
		var err error
		fetches.EachRecord(func(rec *kgo.Record) {
			if err == nil {
				err = r.record(rec)
			}
		})
		if err != nil {
			return r.seen, err
		}
	}
	return r.seen, nil
}

func (r *replay) record(rec *kgo.Record) error {
	r.seen = rec.Offset + 1
	if rec.Attrs.IsControl() {
		recs := r.open[rec.ProducerID]
		delete(r.open, rec.ProducerID)
		commit, err := isCommit(rec.Key)
		if err != nil || !commit || len(recs) == 0 {
			return err
		}
		return r.fn(recs)
	}
	lr := pipeline.LogRecord{Offset: rec.Offset, Key: rec.Key, Value: rec.Value}
	if bytes.Equal(rec.Key, barrierKey) {
		return nil
	}
	if !rec.Attrs.IsTransactional() {
		return fmt.Errorf("offset %d of the changelog was not written in a transaction: something else writes to it", rec.Offset)
	}
	r.open[rec.ProducerID] = append(r.open[rec.ProducerID], lr)
	return nil
}

// isCommit reads a control record's key: version and type, both int16.
func isCommit(key []byte) (bool, error) {
	if len(key) < 4 {
		return false, errors.New("control record without a type")
	}
	switch t := binary.BigEndian.Uint16(key[2:]); t {
	case 0:
		return false, nil
	case 1:
		return true, nil
	default:
		return false, fmt.Errorf("control record of unknown type %d", t)
	}
}
