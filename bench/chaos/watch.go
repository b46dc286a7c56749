package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// watch follows the group's committed offsets, and so knows when partitions that
// a fault has stopped go on.
type watch struct {
	adm        *kadm.Client
	partitions int

	mu        sync.Mutex
	committed map[int32]int64
	owners    map[int32]string // instance by partition, as of the last answer
	held      map[int32]int    // by how many open transactions of the input; nothing can advance there
	open      []*recovery
	all       []*recovery
	progress  time.Time // when an offset last advanced
}

// recovery is the time from a fault until each of the partitions that it hit has
// a later offset committed than just after the fault.
type recovery struct {
	kind      string
	began     time.Time
	base      map[int32]int64
	pending   map[int32]bool
	took      time.Duration // 0: not yet
	disturbed bool          // by another fault, meanwhile or before
	unknown   bool          // what it ended with is no measure
	done      chan struct{}
}

const (
	pollEvery  = 100 * time.Millisecond
	pollWithin = 2 * time.Second
	ownersAge  = 500 * time.Millisecond
)

func newWatch(cl *kgo.Client, partitions int) *watch {
	return &watch{adm: kadm.NewClient(cl), partitions: partitions, committed: map[int32]int64{}, owners: map[int32]string{}, held: map[int32]int{}}
}

// run polls until ctx ends.
func (w *watch) run(ctx context.Context) {
	var asked time.Time
	for ctx.Err() == nil {
		began := time.Now()
		w.poll(ctx)
		if time.Since(asked) > ownersAge {
			asked = began
			w.askOwners(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery - time.Since(began)):
		}
	}
}

func (w *watch) fetch(ctx context.Context) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	offs, err := w.adm.FetchOffsets(ctx, appID)
	if err != nil {
		return nil, err
	}
	m := map[int32]int64{}
	offs.Each(func(o kadm.OffsetResponse) {
		if o.Topic == inputTopic && o.Err == nil && o.At >= 0 {
			m[o.Partition] = o.At
		}
	})
	return m, nil
}

func (w *watch) poll(ctx context.Context) {
	offs, err := w.fetch(ctx)
	if err != nil {
		return // brokers are among those that die here
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, n := range offs {
		if n > w.committed[p] {
			w.committed[p], w.progress = n, now
		}
	}
	for p, n := range offs {
		for _, r := range w.open {
			if n > r.base[p] {
				r.forget(p, now)
			}
		}
	}
	w.sift()
}

// forget says that a partition moves again, or that it does not count.
func (r *recovery) forget(p int32, now time.Time) {
	if delete(r.pending, p); len(r.pending) == 0 && r.took == 0 {
		r.took = now.Sub(r.began)
		close(r.done)
	}
}

// sift lets go of what has been recovered from. w.mu is held.
func (w *watch) sift() {
	w.open = slices.DeleteFunc(w.open, func(r *recovery) bool { return len(r.pending) == 0 })
}

// hold says that a transaction is open in the input, in a partition: what comes
// after it waits, and so does not tell of recoveries.
func (w *watch) hold(p int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[p]++
	for _, r := range w.open {
		if r.pending[p] && len(r.pending) == 1 {
			r.unknown = true
		}
		if r.pending[p] {
			r.forget(p, time.Now())
		}
	}
	w.sift()
}

// release takes hold back.
func (w *watch) release(p int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[p]--
}

// askOwners learns who works on which partition.
func (w *watch) askOwners(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	owners := map[int32]string{}
	if gs, err := w.adm.DescribeGroups(ctx, appID); err == nil && gs[appID].Err == nil {
		for _, m := range gs[appID].Members {
			if a, ok := m.Assigned.AsConsumer(); ok && m.InstanceID != nil {
				for _, t := range a.Topics {
					for _, p := range t.Partitions {
						owners[p] = *m.InstanceID
					}
				}
			}
		}
	}
	if len(owners) == 0 {
		w.askConsumerOwners(ctx, owners)
	}
	if len(owners) == 0 {
		return // as far as is known, it stays as it was
	}
	w.mu.Lock()
	w.owners = owners
	w.mu.Unlock()
}

// askConsumerOwners is askOwners for a group of the KIP-848 protocol.
func (w *watch) askConsumerOwners(ctx context.Context, owners map[int32]string) {
	gs, err := w.adm.DescribeConsumerGroups(ctx, appID)
	if err != nil {
		return
	}
	for _, m := range gs[appID].Members {
		if m.InstanceID == nil {
			continue
		}
		for t, ps := range m.Assignment {
			for p := range ps {
				if t == inputTopic {
					owners[p] = *m.InstanceID
				}
			}
		}
	}
}

// of are the partitions that an instance works on; all where that is not known.
func (w *watch) of(name string) []int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ps []int32
	for p, owner := range w.owners {
		if owner == appID+"-"+name {
			ps = append(ps, p)
		}
	}
	if len(ps) == 0 && len(w.owners) < w.partitions {
		return w.everything()
	}
	return ps
}

func (w *watch) everything() []int32 {
	ps := make([]int32, w.partitions)
	for i := range ps {
		ps[i] = int32(i)
	}
	return ps
}

// began notes a fault that was at an instant, on partitions. It asks for the
// offsets once more, so that what was committed before does not count as going
// on. No partitions: nil.
func (w *watch) began(ctx context.Context, kind string, at time.Time, ps []int32) *recovery {
	if len(ps) == 0 {
		return nil
	}
	base, err := w.fetch(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		base = maps.Clone(w.committed)
	}
	r := &recovery{kind: kind, began: at, base: base, pending: map[int32]bool{}, done: make(chan struct{})}
	for _, p := range ps {
		if w.held[p] == 0 {
			r.pending[p] = true
		}
	}
	for _, o := range w.open {
		o.disturbed, r.disturbed = true, true
	}
	if len(r.pending) == 0 {
		return nil
	}
	w.open, w.all = append(w.open, r), append(w.all, r)
	return r
}

// wait waits for a recovery, but not for ever.
func (r *recovery) wait(ctx context.Context, most time.Duration) bool {
	if r == nil {
		return true
	}
	select {
	case <-r.done:
		return true
	case <-ctx.Done():
	case <-time.After(most):
	}
	return false
}

// offsets are the latest known.
func (w *watch) offsets() map[int32]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.committed)
}
