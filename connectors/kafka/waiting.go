package kafka

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// waiting is what was fetched and not handed out yet. The client would give a fetch
// partition by partition; some partitions' records together can be worked on side
// by side.
type waiting struct {
	queues  []queue
	batches []pipeline.Batch
	epochs  map[int32]int32 // of the leader, by partition, of the latest record handed out
}

// queue is one partition's.
type queue struct {
	partition int32
	end, at   int64 // see pipeline.Batch.End, EndAt
	records   []*kgo.Record
}

// fill takes in a fetch of an instant in Unix ms. Nothing may wait.
func (w *waiting) fill(fetches kgo.Fetches, at int64) {
	fetches.EachPartition(func(fp kgo.FetchTopicPartition) {
		if len(fp.Records) == 0 {
			return
		}
		q := w.of(fp.Partition)
		q.records, q.at = append(q.records, fp.Records...), at
		if q.end = fp.LastStableOffset; q.end < 0 {
			q.end = fp.HighWatermark
		}
	})
}

// of is the queue of a partition, which a fetch may have from two brokers when
// its leader changes.
func (w *waiting) of(partition int32) *queue {
	i := slices.IndexFunc(w.queues, func(q queue) bool { return q.partition == partition })
	if i < 0 {
		i = len(w.queues)
		w.queues = append(w.queues, queue{partition: partition})
	}
	return &w.queues[i]
}

// keep forgets the partitions that are not ours any more.
func (w *waiting) keep(ours func(partition int32) bool) {
	w.queues = slices.DeleteFunc(w.queues, func(q queue) bool {
		if ours(q.partition) {
			return false
		}
		q.recycle()
		return true
	})
}

// clear forgets all.
func (w *waiting) clear() {
	for i := range w.queues {
		w.queues[i].recycle()
	}
	w.queues = w.queues[:0]
}

// recycle gives the memory of records that were not handed out back.
func (q *queue) recycle() {
	for _, r := range q.records {
		r.Recycle()
	}
	q.records = nil
}

// take hands out at most so many records, of each partition at most a share of
// them, who came first first, and appends them to polled.
func (w *waiting) take(most, share int, polled []*kgo.Record) ([]pipeline.Batch, []*kgo.Record) {
	n := 0
	for i := 0; i < len(w.queues) && most > 0; i++ {
		q := &w.queues[i]
		if n == len(w.batches) {
			w.batches = append(w.batches, pipeline.Batch{})
		}
		b := &w.batches[n]
		b.Partition, b.End, b.EndAt, b.Records = q.partition, q.end, q.at, b.Records[:0]
		given := q.records[:min(len(q.records), share, most)]
		for _, r := range given {
			b.Records = append(b.Records, pipeline.Record{
				Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value, Headers: fromKafka(r.Headers),
			})
		}
		polled, w.epochs[q.partition] = append(polled, given...), given[len(given)-1].LeaderEpoch
		q.records = q.records[len(given):]
		most -= len(given)
		n++
	}
	w.queues = slices.DeleteFunc(w.queues, func(q queue) bool { return len(q.records) == 0 })
	return w.batches[:n], polled
}
