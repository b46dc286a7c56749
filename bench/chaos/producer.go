package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/chaos/oracle"
	"github.com/dangol-dev/dangol/bench/shop"
)

// producer sends a shop's events at a rate, for as long as it is told to.
type producer struct {
	cl   *kgo.Client
	shop *shop.Shop
	rate float64
	now  atomic.Int64 // Unix ms of the latest event
	sent atomic.Int64

	mu  sync.Mutex
	err error
}

func newProducer(o *options, addrs []string) (*producer, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.DefaultProduceTopic(inputTopic), kgo.ClientID("chaos-producer"),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(20_000))
	if err != nil {
		return nil, err
	}
	c := shop.DefaultConfig()
	c.Seed, c.Customers, c.Start = o.seed, o.customers, opening.UnixMilli()
	return &producer{cl: cl, shop: shop.New(c), rate: o.rate}, nil
}

const tick = 20 * time.Millisecond

// run sends at the rate until the faults are over, and then the rest of the
// least number of events as fast as it goes.
func (p *producer) run(ctx context.Context, over <-chan struct{}, least int) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	began, due := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			for int(p.sent.Load()) < least && ctx.Err() == nil {
				p.send(ctx)
			}
			return p.flush(ctx)
		case <-ticks.C:
			for due = int(p.rate * time.Since(began).Seconds()); int(p.sent.Load()) < due && ctx.Err() == nil; {
				p.send(ctx)
			}
		}
	}
}

func (p *producer) send(ctx context.Context) {
	r := p.shop.Next()
	if r.Time > p.now.Load() {
		p.now.Store(r.Time)
	}
	p.produce(ctx, []byte(r.Customer), oracle.WithoutCategories(nil, r.Value))
}

func (p *producer) produce(ctx context.Context, key, value []byte) {
	p.sent.Add(1)
	p.cl.Produce(ctx, &kgo.Record{Key: key, Value: bytes.Clone(value)}, func(_ *kgo.Record, err error) {
		if err != nil {
			p.mu.Lock()
			p.err = errors.Join(p.err, err)
			p.mu.Unlock()
		}
	})
}

func (p *producer) flush(ctx context.Context) error {
	err := p.cl.Flush(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err = errors.Join(p.err, err); err != nil {
		return fmt.Errorf("produce the input: %w", err)
	}
	return nil
}

// close sends a last event to each partition, so that the input ends with records
// and not with the marks of others' transactions: only then can the group's
// offsets reach its end.
func (p *producer) close(ctx context.Context, partitions int) error {
	at := time.UnixMilli(p.now.Load()).UTC().Format(time.RFC3339)
	for i := range partitions {
		id := keysOf(i, partitions, "last")()
		p.produce(ctx, []byte(id), fmt.Appendf(nil, `{"id":%q,"type":"page_viewed","customer_id":%q,"time":%q}`, id, id, at))
	}
	return p.flush(ctx)
}
