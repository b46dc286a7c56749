package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	beginMost  = 3 * time.Minute  // until every partition has moved
	standMost  = 2 * time.Minute  // without any progress, before the end of the input is given up
	settleFor  = 3 * time.Second  // without a new record, after the input's end
	checkMost  = 20 * time.Minute // for reading everything and comparing it
	drainEvery = 200 * time.Millisecond
)

// outcome is what a run came to.
type outcome struct {
	o       *options
	dir     string
	machine string
	took    time.Duration
	sent    int64
	drained bool
	unable  map[string]string
	planned []kind
	verdict verdict
	faults  []string // besides the counters
	w       *world
}

func prove(ctx context.Context, o *options, out io.Writer) (err error) {
	dir, err := makeDir(o.dir)
	if err != nil {
		return err
	}
	w := &world{o: o, dir: dir, out: out, began: time.Now(), fired: map[string]int{}, failed: map[string]int{}}
	res := &outcome{o: o, dir: dir, machine: machine(), w: w}
	w.note("seed %d; everything is in %s", o.seed, dir)
	err = w.live(ctx, res)
	if err == nil && !res.ok() {
		err = fmt.Errorf("%w; the seed is %d, and everything is kept in %s", errFaults, o.seed, dir)
	}
	if err != nil && w.full != nil {
		err = errors.Join(err, replaceTree(w.full.dir, w.full.dir+".kept"))
	}
	err = errors.Join(err, w.close())
	if err == nil && o.dir == "" {
		err = os.RemoveAll(dir)
	}
	return err
}

func makeDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "dangol-chaos-")
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return "", fmt.Errorf("--dir: %s is not empty", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// live is a run from the first broker to the report.
func (w *world) live(ctx context.Context, res *outcome) error {
	limited, cancel := context.WithTimeout(ctx, w.o.limit)
	defer cancel()
	if err := w.begin(limited); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	group := new(errgroup.Group)
	group.Go(func() error { w.watch.run(watching); return nil })
	err := w.storm(limited, res)
	stop()
	_ = group.Wait() // it has no error
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		res.faults = append(res.faults, err.Error())
	}
	for _, n := range w.extras {
		err = errors.Join(err, n.close())
	}
	if err := w.end(); err != nil {
		res.faults = append(res.faults, err.Error())
	}
	checked, cancel := context.WithTimeout(ctx, checkMost)
	defer cancel()
	if res.verdict, err = w.check(checked); err != nil {
		return err
	}
	for _, n := range w.ended {
		if err := w.audit(checked, n); err != nil {
			res.faults = append(res.faults, err.Error())
		}
	}
	res.took = time.Since(w.began)
	res.judge()
	return res.write(w.out)
}

// storm is the part with the faults, until the input is used up and all is quiet.
func (w *world) storm(ctx context.Context, res *outcome) error {
	over := make(chan struct{})
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return w.producer.run(inner, over, w.o.events) })
	decks, unable := w.plans()
	res.unable = unable
	for _, d := range decks {
		res.planned = append(res.planned, d...)
	}
	err := w.moving(inner)
	if err == nil {
		w.note("every partition moves; the faults begin")
		err = w.play(inner, decks)
	}
	if err != nil { // what there is can still be compared
		res.faults = append(res.faults, err.Error())
	}
	close(over)
	if err := group.Wait(); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, closedMost)
	defer cancel()
	if err := w.closed(wait, inputTopic); err != nil {
		return err
	}
	if err := w.producer.close(ctx, w.o.partitions); err != nil {
		return err
	}
	res.sent = w.producer.sent.Load()
	w.note("the faults are over; %d events were sent", res.sent)
	res.drained = w.drain(ctx)
	return nil
}

// moving waits until something of every partition has been committed.
func (w *world) moving(ctx context.Context) error {
	until := time.Now().Add(beginMost)
	for len(w.watch.offsets()) < w.o.partitions {
		if pause(ctx, drainEvery); ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(until) {
			return fmt.Errorf("before any fault: not every partition has moved within %s; see %s", beginMost, w.instances[0].log())
		}
	}
	return nil
}

// drain waits until the group's offsets are at the end of the input and nothing
// more is written.
func (w *world) drain(ctx context.Context) bool {
	began := time.Now()
	for ctx.Err() == nil {
		ends, err := w.endsOf(ctx, inputTopic)
		if err == nil && w.reached(ends) {
			w.note("the input is worked through, %.1fs after its end", time.Since(began).Seconds())
			return w.quiet(ctx)
		}
		w.watch.mu.Lock()
		since := time.Since(w.watch.progress)
		w.watch.mu.Unlock()
		if since > standMost {
			w.note("nothing moves: offsets %v, ends %v (%v)", w.watch.offsets(), ends, err)
			return false
		}
		pause(ctx, drainEvery)
	}
	return false
}

func (w *world) reached(ends map[int32]int64) bool {
	at := w.watch.offsets()
	for p, end := range ends {
		if at[p] < end {
			return false
		}
	}
	return len(ends) == w.o.partitions
}

// quiet waits until the engine's topics grow no more: timers are still due when
// the last record has been read.
func (w *world) quiet(ctx context.Context) bool {
	var last []int64
	for same := time.Now(); time.Since(same) < settleFor; pause(ctx, drainEvery) {
		if ctx.Err() != nil {
			return false
		}
		now, err := w.growth(ctx)
		if err != nil || !slices.Equal(now, last) {
			last, same = now, time.Now()
		}
	}
	return true
}
