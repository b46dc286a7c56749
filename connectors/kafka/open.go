package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Open connects, makes sure of the topics, ends what a predecessor left open,
// and joins the group named app. Each assigned partition is restored before its
// first record is polled.
func Open(ctx context.Context, app string, cfg *Config, keeper pipeline.Keeper, log *slog.Logger, more ...kgo.Opt) (*Session, error) {
	s := &Session{cfg: cfg, log: log, assigned: map[int32]bool{}, waiting: waiting{epochs: map[int32]int32{}}}
	s.promise = s.produced
	for t := pipeline.Changes; t <= pipeline.Affinities; t++ {
		s.topics[t] = TopicName(app, t)
	}
	base, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	base = append(base, more...)
	if err := s.prepare(ctx, app, base); err != nil {
		s.closeAdmin()
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
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(int32(cfg.FetchMaxBytes)), kgo.MaxDecompressBatchBytes(max(cfg.FetchMaxBytes, 16<<20)),
		kgo.RecordPartitioner(newPartitioner(s.topics[pipeline.Changelog])),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.MaxBufferedRecords(1<<20), kgo.ProducerLinger(2*time.Millisecond),
		kgo.WithPools(NewPools()),
		kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offs map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			return s.restoreAll(ctx, offs, keeper, reader)
		}),
		kgo.OnPartitionsRevoked(s.drop), kgo.OnPartitionsLost(s.drop),
	)
	if s.gs, err = kgo.NewGroupTransactSession(opts...); err != nil {
		s.closeAdmin()
		return nil, fmt.Errorf("kafka session: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if _, _, err := s.gs.Client().ProducerID(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("transactional id %q: %w", app+"-"+cfg.Instance, err)
	}
	return s, nil
}

func (s *Session) closeAdmin() {
	if s.adm != nil {
		s.adm.Close()
	}
}

// prepare makes sure of the topics and learns whose they are.
func (s *Session) prepare(ctx context.Context, app string, opts []kgo.Opt) error {
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	s.adm = kadm.NewClient(cl)
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := EnsureTopics(ctx, s.adm, app, s.cfg); err != nil {
		return err
	}
	m, err := s.adm.Metadata(ctx, s.cfg.Topic, s.topics[pipeline.Changelog])
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
func (s *Session) restoreAll(ctx context.Context, offs map[string]map[int32]kgo.Offset, keeper pipeline.Keeper, log pipeline.ChangelogReader) (map[string]map[int32]kgo.Offset, error) {
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
		start, err := keeper.Restore(ctx, a, log)
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
