package api

import (
	"context"
	"errors"
	"sync/atomic"
)

// errBusy is returned where as many wait already as may.
var errBusy = errors.New("too many queries that read many customers wait already")

// waitersPerSlot bounds the queue: whoever comes later hears so at once,
// rather than after a wait that would end in a timeout.
const waitersPerSlot = 16

// gate lets a few expensive queries run at once; others wait their turn.
type gate struct {
	slots   chan struct{}
	waiting atomic.Int64
}

func newGate(slots int) *gate { return &gate{slots: make(chan struct{}, slots)} }

// enter waits for a slot. It returns errBusy when the queue is full, or the
// context's error. After nil the caller must leave.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(cap(g.slots)*waitersPerSlot) {
		return errBusy
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the slot back.
func (g *gate) leave() { <-g.slots }
