package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// entry is a key of a partition as its changelog has it, at two instants: the cut,
// up to which the shared log was read, and the place to which the state has come
// that it is compared with.
type entry struct {
	val     []byte // at the cut; nil: it is not there
	due     int64
	hash    uint64 // pipeline.EntryHash, at the state's place
	there   bool   // at the state's place
	changed bool   // after the state's place
}

// replayed is what was read of a partition of the changelog.
type replayed struct {
	partition int32
	keys      map[string]*entry
	stateAt   int64 // the state has the changelog up to here; 0: nothing is compared
	read      int64 // offset after the last transaction up to the cut

	last    pipeline.Position // the latest commit record
	commits int
	state   pipeline.Position // the commit record at the state's place
	known   bool              // there is one
	behind  int               // transactions after the state's place

	target  *target
	run     int // commit records of one place in a row
	matched bool
	passed  bool // the cut is behind us

	later map[string]lastWord // of customers that were written after the cut

	tx    []*kgo.Record // of the transaction under way
	owner []byte        // where delivery is at least once: whose records count; nil: everybody's
}

// target is the transaction at which to stop reading: the latest that the shared
// log has. Of several in a row at one place, the nth; 0: the last of them.
type target struct {
	pos pipeline.Position
	nth int
}

func keyName(key []byte) string {
	if id, ok := pipeline.CustomerOf(key); ok {
		return fmt.Sprintf("customer %q", id)
	}
	return fmt.Sprintf("key %q", key)
}

// replay reads a partition of the changelog to its end.
func (v *verifier) replay(ctx context.Context, p int32, stateAt int64) (*replayed, error) {
	r := &replayed{partition: p, keys: map[string]*entry{}, stateAt: stateAt, target: v.targets[p]}
	b := v.changelog[p]
	err := v.audit.Read(ctx, pipeline.Changelog, p, b.Start, v.ends[p].End, func(rec *kgo.Record) error {
		return v.logRecord(r, rec)
	})
	if err != nil {
		return nil, err
	}
	if len(r.tx) > 0 {
		v.say("changelog", "partition %d: %d records from offset %d on have no commit record after them: %s",
			p, len(r.tx), r.tx[0].Offset, naming(keyNames(r.tx)))
	}
	if r.target != nil && !r.matched && !r.last.SamePlace(r.target.pos) {
		text := fmt.Sprintf("partition %d: the shared log has come to %s, of which the changelog has no commit record", p, placeText(r.target.pos))
		if v.active(ctx) {
			v.note("%s: it moved meanwhile", text)
		} else {
			v.say("shared log", "%s", text)
		}
	}
	return r, nil
}

func keyNames(recs []*kgo.Record) []string {
	var names []string
	for _, rec := range recs {
		if _, commit := pipeline.CommitOf(rec.Key); !commit {
			names = append(names, keyName(rec.Key))
		}
	}
	return names
}

func placeText(p pipeline.Position) string {
	return fmt.Sprintf("input offset %d, newest event %s, clock %s", p.Next, instant(p.MaxTime), instant(p.Clock))
}

func (v *verifier) logRecord(r *replayed, rec *kgo.Record) error {
	if kafka.IsBarrier(rec.Key) {
		v.takenOver(r, rec.Value)
		return nil
	}
	token := kafka.TokenOf(rec)
	switch {
	case rec.Attrs.IsTransactional():
	case token != nil && r.owner != nil && !bytes.Equal(token, r.owner):
		return nil // of a session that had lost the partition
	case token == nil:
		v.say("changelog", "partition %d, offset %d: %s was not written in a transaction: something else writes to the topic",
			r.partition, rec.Offset, keyName(rec.Key))
		return nil
	}
	r.tx = append(r.tx, rec)
	of, ok := pipeline.CommitOf(rec.Key)
	if !ok {
		return nil
	}
	tx := r.tx
	r.tx = r.tx[:0]
	pos, err := pipeline.DecodePosition(rec.Value)
	if err == nil && of != r.partition {
		err = fmt.Errorf("it is of partition %d", of)
	}
	if err != nil {
		v.say("changelog", "partition %d, offset %d: commit record: %s", r.partition, rec.Offset, err)
		return nil
	}
	v.transaction(r, tx, pos)
	return nil
}

// takenOver notes a barrier: what the session before has left unfinished, without
// transactions, counts, and only the new one's records from here on.
func (v *verifier) takenOver(r *replayed, token []byte) {
	if len(token) == 0 {
		return
	}
	r.owner = token
	if len(r.tx) == 0 || r.tx[0].Attrs.IsTransactional() {
		return
	}
	before := r.tx[len(r.tx)-1].Offset < r.stateAt
	for _, rec := range r.tx {
		v.applyRecord(r, rec, before)
	}
	r.tx = r.tx[:0]
}

