package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	recoverMost = 90 * time.Second // that a lane waits for a recovery before its next fault
	stepMost    = 5 * time.Minute  // of one fault
	triesMost   = 3                // of one that comes to nothing
)

// plans are the decks of all lanes without what cannot be done here, and why
// that cannot.
func (w *world) plans() (decks [lanes][]kind, unable map[string]string) {
	mix := len(w.o.counts) == 0
	unable = map[string]string{}
	for l := range lanes {
		decks[l] = slices.DeleteFunc(deck(l, w.o.counts, w.o.only, mix), func(k kind) bool {
			if k.unable == nil {
				return false
			}
			why := k.unable(w)
			if why != "" {
				unable[k.name] = why
			}
			return why != ""
		})
	}
	return decks, unable
}

// play runs all lanes until their counts are reached, each lane's faults spread
// over the duration if that is long enough, or, of a mix, until the time is over
// and each kind has happened. It ends early if a fault's doing fails beyond repair.
func (w *world) play(ctx context.Context, decks [lanes][]kind) error {
	began := time.Now()
	until := began.Add(w.o.duration)
	var all sync.WaitGroup
	errs := make([]error, lanes)
	for l, d := range decks {
		next := plan(w.o.seed, lane(l), d)
		all.Go(func() {
			for i := 0; ctx.Err() == nil && errs[l] == nil && w.goesOn(d, i, until); i++ {
				s := next()
				if len(w.o.counts) == 0 && time.Now().After(until) && w.happened(s.kind) {
					continue
				}
				if len(w.o.counts) > 0 {
					pause(ctx, time.Until(began.Add(due(w.o.duration, i, len(d), s.seed))))
				}
				errs[l] = w.step(ctx, s)
			}
		})
	}
	all.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// due is when the i-th of n faults that are spread over a duration begins: in the
// i-th part of it, somewhere.
func due(duration time.Duration, i, n int, seed uint64) time.Duration {
	part := duration / time.Duration(n)
	return time.Duration(i)*part + time.Duration(seed%1000)*part/1000
}

// goesOn says whether a lane has another fault after i of them.
func (w *world) goesOn(d []kind, i int, until time.Time) bool {
	if len(w.o.counts) > 0 || len(d) == 0 {
		return i < len(d)
	}
	waits := slices.ContainsFunc(d, func(k kind) bool { return !w.happened(k) })
	return time.Now().Before(until) || waits && i < decksMost*len(d)
}

// decksMost bounds the tries at what will not happen.
const decksMost = 5

func (w *world) happened(k kind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fired[k.name] > 0
}

// step does one fault and waits until all is well again, but for a burst.
func (w *world) step(ctx context.Context, s step) error {
	pause(ctx, s.pause)
	if w.o.alone {
		w.alone.Lock()
		defer w.alone.Unlock()
	}
	if ctx.Err() != nil {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, stepMost)
	defer cancel()
	before := w.recoveries(s.kind.name)
	rng := rand.New(rand.NewPCG(s.seed, 0))
	w.trace("%s begins, seed %d", s.kind.name, s.seed)
	var err error
	for did, tries := false, 0; !did && err == nil && tries < triesMost && ctx.Err() == nil; tries++ {
		did, err = s.kind.do(limited, w, rng)
		w.count(s.kind.name, did)
		w.trace("%s is over: happened %t, error %v", s.kind.name, did, err)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", s.kind.name, err)
	}
	if s.burst && !w.o.alone {
		return nil
	}
	for _, r := range w.recoveries(s.kind.name)[len(before):] {
		if !r.wait(ctx, recoverMost) && ctx.Err() == nil {
			w.note("%s: not recovered from within %s, partitions %v stand", s.kind.name, recoverMost, w.standing(r))
		}
	}
	return nil
}

func (w *world) count(kind string, did bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if did {
		w.fired[kind]++
	} else {
		w.failed[kind]++
	}
}

// recoveries are those of a kind, the latest last.
func (w *world) recoveries(kind string) []*recovery {
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	var rs []*recovery
	for _, r := range w.watch.all {
		if r.kind == kind {
			rs = append(rs, r)
		}
	}
	return rs
}

func (w *world) standing(r *recovery) []int32 {
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	return slices.Sorted(maps.Keys(r.pending))
}
