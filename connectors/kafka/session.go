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
//   - After a non-empty revocation the client does not tell of the next one until
//     End. What is ours is checked against what the client holds, not against what
//     it told.
//   - After a commit the client takes for committed all that it gave us. What it
//     gave us and we did not hand out is not; so after an abort we tell it where each
//     partition stands.
type Session struct {
	cfg       *Config
	id        uint64       // pipeline.Assignment.Identity
	aux       *kgo.Client  // for all that is not the group's
	adm       *kadm.Client // over aux
	gs        *kgo.GroupTransactSession
	group     *kgo.Client // of gs
	keeper    pipeline.Keeper
	changelog *changelog
	members   *Members
	log       *slog.Logger
	topics    [pipeline.Population + 1]string

	life      context.Context // of the work in the background
	die       context.CancelFunc
	working   sync.WaitGroup
	restoring chan struct{} // a slot for each restore at a time
	look      chan struct{} // that the group may have changed

	mu       sync.Mutex
	parts    map[int32]*assigned // that the group gave us
	tasks    map[int32]*task     // the latest of each partition, ours or not
	handed   []int32             // what Assigned said
	failed   error               // of a restore, surfaced by the next Poll
	wakePoll context.CancelFunc

	waiting waiting
	polled  []*kgo.Record // handed out; to recycle once the transaction has ended
	out     block
	promise func(*kgo.Record, error) // s.produced, bound once
	outErr  error
	outMu   sync.Mutex
}

const (
	fetchWait  = 500 * time.Millisecond // that a broker may hold a fetch: so long may partitions wait that come after it
	soon       = 20 * time.Millisecond  // in which the client takes up what the group has just given
	openWithin = 30 * time.Second       // for the broker to answer at the start
	grace      = 10 * time.Second       // for it to answer at the end
)

// Assigned implements pipeline.Session.
func (s *Session) Assigned() []int32 {
	ps := s.active()
	s.mu.Lock()
	s.handed = ps
	s.mu.Unlock()
	return slices.Clone(ps)
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
	s.activate()
	ours := s.active()
	s.waiting.keep(func(p int32) bool { _, ok := slices.BinarySearch(ours, p); return ok })
	s.mu.Lock()
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	share := max(1, most/runtime.GOMAXPROCS(0)) // something for each processor; of more partitions, their customers would not stay near it
	batches, polled := s.waiting.take(most, share, s.polled)
	s.polled = polled
	return batches, nil
}

// fetch takes what the client has, and waits for something if it has nothing, or
// until a partition is restored.
func (s *Session) fetch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.wakePoll = cancel
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if s.activate() {
		defer time.AfterFunc(soon, cancel).Stop()
	}
	fetches := s.gs.PollFetches(ctx)
	fetches.EachError(func(t string, p int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) || errors.Is(e, context.Canceled) || s.rejoins(e) {
			return
		}
		err = errors.Join(err, s.fatal(fmt.Errorf("fetch %s/%d: %w", t, p, e)))
	})
	if err == nil {
		s.waiting.fill(fetches, time.Now().UnixMilli())
	}
	return err
}

// wake ends a fetch that waits.
func (s *Session) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakePoll != nil {
		s.wakePoll()
	}
}

// rejoins says whether an error is of a membership that the client is renewing by
// itself, all partitions having been taken away.
func (s *Session) rejoins(err error) bool {
	var lost *kgo.ErrGroupSession
	if !errors.As(err, &lost) {
		return false
	}
	switch {
	case errors.Is(err, kerr.UnreleasedInstanceID):
		s.log.Warn("the group still counts another life of this instance among its members; joining waits until it has left or timed out: "+
			"give each process of an app_id its own input.instance", "instance", s.cfg.Instance)
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.RebalanceInProgress):
		s.log.Warn("the group has gone on without this instance; joining anew", "instance", s.cfg.Instance, "error", err)
	default:
		return false
	}
	return true
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
	// Of nothing there is nothing to commit, and after a commit without offsets the
	// client holds the group up for half a second, taking the broker for an old one.
	nothing := len(next) == 0 && s.out.n == 0
	committed, err := s.gs.End(ctx, kgo.TransactionEndTry(commit && !nothing && s.own(next)))
	for _, r := range s.polled {
		r.Recycle()
	}
	s.polled = s.polled[:0]
	if err != nil {
		return false, nil, s.fatal(fmt.Errorf("end of transaction: %w", err))
	}
	if !committed {
		s.rewind()
		return commit && nothing, nil, nil
	}
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
	return true, positions, nil
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

// Close implements pipeline.Session.
func (s *Session) Close() {
	s.die()
	if s.gs != nil {
		s.gs.CloseAllowingRebalance()
	}
	s.working.Wait()
	if s.aux != nil {
		s.aux.Close()
	}
}
