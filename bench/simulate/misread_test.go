//go:build synctests

package simulate

import (
	"context"
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// misread is a keeper whose changelog is read by another function than its own.
type misread struct {
	pipeline.Keeper
	read func(ctx context.Context, log pipeline.ChangelogReader, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error)
}

func (k *misread) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	return k.Keeper.Restore(ctx, a, &misreader{log, k})
}

type misreader struct {
	pipeline.ChangelogReader
	k *misread
}

func (r *misreader) Read(ctx context.Context, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
	return r.k.read(ctx, r.ChangelogReader, p, from, fn)
}

// toOldEnd restores up to the last stable offset as it was before the group's offsets
// were fetched.
func toOldEnd(l *life, k pipeline.Keeper) pipeline.Keeper {
	ends := map[int32]int64{}
	name := kafka.TopicName(app, pipeline.Changelog)
	if offs, err := l.inst.w.adm.ListCommittedOffsets(context.Background(), name); err == nil {
		for p := range l.inst.w.partitions {
			if o, ok := offs.Lookup(name, p); ok {
				ends[p] = o.Offset
			}
		}
	}
	return &misread{k, func(ctx context.Context, log pipeline.ChangelogReader, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
		return log.Read(ctx, p, from, func(recs []pipeline.LogRecord, upTo int64) error {
			if recs[len(recs)-1].Offset >= ends[p] {
				return nil
			}
			return fn(recs, upTo)
		})
	}}
}

// withoutTimers restores what is due as due never.
func withoutTimers(_ *life, k pipeline.Keeper) pipeline.Keeper {
	return &misread{k, func(ctx context.Context, log pipeline.ChangelogReader, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
		return log.Read(ctx, p, from, func(recs []pipeline.LogRecord, upTo int64) error {
			for i := range recs {
				if recs[i].Key[0] == 'c' && recs[i].Value != nil {
					_, n := binary.Varint(recs[i].Value)
					recs[i].Value = append([]byte{0}, recs[i].Value[n:]...)
				}
			}
			return fn(recs, upTo)
		})
	}}
}

// byHalves ends a restore in the middle of the last transaction.
func byHalves(_ *life, k pipeline.Keeper) pipeline.Keeper {
	return &misread{k, func(ctx context.Context, log pipeline.ChangelogReader, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
		var held []pipeline.LogRecord
		to := int64(0)
		end, err := log.Read(ctx, p, from, func(recs []pipeline.LogRecord, upTo int64) error {
			last := held
			held, to = recs, upTo
			if len(last) == 0 {
				return nil
			}
			return fn(last, upTo)
		})
		if err != nil || len(held) == 0 {
			return end, err
		}
		if n := len(held) / 2; n > 0 {
			err = fn(held[:n], to)
		}
		return end, err
	}}
}

// uncommitted restores what was aborted too.
func uncommitted(l *life, k pipeline.Keeper) pipeline.Keeper {
	return &misread{k, func(ctx context.Context, log pipeline.ChangelogReader, p int32, from int64, fn func([]pipeline.LogRecord, int64) error) (int64, error) {
		end, err := log.Read(ctx, p, from, func([]pipeline.LogRecord, int64) error { return nil })
		if err != nil || end <= from {
			return end, err
		}
		cl, err := kgo.NewClient(kgo.SeedBrokers(l.inst.w.cluster.ListenAddrs()...), kgo.Dialer(l.line.dial), kgo.ConsumePartitions(
			map[string]map[int32]kgo.Offset{kafka.TopicName(app, pipeline.Changelog): {p: kgo.NewOffset().At(from)}}))
		if err != nil {
			return 0, err
		}
		defer cl.Close()
		var recs []pipeline.LogRecord
		for at := from; at < end; { // its barrier is the last record
			fetches := cl.PollFetches(ctx)
			if err := fetches.Err(); err != nil {
				return 0, err
			}
			fetches.EachRecord(func(r *kgo.Record) {
				at = r.Offset + 1
				if r.Key[0] == 'b' {
					return
				}
				recs = append(recs, pipeline.LogRecord{Offset: r.Offset, Key: r.Key, Value: r.Value})
				if r.Key[0] == 'p' && err == nil {
					err, recs = fn(recs, end), nil
				}
			})
			if err != nil {
				return 0, err
			}
		}
		return end, nil
	}}
}
