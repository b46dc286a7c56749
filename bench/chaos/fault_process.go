package main

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/chaos/proxy"
)

func processKinds() []kind {
	return []kind{
		{name: "kill", flag: "kills", doc: "an instance is killed (SIGKILL), at any moment or at a step of its commit", lane: processes, weight: 6, do: killOne},
		{name: "stop", flag: "stops", doc: "an instance stands still (SIGSTOP) beyond the session timeout and wakes up", lane: processes, weight: 2, do: stopOne},
		{name: "txn-timeout", flag: "txn-timeouts", doc: "an instance stands still in a transaction beyond the transaction timeout", lane: processes, weight: 1, do: stopInTransaction},
		{name: "rolling", flag: "rolling", doc: "all instances are restarted (SIGTERM) one after the other", lane: processes, weight: 1, do: rollAll},
		{name: "hijack", flag: "hijacks", doc: "a foreign client takes an instance's transactional id", lane: processes, weight: 1, do: hijackOne},
	}
}

// commitSteps are the moments of a transaction's end as the brokers see them.
var commitSteps = []struct {
	key int16
	at  proxy.Moment
}{
	{proxy.Produce, proxy.Forwarded}, {proxy.Produce, proxy.Answer},
	{proxy.TxnOffsetCommit, proxy.Request}, {proxy.TxnOffsetCommit, proxy.Answer},
	{proxy.EndTxn, proxy.Request}, {proxy.EndTxn, proxy.Forwarded}, {proxy.EndTxn, proxy.Answer},
}

const hookMost = 5 * time.Second // that a step of a commit is waited for

// at calls do at a step of an instance's commit, or after a while without one.
func (n *instance) at(ctx context.Context, key int16, at proxy.Moment, cut bool, do func()) (met bool) {
	h := &proxy.Hook{Key: key, At: at, Cut: cut, Do: do}
	n.net.On(h)
	select {
	case <-h.Done:
		return true
	case <-time.After(hookMost):
	case <-ctx.Done():
	}
	if !n.net.Drop(h) {
		<-h.Done
		return true
	}
	return false
}

// dies kills an instance, somehow, and begins to measure.
func (w *world) dies(ctx context.Context, n *instance, kind string, rng *rand.Rand) {
	owned := w.watch.of(n.name)
	at := time.Now()
	die := func() { at = time.Now(); n.kill() }
	s := commitSteps[rng.IntN(len(commitSteps))]
	if rng.IntN(2) > 0 && n.at(ctx, s.key, s.at, true, die) {
		w.trace("  killed at request %d, moment %d", s.key, s.at)
	} else {
		die()
	}
	w.watch.began(ctx, kind, at, owned)
}

func killOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.pick(ctx, rng)
	if n == nil {
		return false, nil
	}
	defer n.busy.Unlock()
	w.dies(ctx, n, "kill", rng)
	n.snapshot(rng)
	switch rng.IntN(5) {
	case 0:
		pause(ctx, w.o.session+between(rng, 0, 3*time.Second))
	case 1, 2:
		pause(ctx, between(rng, 0, 3*time.Second))
	}
	return true, n.start()
}

func stopOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.pick(ctx, rng)
	if n == nil {
		return false, nil
	}
	defer n.busy.Unlock()
	owned := w.watch.of(n.name)
	at := time.Now()
	if !n.signal(syscall.SIGSTOP) {
		return false, nil
	}
	w.watch.began(ctx, "stop", at, owned)
	pause(ctx, w.o.session+between(rng, time.Second, 5*time.Second))
	return n.signal(syscall.SIGCONT), nil
}

func stopInTransaction(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.pick(ctx, rng)
	if n == nil {
		return false, nil
	}
	defer n.busy.Unlock()
	owned := w.watch.of(n.name)
	at, stopped := time.Now(), false
	if !n.at(ctx, proxy.Produce, proxy.Forwarded, false, func() { at, stopped = time.Now(), n.signal(syscall.SIGSTOP) }) || !stopped {
		return false, nil
	}
	w.watch.began(ctx, "txn-timeout", at, owned)
	pause(ctx, max(w.o.txn, w.o.session)+between(rng, 2*time.Second, 4*time.Second))
	return n.signal(syscall.SIGCONT), nil
}

func rollAll(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	for i := range w.instances {
		n := w.instances[i]
		n.busy.Lock()
		owned := w.watch.of(n.name)
		at := time.Now()
		err := n.stop()
		r := w.watch.began(ctx, "rolling", at, owned)
		if err != nil {
			w.note("%v", err)
		}
		pause(ctx, between(rng, 0, time.Second))
		err = n.start()
		n.busy.Unlock()
		if err != nil {
			return false, err
		}
		r.wait(ctx, recoverMost)
	}
	return ctx.Err() == nil, nil
}

func hijackOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.pick(ctx, rng)
	if n == nil {
		return false, nil
	}
	defer n.busy.Unlock()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.Addrs()...), kgo.ClientID("chaos-hijacker"),
		kgo.TransactionalID(appID+"-"+n.name), kgo.TransactionTimeout(w.o.txn))
	if err != nil {
		return false, err
	}
	defer cl.Close()
	owned := w.watch.of(n.name)
	within, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	at := time.Now()
	if _, _, err := cl.ProducerID(within); err != nil {
		w.note("hijack: %v", err)
		return false, nil
	}
	w.watch.began(ctx, "hijack", at, owned)
	return true, nil
}
