package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func inputKinds() []kind {
	return []kind{
		{name: "open-transaction", flag: "open-transactions", doc: "a foreign producer's transaction stays open in the input below newer events; it ends in a commit, an abort, or not at all", lane: input, weight: 1, do: openTransaction},
	}
}

const (
	foreignTimeout = 6 * time.Second
	foreignEvents  = 30
)

// openTransaction holds readers of committed records up in one partition: what
// comes after it waits for its end.
func openTransaction(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	run, partition := rng.Uint64(), rng.IntN(w.o.partitions)
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.Addrs()...), kgo.ClientID("chaos-foreign"), kgo.DefaultProduceTopic(inputTopic),
		kgo.TransactionalID("foreign"), kgo.TransactionTimeout(foreignTimeout), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return false, err
	}
	defer cl.Close()
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := cl.BeginTransaction(); err != nil {
		return false, err
	}
	w.watch.hold(int32(partition))
	defer w.watch.release(int32(partition))
	at := time.UnixMilli(w.producer.now.Load()).UTC().Format(time.RFC3339)
	keys := keysOf(partition, w.o.partitions, fmt.Sprintf("foreign-%x", run))
	for range 1 + rng.IntN(foreignEvents) {
		id := keys()
		cl.Produce(within, &kgo.Record{Key: []byte(id), Value: fmt.Appendf(nil,
			`{"id":%q,"type":"order_completed","customer_id":%q,"time":%q,"order_id":%q,"amount":"12.50"}`, id, id, at, id)}, nil)
	}
	if err := cl.Flush(within); err != nil {
		w.note("open-transaction: %v", err)
		return false, nil
	}
	pause(ctx, between(rng, time.Second, foreignTimeout-time.Second))
	end := kgo.TransactionEndTry(rng.IntN(3) > 0)
	if rng.IntN(4) > 0 {
		if err := cl.EndTransaction(within, end); err == nil {
			return true, nil
		}
	}
	pause(ctx, foreignTimeout) // the broker gives it up
	return true, nil
}

// keysOf are names, each beginning with prefix, whose place is a partition.
func keysOf(partition, partitions int, prefix string) func() string {
	place := kgo.StickyKeyPartitioner(nil).ForTopic(inputTopic)
	n := 0
	return func() string {
		for {
			key := fmt.Sprintf("%s-%d", prefix, n)
			if n++; place.Partition(&kgo.Record{Key: []byte(key)}, partitions) == partition {
				return key
			}
		}
	}
}
