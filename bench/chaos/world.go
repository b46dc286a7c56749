package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// world is everything that runs.
type world struct {
	o         *options
	dir       string
	out       io.Writer
	began     time.Time
	brokers   cluster
	cl        *kgo.Client // straight to the brokers
	adm       *kadm.Client
	instances []*instance
	producer  *producer
	watch     *watch
	full      *smallDisk // of the first instance; nil: there is none

	alone sync.Mutex // held by who may do a fault, where no two may be done at once

	mu     sync.Mutex
	fired  map[string]int
	failed map[string]int // faults that could not be done
	extras []*instance    // that came and went
	ended  []*instance    // w.instances, once they are
	faults *os.File       // see trace
	unread []string       // stores that could not be read in the end, and why
	notes  int
}

const notesMost = 2000

// note tells of something, with the time since the start.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.notes++; w.notes <= notesMost {
		line := fmt.Sprintf("%6.1fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
		_, _ = io.WriteString(w.out, line) // a terminal that is gone is no reason to stop
	}
}

// trace writes down what is done, when and to whom, in a file beside the logs.
func (w *world) trace(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.faults == nil {
		return
	}
	line := fmt.Sprintf("%s %s\n", time.Now().UTC().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	_, _ = w.faults.WriteString(line) // it is for those who look for causes, and not the proof
}

// begin starts brokers, instances and the watch.
func (w *world) begin(ctx context.Context) (err error) {
	if w.faults, err = os.Create(filepath.Join(w.dir, "faults.log")); err != nil {
		return err
	}
	data := filepath.Join(w.dir, "brokers")
	start := startKafka
	if w.o.broker == "embedded" {
		start = startEmbedded
	}
	if w.brokers, err = start(ctx, w.o, data); err != nil {
		return err
	}
	w.cl, err = kgo.NewClient(kgo.SeedBrokers(w.brokers.Addrs()...), kgo.ClientID("chaos"), kgo.DialTimeout(2*time.Second),
		kgo.RetryTimeout(5*time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	w.adm = kadm.NewClient(w.cl)
	if err := makeInput(ctx, w.adm, w.o.partitions); err != nil {
		return err
	}
	if w.producer, err = newProducer(w.o, w.brokers.Addrs()); err != nil {
		return err
	}
	w.watch = newWatch(w.cl, w.o.partitions)
	for i := range w.o.instances {
		n, err := w.newInstance(fmt.Sprintf("i%d", i))
		if err != nil {
			return err
		}
		w.instances = append(w.instances, n)
	}
	w.full = w.mountSmall(w.instances[0])
	for _, n := range w.instances {
		if err := n.start(); err != nil {
			return err
		}
	}
	return nil
}

// end ends everything, in order, and joins what went wrong.
func (w *world) end() error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, n := range w.instances {
		all.Go(func() {
			err := n.close()
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		})
	}
	all.Wait()
	w.ended, w.instances = append(w.ended, w.instances...), nil
	return errors.Join(errs...)
}

// close ends what is still there.
func (w *world) close() error {
	err := errors.Join(w.end(), w.faults.Close())
	if w.producer != nil {
		w.producer.cl.Close()
	}
	if w.cl != nil {
		w.cl.Close()
	}
	if w.full != nil {
		err = errors.Join(err, w.full.unmount())
	}
	if w.brokers != nil {
		err = errors.Join(err, w.brokers.Close())
	}
	return err
}

// pick takes an instance that nobody acts on. The caller gives it back by
// unlocking busy.
func (w *world) pick(ctx context.Context, rng *rand.Rand) *instance {
	first := rng.IntN(len(w.instances))
	for ctx.Err() == nil {
		for i := range w.instances {
			if n := w.instances[(first+i)%len(w.instances)]; n.busy.TryLock() {
				w.trace("  on %s, which works on %v", n.name, w.watch.of(n.name))
				return n
			}
		}
		pause(ctx, 20*time.Millisecond)
	}
	return nil
}

// pause waits, but no longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// between is a duration drawn from a range.
func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)+1))
}
