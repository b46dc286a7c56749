package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// endsFetch is about the bytes of a fetch that looks for a record.
const endsFetch = 64 << 10

// Ends implements pipeline.Session. The broker's word on an end counts markers and
// aborted records, which no poll gives; who stands before them is set past them, with an
// offset that comes after no record, so of no leader's epoch. That polls give nothing does not tell that
// nothing else is left: a leader may have moved, and the client not know yet. So what
// is between is looked at. The end of a partition without a leader is left out. That the
// input has grown is what the next Poll says as well: nobody's state is in new
// partitions, to which its producers now send customers whose state is elsewhere.
func (s *Session) Ends(ctx context.Context, at map[int32]int64) (map[int32]int64, error) {
	offs, err := s.adm.ListCommittedOffsets(ctx, s.cfg.Topic)
	if err := unanswered(err); err != nil {
		return nil, err
	}
	ends, unsure := map[int32]int64{}, map[int32]int64{}
	n := 0 // partitions
	offs.Each(func(o kadm.ListedOffset) {
		n = max(n, int(o.Partition)+1)
		if o.Err != nil {
			return
		}
		ends[o.Partition] = o.Offset
		if next, ok := at[o.Partition]; ok && next < o.Offset {
			unsure[o.Partition] = next
		}
	})
	if n > s.partitions {
		return nil, s.failure(ctx, fmt.Errorf("%w: %s", pipeline.ErrFatal, repartitioned(s.changelog.topic, s.partitions, s.cfg.Topic, n)))
	}
	if len(unsure) == 0 {
		return ends, nil
	}
	leaders, err := s.input.leaders(ctx)
	if leaders == nil {
		return nil, err
	}
	for leader, parts := range leaders {
		for _, p := range parts {
			if next, ok := unsure[p]; ok && s.nothing(ctx, leader, p, next, ends[p]) {
				at[p], s.waiting.epochs[p] = ends[p], -1
			}
		}
	}
	return ends, nil
}

// nothing says that a partition has no record between two offsets. Where it cannot be
// known it is not so.
func (s *Session) nothing(ctx context.Context, leader, p int32, from, end int64) bool {
	for from < end {
		got, err := s.input.fetch(ctx, leader, map[int32]int64{p: from}, 0)
		if err != nil || len(got) != 1 || len(got[0].records) > 0 || got[0].next <= from {
			return false
		}
		from = got[0].next
	}
	return true
}

// unanswered is the error of a listing that has told of no partition. One that has told
// of some has an error beside them, for those that have no leader or one that is silent.
func unanswered(err error) error {
	if some := (*kadm.ShardErrors)(nil); errors.As(err, &some) && !some.AllFailed {
		return nil
	}
	return err
}

// offsetOf is a partition's offset in a listing, whose error may be of others alone.
func offsetOf(listed kadm.ListedOffsets, err error, topic string, partition int32) (int64, error) {
	at, ok := listed.Lookup(topic, partition)
	if ok {
		err = at.Err
	} else if err == nil {
		err = errors.New("there is no such partition")
	}
	if err != nil {
		return 0, fmt.Errorf("bounds of %s/%d: %w", topic, partition, err)
	}
	return at.Offset, nil
}
