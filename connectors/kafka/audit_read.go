package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// Read calls fn with the committed records of a partition from one offset to
// another. Where a transaction is open below that it waits for its end. An error of
// fn ends it. The record's bytes are fn's to keep.
func (a *Audit) Read(ctx context.Context, t pipeline.Topic, partition int32, from, to int64, fn func(*kgo.Record) error) error {
	f := a.topics[t]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := make(chan readAhead, 1)
	go func() {
		defer close(got)
		f.ahead(ctx, partition, from, to, got)
	}()
	for r := range got {
		if r.err != nil {
			return r.err
		}
		for _, rec := range r.records {
			if rec.Offset >= to {
				return nil
			}
			if err := fn(rec); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// readAhead is what one fetch gave.
type readAhead struct {
	records []*kgo.Record
	err     error
}

// ahead fetches a partition's records one fetch before they are wanted.
func (f *fetcher) ahead(ctx context.Context, partition int32, from, to int64, got chan<- readAhead) {
	moved, tries := time.Now(), 0
	for from < to && ctx.Err() == nil {
		r, err := f.one(ctx, partition, from)
		switch {
		case err != nil && kerr.IsRetriable(err) && tries < snapsTries:
			tries++
			select {
			case <-ctx.Done():
			case <-time.After(sharedRetry):
			}
			continue
		case err != nil:
		case r.next > from:
			moved, tries = time.Now(), 0
		case time.Since(moved) > undecided:
			err = fmt.Errorf("%s/%d: a transaction is still open at offset %d after %s: it hangs and must be aborted (dangol txn list)", f.topic, partition, from, undecided)
		}
		select {
		case got <- readAhead{r.records, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		from = max(from, r.next)
	}
}

// one fetches from the partition's leader.
func (f *fetcher) one(ctx context.Context, partition int32, from int64) (fetched, error) {
	leaders, err := f.leaders(ctx)
	if err != nil {
		return fetched{}, err
	}
	for leader, parts := range leaders {
		if !slices.Contains(parts, partition) {
			continue
		}
		all, err := f.fetch(ctx, leader, map[int32]int64{partition: from}, fetchWait)
		if err != nil {
			return fetched{}, err
		}
		if len(all) == 1 {
			return all[0], nil
		}
	}
	return fetched{next: from}, nil
}
