package main

import (
	"fmt"

	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/state"
)

// statePosition is where the local state of a partition stands; ok is false where
// there is nothing to compare.
func (v *verifier) statePosition(p int32) (pos pipeline.Position, ok bool, err error) {
	if v.store == nil {
		return pos, false, nil
	}
	b, have, err := v.store.Position(p)
	if err != nil || !have {
		return pos, false, err
	}
	if pos, err = pipeline.DecodePosition(b); err != nil {
		v.say("state", "partition %d: commit record: %s", p, err)
		return pos, false, nil
	}
	log := v.ends[p]
	switch {
	case pos.Identity != v.audit.Identity():
		v.say("state", "partition %d: it belongs to another cluster, app_id, input topic or changelog", p)
	case pos.Changelog > log.End:
		v.say("state", "partition %d: it has the changelog up to offset %d, which ends at %d: the topic lost records, or the position is wrong", p, pos.Changelog, log.End)
	case pos.Changelog < log.Start:
		v.note("state: partition %d: it has the changelog up to offset %d, which begins at %d by now: nothing can be compared", p, pos.Changelog, log.Start)
	default:
		return pos, true, nil
	}
	return pos, false, nil
}

// compareState compares the local state of a partition with the changelog up to
// the place to which that state has come.
func (v *verifier) compareState(r *replayed, pos pipeline.Position) (err error) {
	p := r.partition
	f, err := v.store.Freeze(p)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	v.states++
	v.comparePosition(r, pos, "state")
	dues := map[string]int64{}
	seen := 0
	err = f.Scan(func(key, val []byte, due int64) error {
		seen++
		if due != 0 {
			dues[string(key)] = due
		}
		v.compareEntry(r, "state", key, pipeline.EntryHash(key, val, due))
		return nil
	})
	if err != nil {
		return err
	}
	v.missing(r, "state")
	n, err := f.Len()
	if err != nil {
		return err
	}
	if n != seen {
		v.say("state", "partition %d: its counter says %d keys, it has %d", p, n, seen)
	}
	return v.compareTimers(f, p, dues)
}

// compareEntry compares one key of a state, and takes it off those that the
// changelog has.
func (v *verifier) compareEntry(r *replayed, kind string, key []byte, hash uint64) {
	e := r.keys[string(key)]
	switch {
	case e == nil || !e.there && !e.changed:
		v.say(kind, "partition %d: %s is in the state and not in the changelog", r.partition, keyName(key))
	case e.there && e.hash != hash:
		v.say(kind, "partition %d: %s has another value or due time than in the changelog", r.partition, keyName(key))
	}
	if e != nil {
		e.there = false
	}
}

// missing tells of the keys that compareEntry has not met.
func (v *verifier) missing(r *replayed, kind string) {
	for key, e := range r.keys {
		if e.there {
			v.say(kind, "partition %d: %s is missing", r.partition, keyName([]byte(key)))
		}
	}
}

func (v *verifier) comparePosition(r *replayed, pos pipeline.Position, kind string) {
	switch {
	case !r.known && r.behind == 0:
		v.say(kind, "partition %d: it has come to %s, and the changelog has no commit record", r.partition, placeText(pos))
	case !r.known: // the commit record at that place was compacted away
	case !r.state.SamePlace(pos):
		v.say(kind, "partition %d: its position is %s, the changelog's commit record there says %s", r.partition, placeText(pos), placeText(r.state))
	}
	if r.behind > 0 && kind == "state" {
		v.note("state: partition %d: it is %d transactions behind the changelog, as after a kill, or because another instance has the partition", r.partition, r.behind)
	}
}

// compareTimers holds the index of timers against the due times of the data.
func (v *verifier) compareTimers(f *state.Frozen, p int32, dues map[string]int64) error {
	err := f.Timers(func(due int64, key []byte) error {
		switch want, ok := dues[string(key)]; {
		case !ok:
			v.say("timers", "partition %d: a timer of %s at %s is left over", p, keyName(key), instant(due))
		case want != due:
			v.say("timers", "partition %d: a timer of %s at %s is left over: it is due at %s", p, keyName(key), instant(due), instant(want))
		default:
			delete(dues, string(key))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("timers of partition %d: %w", p, err)
	}
	for key, due := range dues {
		v.say("timers", "partition %d: %s is due at %s and has no timer", p, keyName([]byte(key)), instant(due))
	}
	return nil
}
