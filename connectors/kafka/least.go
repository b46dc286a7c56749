package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// leastOptions are those of a client without transactions.
func (s *Session) leastOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.DisableAutoCommit(),
		// A changelog that lacks a record before others would not hold what its commit
		// records say.
		kgo.StopProducerOnDataLossDetected(),
		// What could not be sent while the group may have given the partition away, is
		// not sent any more.
		kgo.RecordDeliveryTimeout(s.cfg.SessionTimeout),
	}
}

// errElse says that a changelog has another writer.
var errElse = errors.New("something else has written to the changelog meanwhile, as an instance does that was away and is not yet aware that the group has gone on")

// endLeast ends a transaction that is none: what it writes becomes visible bit by bit.
// Its steps have an order, each acknowledged by all replicas before the next, so
// that whenever it dies nothing is lost:
//
//  1. The outputs: changes, documents, dead letters, and what is told to all. Who
//     dies here has told what the state does not know. It is told again.
//  2. The group is asked whether this is still its member. One that was frozen
//     meanwhile learns it here, and leaves the changelog alone.
//  3. The changelog, the commit record last. Who dies here leaves customers that are
//     ahead of the commit record: they know events that are read again, and recognise
//     them. That these are told is why the outputs come first.
//  4. The offsets. Who dies before has committed: the state goes on by itself.
//
// A group can move on between 2 and 3. So each session announces itself in the
// changelog when it restores a partition, and from there on no other's records count,
// see replay. In End it makes sure that nobody wrote in between.
func (s *Session) endLeast(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	defer s.recycle()
	if commit && len(next) == 0 && len(s.kept) == 0 {
		if err := s.commitOffsets(ctx, s.ahead()); err != nil && !expelled(err) {
			return false, nil, s.fatal(fmt.Errorf("commit offsets: %w", err))
		}
		return true, nil, nil
	}
	if !commit || !s.own(next) {
		s.rewind()
		return false, nil, nil
	}
	if err := s.writeKept(ctx, false); err != nil {
		return false, nil, err
	}
	switch err := s.commitOffsets(ctx, s.standing(next)); {
	case expelled(err) || err == nil && !s.own(next):
		s.rewind()
		return false, nil, nil
	case err != nil:
		return false, nil, s.fatal(fmt.Errorf("membership: %w", err))
	}
	if err := s.writeKept(ctx, true); err != nil {
		return false, nil, err
	}
	if err := s.alone(); err != nil {
		return false, nil, err
	}
	at := make(map[int32]kgo.EpochOffset, len(next))
	for p, n := range next {
		at[p] = s.passed(p, n)
	}
	if err := s.commitOffsets(ctx, at); err != nil {
		return false, nil, s.fatal(fmt.Errorf("commit offsets: %w", err))
	}
	s.mu.Lock()
	for p := range next {
		if pt := s.parts[p]; pt != nil {
			pt.known, pt.ahead = true, false
		}
	}
	s.mu.Unlock()
	return true, s.goOn(next), nil
}

// writeKept writes the outputs, or what is for the changelog, and waits for it.
func (s *Session) writeKept(ctx context.Context, changelog bool) error {
	mine := []kgo.RecordHeader{{Key: tokenHeader, Value: s.token}}
	for _, outs := range s.kept {
		for i := range outs {
			o := &outs[i]
			switch {
			case (o.To == pipeline.Changelog) != changelog:
			case changelog:
				s.send(o, mine)
			default:
				s.send(o, toKafka(o.Headers))
			}
		}
	}
	return s.flush(ctx)
}

// standing is where one partition stands. To commit it once more changes nothing and
// has the group validate the member. Where the group has no offset yet, it gets the
// one that means the same.
func (s *Session) standing(next map[int32]int64) map[int32]kgo.EpochOffset {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := map[int32]kgo.EpochOffset{}
	for p, pt := range s.parts {
		if pt.active && pt.known {
			at[p] = pt.next
			return at
		}
	}
	for p := range next {
		at[p] = kgo.EpochOffset{Epoch: -1}
		break
	}
	return at
}

// ahead is, once, where partitions stand of which the group has an earlier offset.
func (s *Session) ahead() map[int32]kgo.EpochOffset {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := map[int32]kgo.EpochOffset{}
	for p, pt := range s.parts {
		if pt.active && pt.ahead {
			at[p], pt.ahead, pt.known = pt.next, false, true
		}
	}
	return at
}

// commitOffsets commits offsets as the member that this is.
func (s *Session) commitOffsets(ctx context.Context, at map[int32]kgo.EpochOffset) error {
	if len(at) == 0 {
		return nil
	}
	var failed error
	s.group.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{s.cfg.Topic: at},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			if failed = err; err != nil {
				return // there is no answer
			}
			for _, t := range resp.Topics {
				for _, p := range t.Partitions {
					failed = cmp.Or(failed, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		})
	return failed
}

// expelled says whether the group has refused a member that it does not count as its
// own, or not any more, or not at the moment.
func expelled(err error) bool {
	for _, e := range []error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.RebalanceInProgress} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// alone makes sure that of each partition of the changelog what was written lies
// directly behind what this session had read and written before.
func (s *Session) alone() error {
	var err error
	s.out.each(func(r *kgo.Record) {
		if r.Topic != s.topics[pipeline.Changelog] || err != nil {
			return
		}
		if end := s.changelog.end(r.Partition); r.Offset != end {
			err = fmt.Errorf("%s/%d, before offset %d: %w", r.Topic, r.Partition, r.Offset, errElse)
			return
		}
		s.changelog.endsAt(r.Partition, r.Offset+1)
	})
	return err
}
