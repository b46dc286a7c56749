package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
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
	id     uint64 // pipeline.Assignment.Identity
	adm    *kadm.Client
	gs     *kgo.GroupTransactSession
	log    *slog.Logger
	topics [5]string

	mu       sync.Mutex
	assigned map[int32]bool // restored, and ours
	failed   error          // of a restore, surfaced by the next Poll

	batches []pipeline.Batch
	polled  []*kgo.Record // to recycle once the transaction has ended
	out     block
	promise func(*kgo.Record, error) // s.produced, bound once
	outErr  error
	outMu   sync.Mutex
}

// Open connects, makes sure of the topics, ends what a predecessor left open,
// and joins the group named app. Each assigned partition is restored before its
// first record is polled.
func Open(ctx context.Context, app string, cfg *Config, restore pipeline.RestoreFunc, log *slog.Logger, more ...kgo.Opt) (*Session, error) {
	s := &Session{cfg: cfg, log: log, assigned: map[int32]bool{}}
	s.promise = s.produced
	for t := pipeline.Changes; t <= pipeline.Changelog; t++ {
		s.topics[t] = TopicName(app, t)
	}
	base, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	base = append(base, more...)
	if err := s.prepare(ctx, app, base); err != nil {
		return nil, err
	}
	start := kgo.NewOffset().AtStart()
	if cfg.Start == "latest" {
		start = kgo.NewOffset().AtEnd()
	}
	reader := &changelog{topic: s.topics[pipeline.Changelog], opts: base}
	opts := append(slices.Clone(base),
		kgo.ConsumerGroup(app), kgo.ConsumeTopics(cfg.Topic), kgo.InstanceID(app+"-"+cfg.Instance),
		kgo.TransactionalID(app+"-"+cfg.Instance), kgo.TransactionTimeout(cfg.TxnTimeout),
		kgo.SessionTimeout(cfg.SessionTimeout), kgo.HeartbeatInterval(cfg.SessionTimeout/5),
		kgo.RebalanceTimeout(max(cfg.TxnTimeout, cfg.SessionTimeout)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(start), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(int32(cfg.FetchMaxBytes)), kgo.MaxDecompressBatchBytes(max(cfg.FetchMaxBytes, 16<<20)),
		kgo.RecordPartitioner(newPartitioner(s.topics[pipeline.Changelog])),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.MaxBufferedRecords(1<<20), kgo.ProducerLinger(2*time.Millisecond),
		kgo.WithPools(NewPools()),
		kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offs map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			return s.restoreAll(ctx, offs, restore, reader)
		}),
		kgo.OnPartitionsRevoked(s.drop), kgo.OnPartitionsLost(s.drop),
	)
	if s.gs, err = kgo.NewGroupTransactSession(opts...); err != nil {
		return nil, fmt.Errorf("kafka session: %w", err)
	}
	s.adm = kadm.NewClient(s.gs.Client())
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if _, _, err := s.gs.Client().ProducerID(ctx); err != nil {
		s.gs.Close()
		return nil, fmt.Errorf("transactional id %q: %w", app+"-"+cfg.Instance, err)
	}
	return s, nil
}

const (
	openWithin = 30 * time.Second // for the broker to answer at the start
	grace      = 10 * time.Second // for it to answer at the end
)

// prepare makes sure of the topics and learns whose they are.
func (s *Session) prepare(ctx context.Context, app string, opts []kgo.Opt) error {
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	adm := kadm.NewClient(cl)
	if _, err := EnsureTopics(ctx, adm, app, s.cfg); err != nil {
		return err
	}
	m, err := adm.Metadata(ctx, s.cfg.Topic, s.topics[pipeline.Changelog])
	if err != nil {
		return fmt.Errorf("kafka at %v: %w", s.cfg.Brokers, err)
	}
	h := xxhash.New()
	for _, part := range []string{m.Cluster, app, m.Topics[s.cfg.Topic].ID.String(), m.Topics[s.topics[pipeline.Changelog]].ID.String()} {
		_, _ = h.WriteString(part + "\x00") // cannot fail
	}
	s.id = h.Sum64()
	return nil
}

