package main

import (
	"bytes"
	"context"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// lastWord is what the changelog's emission says of a customer.
type lastWord struct {
	partition int32
	version   uint64
	erased    bool // nothing is said of it now
}

// hashOf is by which customers are remembered over all partitions.
func hashOf(id []byte) uint64 { return xxhash.Sum64(id) }

// versionOf reads the version of a document or a change; 0 where there is none. In
// a string the quotes would be escaped, and nothing nested comes before it.
func versionOf(doc []byte) uint64 {
	_, rest, ok := bytes.Cut(doc, []byte(`"version":`))
	if !ok {
		return 0
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(rest[:end]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// document is what a topic has of a customer.
type document struct {
	version uint64 // 0: a tombstone
	id      string // kept where it is to be named
}

// eachRecord calls fn with all committed records of a topic.
func (v *verifier) eachRecord(ctx context.Context, t pipeline.Topic, fn func(*kgo.Record)) error {
	bounds, err := v.audit.Bounds(ctx, t)
	if err != nil {
		return err
	}
	for p := range bounds {
		err := v.audit.Read(ctx, t, int32(p), bounds[p].Start, bounds[p].End, func(rec *kgo.Record) error { fn(rec); return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// scores holds the latest documents against the emissions.
func (v *verifier) scores(ctx context.Context) error {
	latest := map[uint64]uint64{}
	suspects := map[uint64]*document{}
	look := func(rec *kgo.Record) {
		h := hashOf(rec.Key)
		version := uint64(0)
		if rec.Value != nil {
			version = versionOf(rec.Value)
		}
		latest[h] = version
		c, known := v.customers[h]
		if fits(c, known, version) {
			delete(suspects, h)
			return
		}
		suspects[h] = &document{version, string(rec.Key)}
	}
	if err := v.eachRecord(ctx, pipeline.Scores, look); err != nil {
		return err
	}
	if err := v.moved(ctx, suspects); err != nil {
		return err
	}
	for h, d := range suspects {
		switch c, known := v.customers[h]; {
		case !known:
			v.say("scores", "customer %q has a document, and is not in the changelog", d.id)
		case c.erased:
			v.say("scores", "customer %q is erased at version %d, and has a document of version %d", d.id, c.version, d.version)
		case d.version == 0:
			v.say("scores", "customer %q has a tombstone, its latest version is %d", d.id, c.version)
		default:
			v.say("scores", "customer %q has a document of version %d, its latest version is %d", d.id, d.version, c.version)
		}
	}
	var none []uint64
	for h, c := range v.customers {
		if _, ok := latest[h]; !ok && !c.erased && c.version > 0 {
			none = append(none, h)
		}
	}
	return v.nameNone(ctx, none)
}

// fits says whether a customer's latest document is the one to be expected.
func fits(c lastWord, known bool, version uint64) bool {
	if !known || c.erased || c.version == 0 {
		return version == 0
	}
	return c.version == version
}

// moved takes off the suspects those whose changelog has gone on, since it was
// read, to what their document says.
func (v *verifier) moved(ctx context.Context, suspects map[uint64]*document) error {
	if !v.active(ctx) || len(suspects) == 0 {
		return nil
	}
	bounds, err := v.audit.Bounds(ctx, pipeline.Changelog)
	if err != nil {
		return err
	}
	for p := range v.audit.Partitions() {
		err := v.audit.Read(ctx, pipeline.Changelog, p, v.reads[p], bounds[p].End, func(rec *kgo.Record) error {
			id, ok := pipeline.CustomerOf(rec.Key)
			if !ok || rec.Value == nil {
				return nil
			}
			d := suspects[hashOf(id)]
			if d == nil {
				return nil
			}
			val, _, err := pipeline.SplitLogged(rec.Value)
			if err == nil {
				err = pipeline.DecodeCustomer(val, &v.led, &v.em, v.intern)
			}
			if err == nil && (v.em.Version >= d.version) {
				delete(suspects, hashOf(id))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nameNone names customers without a document, whom their hashes alone are known of.
func (v *verifier) nameNone(ctx context.Context, hashes []uint64) error {
	if len(hashes) == 0 {
		return nil
	}
	want := make(map[uint64]bool, len(hashes))
	for _, h := range hashes {
		want[h] = true
	}
	return v.eachRecord(ctx, pipeline.Changelog, func(rec *kgo.Record) {
		id, ok := pipeline.CustomerOf(rec.Key)
		if h := hashOf(id); ok && want[h] {
			delete(want, h)
			v.say("scores", "customer %q has no document, its latest version is %d", id, v.customers[h].version)
		}
	})
}

// changes looks for gaps and repeats in the versions of the changes that are kept.
func (v *verifier) changes(ctx context.Context) error {
	latest := map[uint64]uint64{}
	moving := v.active(ctx)
	err := v.eachRecord(ctx, pipeline.Changes, func(rec *kgo.Record) {
		v.changed++
		h, n := hashOf(rec.Key), versionOf(rec.Value)
		if before, seen := latest[h]; seen && n != before+1 {
			v.say("changes", "customer %q: version %d comes after version %d (partition %d, offset %d)", rec.Key, n, before, rec.Partition, rec.Offset)
		}
		if c, known := v.customers[h]; n > c.version && !moving {
			if !known {
				v.say("changes", "customer %q has changes, and is not in the changelog", rec.Key)
			} else {
				v.say("changes", "customer %q has a change of version %d, its latest version is %d", rec.Key, n, c.version)
			}
		}
		latest[h] = n
	})
	if err != nil {
		return err
	}
	behind := map[uint64]bool{}
	for h, n := range latest {
		if c := v.customers[h]; n < c.version {
			behind[h] = true
		}
	}
	if len(behind) == 0 {
		return nil
	}
	return v.eachRecord(ctx, pipeline.Changes, func(rec *kgo.Record) {
		if h := hashOf(rec.Key); behind[h] {
			delete(behind, h)
			v.say("changes", "customer %q: the latest change is of version %d, its latest version is %d", rec.Key, latest[h], v.customers[h].version)
		}
	})
}
