package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

const (
	undecided = time.Minute     // how long a transaction is waited for that is open at what was the end of the log
	patience  = 3 * time.Second // after which the wait is told of

	lastBreath = 100 * time.Millisecond // in which a transaction may end that was under way
)

// replay resolves the transactions of a partition's records, up to an end.
type replay struct {
	fn   func([]pipeline.LogRecord) error
	log  *slog.Logger
	from int64                   // what lies before is not replayed
	end  int64                   // nor what lies behind, but for what open transactions wait for
	seen int64                   // offset after the last record
	open map[int64][]*kgo.Record // by producer id
	recs []pipeline.LogRecord    // for fn
	// fence ends the transactions that the dead have left open; nil: they are waited for.
	fence func(ctx context.Context) error
	tokened
}

func newReplay(from, end int64, fn func([]pipeline.LogRecord) error) *replay {
	return &replay{fn: fn, log: slog.New(slog.DiscardHandler), from: from, end: end, open: map[int64][]*kgo.Record{}}
}

// run reads until the end has been seen and no transaction is open.
func (r *replay) run(ctx context.Context, cl *kgo.Client) (int64, error) {
	wait, cancel := context.WithCancel(ctx)
	var fencing sync.WaitGroup
	defer fencing.Wait()
	defer cancel()
	waiting := false
	for r.seen < r.end || len(r.open) > 0 {
		if r.seen >= r.end && !waiting {
			waiting = true
			defer time.AfterFunc(undecided, cancel).Stop()
			log, ids := r.log, r.producers()
			if r.fence != nil {
				fencing.Go(func() { r.endOpen(wait) })
			}
			defer time.AfterFunc(patience, func() {
				log.Warn("a transaction is open in the changelog; the restore waits for its end: of a process that died it ends after input.transaction_timeout, "+
					"and dangol txn list shows what hangs", "producer_ids", ids)
			}).Stop()
		}
		fetches := cl.PollFetches(wait)
		if err := ctx.Err(); err != nil {
			return r.seen, err
		}
		if wait.Err() != nil {
			return r.seen, fmt.Errorf("a transaction of producer id %v is still open at the end of the changelog after %s: another process writes it, "+
				"or it hangs and must be aborted; dangol txn list shows it", r.producers(), undecided)
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
	return r.seen, r.give(r.unfinished())
}

// endOpen has the transactions of dead producers ended. Those of living ones, whose
// last one this may be, have some time to end by themselves.
func (r *replay) endOpen(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(lastBreath):
	}
	if err := r.fence(ctx); err != nil && ctx.Err() == nil {
		r.log.Warn("the transaction of a dead instance cannot be aborted; the restore waits until the brokers do", "error", err)
	}
}

// producers are those whose transactions are open.
func (r *replay) producers() []int64 { return slices.Sorted(maps.Keys(r.open)) }

func (r *replay) record(rec *kgo.Record) error {
	switch {
	case rec.Offset < r.from:
		r.before(rec)
		return nil
	case rec.Offset >= r.end && len(r.open) == 0:
		rec.Recycle()
		return nil
	}
	r.seen = rec.Offset + 1
	switch {
	case rec.Attrs.IsControl():
		return r.decide(rec)
	case bytes.Equal(rec.Key, barrierKey):
		left := r.announced(rec.Value)
		rec.Recycle()
		return r.give(left)
	case !rec.Attrs.IsTransactional():
		token := tokenOf(rec)
		if token == nil {
			return fmt.Errorf("offset %d of the changelog was written neither in a transaction nor by an instance of this app_id: something else writes to it", rec.Offset)
		}
		return r.give(r.add(rec, token))
	}
	r.open[rec.ProducerID] = append(r.open[rec.ProducerID], rec)
	return nil
}

// decide ends the transaction that a control record is of.
func (r *replay) decide(control *kgo.Record) error {
	defer control.Recycle()
	recs := r.open[control.ProducerID]
	delete(r.open, control.ProducerID)
	commit, err := isCommit(control.Key)
	if err == nil && commit {
		return r.give(recs)
	}
	for _, rec := range recs {
		rec.Recycle()
	}
	return err
}

// give hands records on.
func (r *replay) give(recs []*kgo.Record) (err error) {
	if len(recs) == 0 {
		return nil
	}
	r.recs = r.recs[:0]
	for _, rec := range recs {
		r.recs = append(r.recs, pipeline.LogRecord{Offset: rec.Offset, Key: rec.Key, Value: rec.Value, Stale: r.takeStale(rec.Offset)})
	}
	err = r.fn(r.recs)
	for _, rec := range recs {
		rec.Recycle()
	}
	return err
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
