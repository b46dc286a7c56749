package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Begin implements pipeline.Session.
func (s *Session) Begin() error {
	s.out.reset()
	s.kept, s.outErr = s.kept[:0], nil
	if s.least {
		return nil
	}
	return s.gs.Begin()
}

// Produce implements pipeline.Session.
func (s *Session) Produce(outs []pipeline.Output) {
	if s.least {
		s.kept = append(s.kept, outs)
		return
	}
	for i := range outs {
		s.send(&outs[i], toKafka(outs[i].Headers))
	}
}

func (s *Session) send(o *pipeline.Output, headers []kgo.RecordHeader) {
	r := s.out.next()
	*r = kgo.Record{Topic: s.topics[o.To], Partition: o.Partition, Key: o.Key, Value: o.Value, Headers: headers}
	s.group.Produce(context.Background(), r, s.promise)
}

// produced takes the broker's answer to one record.
func (s *Session) produced(r *kgo.Record, err error) {
	if err != nil {
		s.outMu.Lock()
		if s.outErr == nil {
			s.outErr = fmt.Errorf("produce to %s: %w", r.Topic, err)
		}
		s.outMu.Unlock()
	}
}

// End implements pipeline.Session.
func (s *Session) End(ctx context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	done, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	if s.least {
		return s.endLeast(done, commit, next)
	}
	ctx = kgo.PreTxnCommitFnContext(done, func(req *kmsg.TxnOffsetCommitRequest) error {
		s.addOffsets(req, next)
		return nil
	})
	if commit {
		// Whether everything was produced is known once it is flushed; only then
		// is a commit asked for.
		if err := s.flush(ctx); err != nil {
			return false, nil, err
		}
	}
	// Of nothing there is nothing to commit, and after a commit without offsets the
	// client holds the group up for half a second, taking the broker for an old one.
	nothing := len(next) == 0 && s.out.n == 0
	try := commit && !nothing && s.own(next)
	before := s.reloads.Load()
	committed, err := s.gs.End(ctx, kgo.TransactionEndTry(try))
	s.recycle()
	if err != nil {
		// Not fatal, even of an instance that was fenced: it may have fenced itself by
		// joining anew, the answer to which was lost. Of another process of its name
		// the group tells its successor.
		return false, nil, fmt.Errorf("end of transaction: %w", err)
	}
	if !committed && try && s.reloads.Load() != before {
		return false, nil, errUnconfirmed
	}
	if !committed {
		s.rewind()
		return commit && nothing, nil, nil
	}
	return true, s.goOn(next), nil
}

// errUnconfirmed ends a session whose commit the broker has answered with an error that
// leaves open whether it has taken place. The changelog knows; its successor reads it.
var errUnconfirmed = errors.New("end of transaction: the broker does not say whether it is committed")

// reloads counts how often a client has asked for a producer id. While it ends a
// transaction it asks only where the commit was answered with an error that says
// nothing: a new id aborts what is open still, and it calls that an abort, whatever was
// there to abort. Where the group refuses, no commit is asked for, and the id stays.
type reloads struct{ atomic.Int64 }

// OnBrokerWrite implements kgo.HookBrokerWrite.
func (r *reloads) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.InitProducerID) {
		r.Add(1)
	}
}

// flush waits for the brokers' answers to all that was sent, and says what one of
// them has refused.
func (s *Session) flush(ctx context.Context) error {
	if err := s.group.Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	s.outMu.Lock()
	defer s.outMu.Unlock()
	return s.outErr
}

// recycle gives the memory of what was polled back.
func (s *Session) recycle() {
	for _, r := range s.polled {
		r.Recycle()
	}
	s.polled = s.polled[:0]
}

// goOn notes what is committed, and returns the changelog's positions.
func (s *Session) goOn(next map[int32]int64) map[int32]int64 {
	s.mu.Lock()
	for p, n := range next {
		if pt := s.parts[p]; pt != nil {
			pt.next = s.passed(p, n)
		}
	}
	s.mu.Unlock()
	positions := make(map[int32]int64, len(next))
	s.out.each(func(r *kgo.Record) {
		if r.Topic == s.topics[pipeline.Changelog] {
			positions[r.Partition] = max(positions[r.Partition], r.Offset+1)
		}
	})
	return positions
}

// own says whether every partition of a transaction is ours still.
func (s *Session) own(next map[int32]int64) bool {
	ours := s.active()
	for p := range next {
		if _, ok := slices.BinarySearch(ours, p); !ok {
			return false
		}
	}
	return true
}

// addOffsets makes the commit one of every touched partition and of no other: of
// what the client has polled some may still wait, and timers touch partitions of
// which nothing was polled. Where none was touched, it says once more where some
// partition stands, so that the group validates the member.
func (s *Session) addOffsets(req *kmsg.TxnOffsetCommitRequest, next map[int32]int64) {
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = s.cfg.Topic
	add := func(p int32, at kgo.EpochOffset) {
		tp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		tp.Partition, tp.Offset, tp.LeaderEpoch = p, at.Offset, at.Epoch // by the epoch a successor sees that the log was cut
		t.Partitions = append(t.Partitions, tp)
	}
	for p, n := range next {
		add(p, s.passed(p, n))
	}
	if len(next) == 0 {
		s.mu.Lock()
		for p, pt := range s.parts {
			if pt.active {
				add(p, pt.next)
				break
			}
		}
		s.mu.Unlock()
	}
	req.Topics = req.Topics[:0]
	if len(t.Partitions) > 0 {
		req.Topics = append(req.Topics, t)
	}
}

// passed is an offset of a partition with the leader epoch of the record before it.
func (s *Session) passed(p int32, n int64) kgo.EpochOffset {
	epoch, ok := s.waiting.epochs[p]
	if !ok {
		epoch = -1
	}
	return kgo.EpochOffset{Epoch: epoch, Offset: n}
}
