package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
// resolves the transactions itself. A read_committed poll never returns for a
// tail of control records or aborted ones, and a reader that cannot tell "the
// end" from "not yet" either hangs or misses committed state.
type changelog struct {
	topic string
	opts  []kgo.Opt
}

// Read implements pipeline.ChangelogReader.
func (c *changelog) Read(ctx context.Context, partition int32, from int64, fn func([]pipeline.LogRecord) error) (int64, error) {
	start, end, err := c.bounds(ctx, partition)
	if err != nil {
		return 0, err
	}
	if from > end {
		return 0, fmt.Errorf("%s/%d ends at offset %d, the local state has read it to %d: the topic was recreated or the state belongs to another cluster; "+
			"move the state directory away to restore from the topic", c.topic, partition, end, from)
	}
	if from < start {
		from = start
	}
	if from == end {
		return end, nil
	}
	cl, err := kgo.NewClient(append(append([]kgo.Opt(nil), c.opts...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.topic: {partition: kgo.NewOffset().At(from)}}),
		kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	return newReplay(fn).run(ctx, cl, end)
}

func (c *changelog) bounds(ctx context.Context, partition int32) (start, end int64, err error) {
	cl, err := kgo.NewClient(c.opts...)
	if err != nil {
		return 0, 0, err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	starts, err := adm.ListStartOffsets(ctx, c.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("start of %s: %w", c.topic, err)
	}
	ends, err := adm.ListEndOffsets(ctx, c.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("end of %s: %w", c.topic, err)
	}
	s, ok1 := starts.Lookup(c.topic, partition)
	e, ok2 := ends.Lookup(c.topic, partition)
	if !ok1 || !ok2 {
		return 0, 0, fmt.Errorf("%s has no partition %d", c.topic, partition)
	}
	return s.Offset, e.Offset, errors.Join(s.Err, e.Err)
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
