package main

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// fold reads what is shared as an instance does, the latest snapshot and the log
// after it, and notes to which transaction of each partition that has come. Each
// transaction writes both the shared log and the changelog, so that the changelog
// can be read up to the same one.
func (v *verifier) fold(ctx context.Context) error {
	folded := pipeline.NewWhole(v.cfg.core(), encode.JSON{}, false)
	parts := 0
	at, err := v.audit.Snapshot(ctx, false, func(part []byte) error { parts++; return folded.Load(part) })
	if err == nil && parts > 0 {
		err = folded.Loaded()
	}
	switch {
	case errors.Is(err, basket.ErrCounts):
		v.say("shared log", "the latest snapshot cannot be used: %s (for that, stop all instances and run \"dangol rebuild\")", err)
		folded = nil
	case errors.Is(err, pipeline.ErrFatal):
		v.say("shared log", "%s", err)
		folded = nil
	case err != nil:
		return err
	}
	bounds, err := v.audit.Bounds(ctx, pipeline.Pairs)
	if err != nil {
		return err
	}
	for p := range v.audit.Partitions() {
		since := 0
		err := v.audit.Read(ctx, pipeline.Pairs, p, bounds[p].Start, bounds[p].End, func(rec *kgo.Record) error {
			of, pos, ok, err := pipeline.PlaceOf(rec.Value)
			if err == nil && ok {
				v.place(p, pos)
			}
			if ok && of != p {
				v.say("shared log", "partition %d, offset %d: it is of partition %d", p, rec.Offset, of)
			}
			if err == nil && folded != nil && rec.Offset >= at[p] {
				since++
				err = folded.Take(pipeline.SharedRecord{Partition: p, Offset: rec.Offset, Value: rec.Value})
			}
			if err != nil {
				v.say("shared log", "partition %d, offset %d: %s", p, rec.Offset, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		v.settleTarget(p, bounds[p].Start, folded, since)
	}
	v.folded = folded
	return nil
}

// settleTarget looks at a partition's target once its log has been read, which
// begins at start, and of which since records came after the snapshot.
func (v *verifier) settleTarget(p int32, start int64, folded *pipeline.Whole, since int) {
	t := v.targets[p]
	if t == nil {
		return
	}
	if start > 0 && t.nth == v.places[p] {
		t.nth = 0 // all that the log still has were at this place: there may have been more
	}
	if folded != nil && since == 0 && folded.Place(p).Next > t.pos.Next {
		delete(v.targets, p) // the snapshot has more than the log, which had lost it: it was rebuilt
	}
}

// place notes a transaction of the shared log.
func (v *verifier) place(p int32, pos pipeline.Position) {
	v.places[p]++
	if t := v.targets[p]; t != nil && t.pos.SamePlace(pos) {
		t.nth++
		return
	}
	v.targets[p] = &target{pos, 1}
}

// compareShared compares what was folded with what the ledgers come to.
func (v *verifier) compareShared() {
	if v.folded == nil {
		return
	}
	v.folded.Differ(v.counted, func(kind, text string) { v.say(kind, "%s", text) })
}
