package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
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
	p := &passage{r: r, next: map[int32]kgo.EpochOffset{}, heard: time.Now()}
	p.promise = p.produced
	opts := append(slices.Clone(r.base),
		kgo.ConsumerGroup(r.group), kgo.InstanceID(r.seat().instance()),
		kgo.TransactionalID(r.seat().instance()+ofStage), kgo.TransactionTimeout(r.cfg.TxnTimeout),
		kgo.SessionTimeout(r.cfg.SessionTimeout), kgo.HeartbeatInterval(min(r.cfg.SessionTimeout/5, time.Second)),
		kgo.RebalanceTimeout(max(r.cfg.TxnTimeout, r.cfg.SessionTimeout)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(int32(r.cfg.FetchMaxBytes)), kgo.MaxDecompressBatchBytes(max(r.cfg.FetchMaxBytes, 16<<20)),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerBatchMaxBytes(batch),
		kgo.MaxBufferedRecords(1<<20), kgo.ProducerLinger(2*time.Millisecond),
		kgo.MetadataMinAge(metadataAge), kgo.WithPools(NewPools()),
		kgo.AdjustFetchOffsetsFn(p.assigned),
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
	fresh := map[int32]int64{}
	for part, o := range parts {
		if o.EpochOffset().Offset < 0 {
			fresh[part] = 0
		}
	}
	if len(fresh) > 0 {
		if err := p.starts(ctx, fresh); err != nil {
			return nil, p.failure(ctx, err)
		}
	}
	for part, offset := range fresh {
		parts[part] = kgo.NewOffset().At(offset)
	}
	return offs, nil
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
