package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

func memberKinds() []kind {
	return []kind{
		{name: "rebalance", flag: "rebalances", doc: "an instance more joins the group, and leaves it", lane: members, weight: 1, do: joinAndLeave},
	}
}

const extraNames = 2 // an instance that comes back has a state of long ago

// joinAndLeave is two rebalances at least, and counts as one.
func joinAndLeave(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	n, err := w.extra(fmt.Sprintf("x%d", rng.IntN(extraNames)))
	if err != nil {
		return false, err
	}
	at := time.Now()
	if err := n.start(); err != nil {
		return false, err
	}
	w.watch.began(ctx, "rebalance", at, w.watch.everything()).wait(ctx, recoverMost)
	pause(ctx, between(rng, time.Second, 6*time.Second))
	owned := w.watch.of(n.name)
	at = time.Now()
	if rng.IntN(3) == 0 {
		n.kill()
	} else if err := n.stop(); err != nil {
		w.note("%v", err)
	}
	w.watch.began(ctx, "rebalance", at, owned)
	return true, nil
}

// extra is an instance that comes and goes.
func (w *world) extra(name string) (*instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.extras {
		if n.name == name {
			return n, nil
		}
	}
	n, err := w.newInstance(name)
	if err == nil {
		w.extras = append(w.extras, n)
	}
	return n, err
}