// restoreAll restores the partitions assigned and says where each begins. Every
// one gets a definite offset: a client that knows none would, after an abort,
// begin at 0.
func (s *Session) restoreAll(ctx context.Context, offs map[string]map[int32]kgo.Offset, restore pipeline.RestoreFunc, log pipeline.ChangelogReader) (map[string]map[int32]kgo.Offset, error) {
	parts := offs[s.cfg.Topic]
	list := s.adm.ListStartOffsets
	if s.cfg.Start == "latest" {
		list = s.adm.ListEndOffsets
	}
	starts, err := list(ctx, s.cfg.Topic)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("offsets of %s: %w", s.cfg.Topic, err))
	}
	for p, o := range parts {
		a := pipeline.Assignment{Partition: p, Committed: max(o.EpochOffset().Offset, -1), Identity: s.id}
		if st, ok := starts.Lookup(s.cfg.Topic, p); ok && st.Err == nil {
			a.Start = st.Offset
		} else {
			return nil, s.failure(ctx, fmt.Errorf("offsets of %s/%d: %w", s.cfg.Topic, p, st.Err))
		}
		start, err := restore(ctx, a, log)
		if err != nil {
			return nil, s.failure(ctx, fmt.Errorf("restore partition %d: %w", p, err))
		}
		if start != a.Committed {
			parts[p] = kgo.NewOffset().At(start)
		}
	}
	s.mu.Lock()
	for p := range parts {
		s.assigned[p] = true
	}
	s.mu.Unlock()
	return offs, nil
}

// failure is what the next Poll says, unless ctx ended because the group took
// the partitions back: then they come again.
func (s *Session) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	s.failed = err
	s.mu.Unlock()
	return err
}

func (s *Session) drop(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	s.mu.Lock()
	for _, p := range parts[s.cfg.Topic] {
		delete(s.assigned, p)
	}
	s.mu.Unlock()
}

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
	fetches := s.gs.PollRecords(ctx, most)
	s.mu.Lock()
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	fetches.EachError(func(t string, p int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) || errors.Is(e, context.Canceled) {
			return
		}
		err = errors.Join(err, s.fatal(fmt.Errorf("fetch %s/%d: %w", t, p, e)))
	})
	if err != nil {
		return nil, err
	}
	n := 0
	fetches.EachPartition(func(fp kgo.FetchTopicPartition) {
		if len(fp.Records) == 0 {
			return
		}
		if n == len(s.batches) {
			s.batches = append(s.batches, pipeline.Batch{})
		}
		b := &s.batches[n]
		b.Partition, b.End, b.Records = fp.Partition, fp.LastStableOffset, b.Records[:0]
		if b.End < 0 {
			b.End = fp.HighWatermark
		}
		for _, r := range fp.Records {
			b.Records = append(b.Records, pipeline.Record{
				Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value, Headers: fromKafka(r.Headers),
			})
		}
		s.polled = append(s.polled, fp.Records...)
		n++
	})
	return s.batches[:n], nil
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

// addOffsets puts every touched partition into the commit, beside those that
// the client polled.
func (s *Session) addOffsets(req *kmsg.TxnOffsetCommitRequest, next map[int32]int64) {
	var t *kmsg.TxnOffsetCommitRequestTopic
	for i := range req.Topics {
		if req.Topics[i].Topic == s.cfg.Topic {
			t = &req.Topics[i]
		}
	}
	if t == nil {
		if len(next) == 0 {
			return
		}
		nt := kmsg.NewTxnOffsetCommitRequestTopic()
		nt.Topic = s.cfg.Topic
		req.Topics = append(req.Topics, nt)
		t = &req.Topics[len(req.Topics)-1]
	}
	have := map[int32]bool{}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		have[p.Partition] = true
		if n, ok := next[p.Partition]; ok {
			p.Offset = n
		}
	}
	for p, n := range next {
		if !have[p] {
			np := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			np.Partition, np.Offset, np.LeaderEpoch = p, n, -1
			t.Partitions = append(t.Partitions, np)
		}
	}
}

// Close implements pipeline.Session.
func (s *Session) Close() { s.gs.CloseAllowingRebalance() }
