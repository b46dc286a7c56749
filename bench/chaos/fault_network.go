package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/dangol-dev/dangol/bench/chaos/proxy"
)

func networkKinds() []kind {
	return []kind{
		{name: "cut", flag: "cuts", doc: "all of an instance's connections are cut", lane: network, weight: 2, do: cutOne},
		{name: "end-lost", flag: "end-lost", doc: "the answer to an instance's EndTxn is lost, and the connection", lane: network, weight: 2, do: loseEnd},
		{name: "latency", flag: "latencies", doc: "what an instance sends and gets is late for a while", lane: network, weight: 1, do: slowOne},
		{name: "hole", flag: "holes", doc: "what an instance sends and gets is held back, then dropped", lane: network, weight: 1, do: holeOne},
	}
}

// any is an instance that somebody else may be acting on.
func (w *world) any(rng *rand.Rand) *instance {
	n := w.instances[rng.IntN(len(w.instances))]
	w.trace("  on %s, which works on %v", n.name, w.watch.of(n.name))
	return n
}

func cutOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.any(rng)
	owned := w.watch.of(n.name)
	at := time.Now()
	if n.net.Cut() == 0 {
		return false, nil
	}
	w.watch.began(ctx, "cut", at, owned)
	return true, nil
}

func loseEnd(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.any(rng)
	owned := w.watch.of(n.name)
	at := time.Now()
	if !n.at(ctx, proxy.EndTxn, proxy.Answer, true, func() { at = time.Now() }) {
		return false, nil
	}
	w.watch.began(ctx, "end-lost", at, owned)
	return true, nil
}

func slowOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.any(rng)
	n.net.Delay(between(rng, 10*time.Millisecond, 300*time.Millisecond))
	pause(ctx, between(rng, 2*time.Second, 6*time.Second))
	n.net.Delay(0)
	return true, nil
}

func holeOne(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n := w.any(rng)
	owned := w.watch.of(n.name)
	at := time.Now()
	n.net.Hole(true)
	w.watch.began(ctx, "hole", at, owned)
	pause(ctx, between(rng, time.Second, w.o.session+4*time.Second))
	n.net.Cut()
	n.net.Hole(false)
	return true, nil
}
