package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

func brokerKinds() []kind {
	return []kind{
		{name: "broker-kill", flag: "broker-kills", doc: "a broker is killed and restarted", lane: nodes, weight: 2, unable: forgetful, do: killBroker},
		{name: "broker-pause", flag: "broker-pauses", doc: "a broker stands still and goes on", lane: nodes, weight: 1, do: pauseBroker},
		{name: "coordinator", flag: "coordinators", doc: "the coordinator of the group or of an instance's transactions moves", lane: nodes, weight: 1, unable: oneBroker, do: moveCoordinator},
	}
}

// forgetful is why some faults are none that an embedded broker recovers from: it
// keeps the records of open transactions over a kill, and not that they are open,
// so that these never end.
func forgetful(w *world) string {
	if w.o.broker == "embedded" {
		return "an embedded broker that is killed forgets which transactions were open"
	}
	return ""
}

func oneBroker(w *world) string {
	if w.o.nodes == 1 {
		return "with one broker there is nobody to move to"
	}
	return ""
}

const brokersMost = 2 * time.Minute // that brokers may take to be well again

// well waits until all brokers serve and one more may die.
func (w *world) well(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, brokersMost)
	defer cancel()
	if err := w.brokers.Ready(ctx); err != nil {
		return err
	}
	return w.brokers.InSync(ctx)
}

func killBroker(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	i := rng.IntN(w.o.nodes)
	w.trace("  broker %d", i)
	at := time.Now()
	w.brokers.Kill(i)
	w.watch.began(ctx, "broker-kill", at, w.watch.everything())
	pause(ctx, between(rng, 0, 5*time.Second))
	return true, errors.Join(w.brokers.Restart(i), w.well(ctx))
}

func pauseBroker(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	i := rng.IntN(w.o.nodes)
	w.trace("  broker %d", i)
	at := time.Now()
	if err := w.brokers.Pause(i); err != nil {
		return false, err
	}
	w.watch.began(ctx, "broker-pause", at, w.watch.everything())
	pause(ctx, between(rng, time.Second, 8*time.Second))
	return true, errors.Join(w.brokers.Resume(i), w.well(ctx))
}

func moveCoordinator(ctx context.Context, w *world, rng *rand.Rand) (bool, error) {
	var i int
	var err error
	if rng.IntN(2) == 0 {
		i, err = w.brokers.GroupCoordinator(ctx, appID)
	} else {
		i, err = w.brokers.TxnCoordinator(ctx, appID+"-"+w.instances[rng.IntN(len(w.instances))].name)
	}
	if err != nil {
		w.note("coordinator: %v", err)
		return false, nil
	}
	w.trace("  broker %d", i)
	at := time.Now()
	if err := w.brokers.Stop(i); err != nil {
		w.note("%v", err)
	}
	w.watch.began(ctx, "coordinator", at, w.watch.everything())
	return true, errors.Join(w.brokers.Restart(i), w.well(ctx))
}
