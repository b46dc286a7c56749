package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
	s := &Session{
		app: app, cfg: cfg, keeper: keeper, log: log, waiting: waiting{epochs: map[int32]int32{}},
		look: make(chan struct{}, 1), fencing: make(chan struct{}, 1),
		parts: map[int32]*assigned{}, tasks: map[int32]*task{}, token: newToken(), least: cfg.AtLeastOnce(),
	}
	s.life, s.die = context.WithCancel(context.WithoutCancel(ctx))
	s.promise = s.produced
	for t := pipeline.Changes; t <= pipeline.Population; t++ {
		s.topics[t] = TopicName(app, t)
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := s.open(ctx, app, more); err != nil {
		s.Close()
		return nil, err
	}
	if cfg.Standbys > 0 {
		s.working.Go(s.watch)
	}
	return s, nil
}

func (s *Session) open(ctx context.Context, app string, more []kgo.Opt) error {
	base, err := s.cfg.Options()
	if err != nil {
		return err
	}
	all := slices.Concat(base, more)
	if s.aux, err = kgo.NewClient(append(slices.Clone(all), kgo.RecordPartitioner(kgo.ManualPartitioner()))...); err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	s.adm = kadm.NewClient(s.aux)
	s.members = newMembers(s.adm, app, s.cfg)
	s.changelog = &changelog{topic: s.topics[pipeline.Changelog], aux: s.aux, opts: all, log: s.log, token: s.token, fence: s.fence}
	if err := s.prepare(ctx, app); err != nil {
		return err
	}
	if err := s.connect(ctx, slices.Concat(base, s.options(app), more)); err != nil {
		return err
	}
	s.group.AddConsumeTopics(s.cfg.Topic)
	return nil
}

// connect makes the client that is to be in the group.
func (s *Session) connect(ctx context.Context, opts []kgo.Opt) (err error) {
	if s.least {
		if s.group, err = kgo.NewClient(append(opts, s.leastOptions()...)...); err != nil {
			return fmt.Errorf("kafka client: %w", err)
		}
		return nil
	}
	id := s.seat().instance()
	opts = append(opts, kgo.TransactionalID(id), kgo.TransactionTimeout(s.cfg.TxnTimeout), kgo.WithHooks(&s.reloads))
	if s.gs, err = kgo.NewGroupTransactSession(opts...); err != nil {
		return fmt.Errorf("kafka session: %w", err)
	}
	s.group = s.gs.Client()
	// Before the group is joined: a predecessor's open transaction would hold up the
	// offsets.
	if _, _, err := s.group.ProducerID(ctx); err != nil {
		return fmt.Errorf("transactional id %q: %w", id, err)
	}
	s.seat().succeed(ctx)
	return nil
}

// options are those of the client that is in the group.
func (s *Session) options(app string) []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	if s.cfg.Start == "latest" {
		start = kgo.NewOffset().AtEnd()
	}
	opts := []kgo.Opt{
		kgo.ClientID(clientID(s.cfg.Advertise)), kgo.ConsumerGroup(app), kgo.InstanceID(s.seat().instance()),
		kgo.SessionTimeout(s.cfg.SessionTimeout), kgo.HeartbeatInterval(min(s.cfg.SessionTimeout/5, time.Second)),
		kgo.RebalanceTimeout(max(s.cfg.TxnTimeout, s.cfg.SessionTimeout)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(start), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(int32(s.cfg.FetchMaxBytes)), kgo.MaxDecompressBatchBytes(max(s.cfg.FetchMaxBytes, 16<<20)),
		kgo.RecordPartitioner(newPartitioner(s.topics[pipeline.Changelog], s.topics[pipeline.Pairs])),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.MaxBufferedRecords(1 << 20), kgo.ProducerLinger(2 * time.Millisecond),
		kgo.WithPools(NewPools()),
		kgo.AdjustFetchOffsetsFn(s.given), kgo.OnPartitionsAssigned(s.settled),
		kgo.OnPartitionsRevoked(s.taken), kgo.OnPartitionsLost(s.taken),
	}
	if s.cfg.GroupProtocol == consumerProtocol {
		return append(opts, kgo.ServerSideBalancer())
	}
	// The second is what earlier releases know: with one of them in the group, it is
	// what all agree on.
	return append(opts, kgo.Balancers(balancer{address: s.cfg.Advertise}, kgo.CooperativeStickyBalancer()))
}

// prepare makes sure of the topics and learns whose they are.
func (s *Session) prepare(ctx context.Context, app string) error {
	if err := EnsureTopics(ctx, s.adm, app, s.cfg); err != nil {
		return err
	}
	m, in, err := await(ctx, s.aux, s.cfg.Topic)
	if err != nil {
		return fmt.Errorf("kafka at %v: %w", s.cfg.Brokers, err)
	}
	_, changelog, err := await(ctx, s.aux, s.topics[pipeline.Changelog])
	if err != nil {
		return fmt.Errorf("kafka at %v: %w", s.cfg.Brokers, err)
	}
	s.partitions = len(changelog.Partitions)
	s.input = &fetcher{cl: s.aux, topic: s.cfg.Topic, id: in.TopicID, level: kgo.ReadCommitted(), size: endsFetch}
	cluster := ""
	if m.ClusterID != nil {
		cluster = *m.ClusterID
	}
	s.id = identity(cluster, app)<<32 | identity(kadm.TopicID(in.TopicID).String(), kadm.TopicID(changelog.TopicID).String())
	return nil
}

// identity is of what has some names: 32 bits.
func identity(names ...string) uint64 {
	return xxhash.Sum64String(strings.Join(names, "\x00")) >> 32
}