// transaction applies one to the two instants.
func (v *verifier) transaction(r *replayed, tx []*kgo.Record, pos pipeline.Position) {
	end := tx[len(tx)-1].Offset + 1
	if r.run++; r.commits == 0 || !pos.SamePlace(r.last) {
		r.run = 1
	}
	r.commits++
	r.last = pos
	if t := r.target; t != nil {
		same := pos.SamePlace(t.pos)
		r.passed = r.passed || r.matched && (!same || t.nth > 0 && r.run > t.nth)
		r.matched = r.matched || same && (t.nth == 0 || r.run == t.nth)
	}
	if r.passed && tx[0].Offset < v.changelog[r.partition].Stable && end <= v.changelog[r.partition].Stable {
		v.say("shared log", "partition %d: it does not have the transaction at offset %d of the changelog (%s), of %s",
			r.partition, tx[0].Offset, placeText(pos), naming(keyNames(tx)))
	}
	if !r.passed {
		r.read = end
	}
	before := end <= r.stateAt
	if before {
		r.state, r.known = pos, true
	} else {
		r.behind++
	}
	for _, rec := range tx[:len(tx)-1] {
		v.applyRecord(r, rec, before)
	}
}

func (v *verifier) applyRecord(r *replayed, rec *kgo.Record, before bool) {
	e := r.keys[string(rec.Key)]
	if e == nil {
		e = new(entry)
		r.keys[string(rec.Key)] = e
	}
	var val []byte
	var due int64
	if rec.Value != nil {
		var err error
		if val, due, err = pipeline.SplitLogged(rec.Value); err != nil {
			v.say("changelog", "partition %d, offset %d: %s: %s", r.partition, rec.Offset, keyName(rec.Key), err)
			return
		}
	}
	if r.passed {
		v.noteLater(r, rec.Key, val)
	} else {
		e.due = due
		if e.val = append(e.val[:0], val...); rec.Value == nil {
			e.val = nil
		}
	}
	switch {
	case r.stateAt == 0:
	case !before:
		e.changed = true
	case rec.Value == nil:
		e.there = false
	default:
		e.there, e.hash = true, pipeline.EntryHash(rec.Key, val, due)
	}
}

// noteLater notes what was last said of a customer after the cut: documents are held
// against that.
func (v *verifier) noteLater(r *replayed, key, val []byte) {
	if _, ok := pipeline.CustomerOf(key); !ok || val == nil {
		return
	}
	if pipeline.DecodeCustomer(val, &v.led, &v.em, v.intern) != nil {
		return // examine tells of what counts
	}
	if r.later == nil {
		r.later = map[string]lastWord{}
	}
	r.later[string(key)] = lastWord{partition: r.partition, version: v.em.Version, erased: v.em.Stage == 0}
}

// examine decodes the customers of a partition as they are at the cut, and counts
// them.
func (v *verifier) examine(r *replayed) {
	for key, e := range r.keys {
		id, ok := pipeline.CustomerOf([]byte(key))
		if !ok || e.val == nil {
			continue
		}
		if err := pipeline.DecodeCustomer(e.val, &v.led, &v.em, v.intern); err != nil {
			v.say("changelog", "partition %d: customer %q cannot be read: %s", r.partition, id, err)
			continue
		}
		if e.due != v.em.Next {
			v.say("timers", "partition %d: customer %q is due at %s in the changelog, its next crossing is at %s",
				r.partition, id, instant(e.due), instant(v.em.Next))
		}
		h := hashOf(id)
		if old, twice := v.customers[h]; twice {
			v.say("changelog", "customer %q is in partitions %d and %d", id, old.partition, r.partition)
		}
		v.customers[h] = lastWord{partition: r.partition, version: v.em.Version, erased: v.em.Stage == 0}
		v.counted.Add(&v.led, &v.em)
	}
	for key, word := range r.later {
		id, _ := pipeline.CustomerOf([]byte(key))
		v.customers[hashOf(id)] = word
	}
	v.counted.At(r.partition, r.last)
	r.keys = map[string]*entry{}
}

// offsets compares a partition's latest commit record with the group's committed
// offset and with the input's bounds.
func (v *verifier) offsets(ctx context.Context, r *replayed, after map[int32]int64) {
	p, next := r.partition, r.last.Next
	low, committed := v.committed[p]
	high := max(low, after[p])
	in := v.input[p]
	switch {
	case r.commits == 0 && !committed:
		return
	case r.commits == 0:
		v.say("offsets", "partition %d: the group has committed offset %d, and the changelog has no commit record: it has lost its records, or is another app_id's; dangol run refuses to start", p, low)
		return
	case !committed && !v.active(ctx):
		v.say("offsets", "partition %d: the group has no committed offset, the changelog's state has come to %d: the offsets have expired or were deleted; the state goes on from its own, nothing counts twice", p, next)
	case committed && next > high:
		v.say("offsets", "partition %d: the group's committed offset %d is lower than the state's %d: it was set back; the state goes on from its own, nothing counts twice", p, high, next)
	case committed && next < low:
		v.say("offsets", "partition %d: the group's committed offset %d is higher than the state's %d: what lies between is not in the state, and dangol run refuses to start; set the group's offset back to %d", p, low, next, next)
	}
	if next < in.Start {
		v.say("input", "partition %d: records %d to %d were deleted, by retention perhaps, before they were read; dangol run refuses to start without input.deleted: skip", p, next, in.Start-1)
	}
	if next > in.End {
		v.say("input", "partition %d: it ends at offset %d, the state has read it to %d: it was made anew, or lost its end", p, in.End, next)
	}
	v.lag += max(in.End-max(next, in.Start), 0)
}
