package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Session is a pipeline.Session over a franz-go group transact session.
//
// What is not obvious, each once a bug in somebody's code:
//   - The producer id is taken before the first poll, so that a predecessor
//     killed in a transaction does not hold the offsets until it times out.
//   - Every touched partition's offset goes into the transaction, also when it
//     polled nothing and only timers fired: else the group does not validate
//     the member, and one already replaced could commit.
//   - An error from End says nothing about the transaction. The session is
//     dead; its successor asks the broker what is committed.
//   - End's context is cancelled only to stop, and then the session with it.
type Session struct {
	cfg    *Config
	id     uint64       // pipeline.Assignment.Identity
	adm    *kadm.Client // of its own: the group asks for it before gs is there
	gs     *kgo.GroupTransactSession
	log    *slog.Logger
	topics [pipeline.Population + 1]string

	mu       sync.Mutex
	assigned map[int32]bool // restored, and ours
	failed   error          // of a restore, surfaced by the next Poll

	waiting waiting
	polled  []*kgo.Record // handed out; to recycle once the transaction has ended
	out     block
	promise func(*kgo.Record, error) // s.produced, bound once
	outErr  error
	outMu   sync.Mutex
}

const (
	fetchWait  = 500 * time.Millisecond // that a broker may hold a fetch: so long may partitions wait that come after it
	openWithin = 30 * time.Second       // for the broker to answer at the start
	grace      = 10 * time.Second       // for it to answer at the end
)

// Assigned implements pipeline.Session.
func (s *Session) Assigned() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ps := make([]int32, 0, len(s.assigned))
	for p := range s.assigned {
		ps = append(ps, p)
	}
	slices.Sort(ps)
	return ps
}

// Ends implements pipeline.Session.
func (s *Session) Ends(ctx context.Context) (map[int32]int64, error) {
	offs, err := s.adm.ListCommittedOffsets(ctx, s.cfg.Topic)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	offs.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			ends[o.Partition] = o.Offset
		}
	})
	return ends, nil
}

// fatal marks an error that another session would meet again.
func (s *Session) fatal(err error) error {
	if errors.Is(err, kerr.FencedInstanceID) {
		return fmt.Errorf("%w: another process runs as instance %q of this app_id; give each its own input.instance: %w", pipeline.ErrFatal, s.cfg.Instance, err)
	}
	return err
}

// Poll implements pipeline.Session.
func (s *Session) Poll(ctx context.Context, most int) ([]pipeline.Batch, error) {
	if len(s.waiting.queues) == 0 {
		if err := s.fetch(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	err := s.failed
	s.waiting.keep(func(p int32) bool { return s.assigned[p] })
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	share := max(1, most/runtime.GOMAXPROCS(0)) // something for each processor; of more partitions, their customers would not stay near it
	batches, polled := s.waiting.take(most, share, s.polled)
	s.polled = polled
	return batches, nil
}

// fetch takes what the client has, and waits for something if it has nothing.
func (s *Session) fetch(ctx context.Context) error {
	var err error
	fetches := s.gs.PollFetches(ctx)
	fetches.EachError(func(t string, p int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) || errors.Is(e, context.Canceled) {
			return
		}
		err = errors.Join(err, s.fatal(fmt.Errorf("fetch %s/%d: %w", t, p, e)))
	})
	if err == nil {
		s.waiting.fill(fetches, time.Now().UnixMilli())
	}
	return err
}

// Begin implements pipeline.Session.
func (s *Session) Begin() error {
	s.out.reset()
	s.outErr = nil
	return s.gs.Begin()
}

// Produce implements pipeline.Session.
func (s *Session) Produce(outs []pipeline.Output) {
	for i := range outs {
		o := &outs[i]
		r := s.out.next()
		*r = kgo.Record{
			Topic: s.topics[o.To], Partition: o.Partition, Key: o.Key, Value: o.Value,
			Headers: toKafka(o.Headers),
		}
		s.gs.Produce(context.Background(), r, s.promise)
	}
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
	ctx = kgo.PreTxnCommitFnContext(done, func(req *kmsg.TxnOffsetCommitRequest) error {
		s.addOffsets(req, next)
		return nil
	})
	if commit {
		// Whether everything was produced is known once it is flushed; only then
		// is a commit asked for.
		if err := s.gs.Client().Flush(ctx); err != nil {
			return false, nil, fmt.Errorf("flush: %w", err)
		}
		s.outMu.Lock()
		err := s.outErr
		s.outMu.Unlock()
		if err != nil {
			return false, nil, err
		}
	}
	committed, err := s.gs.End(ctx, kgo.TransactionEndTry(commit))
	for _, r := range s.polled {
		r.Recycle()
	}
	s.polled = s.polled[:0]
	if err != nil {
		return false, nil, s.fatal(fmt.Errorf("end of transaction: %w", err))
	}
	if !committed {
		return false, nil, nil
	}
	positions := make(map[int32]int64, len(next))
	s.out.each(func(r *kgo.Record) {
		if r.Topic == s.topics[pipeline.Changelog] {
			positions[r.Partition] = max(positions[r.Partition], r.Offset+1)
		}
	})
	return true, positions, nil
}

// addOffsets makes the commit one of every touched partition and of no other: of
// what the client has polled some may still wait, and timers touch partitions of
// which nothing was polled.
func (s *Session) addOffsets(req *kmsg.TxnOffsetCommitRequest, next map[int32]int64) {
	req.Topics = req.Topics[:0]
	if len(next) == 0 {
		return
	}
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = s.cfg.Topic
	for p, n := range next {
		tp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		tp.Partition, tp.Offset, tp.LeaderEpoch = p, n, -1
		if epoch, ok := s.waiting.epochs[p]; ok {
			tp.LeaderEpoch = epoch // by which a successor sees that the log was cut
		}
		t.Partitions = append(t.Partitions, tp)
	}
	req.Topics = append(req.Topics, t)
}

// Close implements pipeline.Session.
func (s *Session) Close() {
	s.gs.CloseAllowingRebalance()
	s.closeAdmin()
}
