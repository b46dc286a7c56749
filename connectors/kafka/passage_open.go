package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// metadataAge is how long a produce request that failed with its connection waits
// for the client to look at the topic anew; by default it would be 5 seconds.
const metadataAge = 100 * time.Millisecond

// open makes sure of the topics, ends what a predecessor left open, and joins
// the stage's group.
func (r *Repartition) open(ctx context.Context) (*passage, error) {
	if err := r.Prepare(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	batch, err := r.batchBytes(ctx)
	if err != nil {
		return nil, err
	}
	p := &passage{r: r, at: map[int32]int64{}, fresh: map[int32]int64{}, next: map[int32]kgo.EpochOffset{}, heard: time.Now()}
	p.promise = p.produced
	opts := append(slices.Clone(r.base),
		kgo.ConsumerGroup(r.group), kgo.InstanceID(r.seat().instance()),
		kgo.TransactionalID(r.app+"-"+r.cfg.Instance+ofStage), kgo.TransactionTimeout(r.cfg.TxnTimeout),
		kgo.SessionTimeout(r.cfg.SessionTimeout), kgo.HeartbeatInterval(min(r.cfg.SessionTimeout/5, time.Second)),
		kgo.RebalanceTimeout(max(r.cfg.TxnTimeout, r.cfg.SessionTimeout)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(int32(r.cfg.FetchMaxBytes)), kgo.MaxDecompressBatchBytes(max(r.cfg.FetchMaxBytes, 16<<20)),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerBatchMaxBytes(batch),
		kgo.MaxBufferedRecords(1<<20), kgo.ProducerLinger(2*time.Millisecond),
		kgo.MetadataMinAge(metadataAge), kgo.WithPools(NewPools()),
		kgo.AdjustFetchOffsetsFn(p.assigned),
		kgo.OnPartitionsRevoked(p.drop), kgo.OnPartitionsLost(p.drop),
	)
	if r.cfg.GroupProtocol == consumerProtocol {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	if p.gs, err = kgo.NewGroupTransactSession(opts...); err != nil {
		return nil, fmt.Errorf("kafka session: %w", err)
	}
	if _, _, err := p.gs.Client().ProducerID(ctx); err != nil {
		p.close()
		return nil, fmt.Errorf("transactional id of the repartition stage: %w", err)
	}
	r.seat().succeed(ctx)
	p.gs.Client().AddConsumeTopics(r.cfg.Topic) // only now: a predecessor's open transaction would hold up the offsets
	return p, nil
}

// assigned says where each new partition begins: at the committed offset, or
// where the configuration says. Every one gets a definite offset.
func (p *passage) assigned(ctx context.Context, offs map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	parts := offs[p.r.cfg.Topic]
	at, fresh := map[int32]int64{}, map[int32]int64{}
	for part, o := range parts {
		if at[part] = o.EpochOffset().Offset; at[part] < 0 {
			fresh[part] = 0
		}
	}
	if len(fresh) > 0 {
		if err := p.starts(ctx, fresh); err != nil {
			return nil, p.failure(ctx, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for part, offset := range fresh {
		parts[part], at[part], p.fresh[part] = kgo.NewOffset().At(offset), offset, offset
	}
	for part, offset := range at {
		p.at[part] = offset
	}
	return offs, nil
}

// starts says where partitions without a committed offset begin.
func (p *passage) starts(ctx context.Context, fresh map[int32]int64) error {
	r := p.r
	if err := r.refuseLostOffsets(ctx); err != nil {
		return err
	}
	list := r.adm.ListStartOffsets
	if r.cfg.Start == "latest" {
		list = r.adm.ListEndOffsets
	}
	starts, err := list(ctx, r.cfg.Topic)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", r.cfg.Topic, err)
	}
	for part := range fresh {
		s, ok := starts.Lookup(r.cfg.Topic, part)
		if !ok {
			return fmt.Errorf("offsets of %s: no partition %d", r.cfg.Topic, part)
		}
		if s.Err != nil {
			return fmt.Errorf("offsets of %s/%d: %w", r.cfg.Topic, part, s.Err)
		}
		fresh[part] = s.Offset
	}
	return nil
}

// refuseLostOffsets tells a group that never had offsets from one whose offsets
// are gone: to begin again then would pass on records twice, or leave some out.
func (r *Repartition) refuseLostOffsets(ctx context.Context) error {
	written, err := r.written(ctx, r.topic)
	if err != nil || !written {
		return err
	}
	offsets, err := r.adm.FetchOffsets(ctx, r.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("offsets of group %q: %w", r.group, err)
	}
	for _, o := range offsets[r.cfg.Topic] {
		if o.Err != nil {
			return fmt.Errorf("offsets of group %q: %w", r.group, o.Err)
		}
		if o.At >= 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: topic %s has records, but group %q has no committed offset in %s: the offsets expired, or the input was made anew or is another; "+
		"set the group's offsets (kafka-consumer-groups --reset-offsets) to where the stage is to go on, or start over with a new app_id",
		pipeline.ErrFatal, r.topic, r.group, r.cfg.Topic)
}

// failure is what the next poll says, unless ctx ended because the group took
// the partitions back: then they come again.
func (p *passage) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.mu.Lock()
	p.failed = err
	p.mu.Unlock()
	return err
}

func (p *passage) drop(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range parts[p.r.cfg.Topic] {
		delete(p.at, part)
		delete(p.fresh, part)
	}
}
