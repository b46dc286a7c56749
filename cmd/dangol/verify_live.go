package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	api "github.com/dangol-dev/dangol/connectors/http"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// liveInstance is a running instance's API.
type liveInstance struct {
	base string
	http http.Client
}

func newLive(base string) *liveInstance {
	return &liveInstance{base: strings.TrimSuffix(base, "/"), http: http.Client{Timeout: 2 * time.Minute}}
}

// errElsewhere is of a partition that an instance has not, or no more.
var errElsewhere = errors.New("the instance does not have it")

// get reads a path of the API; while the instance is busy it asks again.
func (l *liveInstance) get(ctx context.Context, path string, into any) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+path, http.NoBody)
		if err != nil {
			return fmt.Errorf("--live %s: %w", l.base, err)
		}
		resp, err := l.http.Do(req)
		if err != nil {
			return fmt.Errorf("--live: %w", err)
		}
		body, err := io.ReadAll(resp.Body)
		err = errors.Join(err, resp.Body.Close())
		switch {
		case err != nil:
			return fmt.Errorf("--live %s: %w", l.base+path, err)
		case resp.StatusCode == http.StatusTooManyRequests:
		case resp.StatusCode == http.StatusNotFound:
			return fmt.Errorf("--live %s: %w", l.base+path, errElsewhere)
		case resp.StatusCode != http.StatusOK:
			return fmt.Errorf("--live %s answers %s: %s", l.base+path, resp.Status, strings.TrimSpace(string(body)))
		default:
			return json.Unmarshal(body, into)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// openPartitions are those that the instance works on.
func (l *liveInstance) openPartitions(ctx context.Context) ([]int32, error) {
	var doc struct {
		Open []struct {
			Partition int32 `json:"partition"`
		} `json:"open"`
	}
	err := l.get(ctx, "/v1/partitions", &doc)
	var ps []int32
	for _, o := range doc.Open {
		ps = append(ps, o.Partition)
	}
	return ps, err
}

// digest asks for a slice of a partition.
func (l *liveInstance) digest(ctx context.Context, p int32, slice, slices int, entries bool) (*api.DigestDoc, error) {
	q := url.Values{"slice": {fmt.Sprint(slice)}, "slices": {fmt.Sprint(slices)}, "entries": {fmt.Sprint(entries)}}
	d := new(api.DigestDoc)
	return d, l.get(ctx, fmt.Sprintf("/v1/partitions/%d/digest?%s", p, q.Encode()), d)
}

// digestPosition is where the state of a digest stands.
func digestPosition(d *api.DigestDoc) pipeline.Position {
	return pipeline.Position{Next: d.NextOffset, MaxTime: d.NewestEvent, Clock: d.Clock, Changelog: d.ChangelogOffset}
}

// compareLive compares the digest of a running instance's partition with the
// changelog up to the same place; where they differ it names the keys.
func (v *verifier) compareLive(ctx context.Context, l *liveInstance, r *replayed, d *api.DigestDoc) error {
	v.states++
	v.comparePosition(r, digestPosition(d), "live state")
	var sum uint64
	keys := 0
	for _, e := range r.keys {
		if e.there {
			sum += e.hash
			keys++
		}
	}
	if d.Keys == keys && d.Sum == fmt.Sprintf("%016x", sum) {
		return nil
	}
	before := v.count()
	if err := v.nameLive(ctx, l, r.partition, keys); err != nil {
		return err
	}
	if v.count() == before {
		v.say("live state", "partition %d: %d keys with sum %s, by the changelog %d with sum %016x; when asked for one by one, they were as they should be", r.partition, d.Keys, d.Sum, keys, sum)
	}
	return nil
}

// sliceKeys is about how many keys are asked for at once.
const sliceKeys = 5_000

// nameLive asks for the keys in slices. Each answer is as of a later instant than
// the one before, so the changelog is read on to the same place each time.
func (v *verifier) nameLive(ctx context.Context, l *liveInstance, p int32, keys int) error {
	f := &replayed{partition: p, keys: map[string]*entry{}}
	from := v.changelog[p].Start
	slices := keys/sliceKeys + 1
	for slice := range slices {
		d, err := l.digest(ctx, p, slice, slices, true)
		if err != nil {
			return err
		}
		if from, err = v.follow(ctx, f, from, d.ChangelogOffset); err != nil {
			return err
		}
		some := &replayed{partition: p, keys: map[string]*entry{}}
		for key, e := range f.keys {
			if pipeline.SliceOf([]byte(key), slices) == slice {
				copied := *e
				some.keys[key] = &copied
			}
		}
		for _, e := range d.Entries {
			var hash uint64
			if _, err := fmt.Sscanf(e.Hash, "%x", &hash); err != nil {
				return fmt.Errorf("--live %s: hash %q: %w", l.base, e.Hash, err)
			}
			v.compareEntry(some, "live state", e.Key, hash)
		}
		v.missing(some, "live state")
	}
	return nil
}

// follow reads a partition's whole transactions on to an offset, and returns where
// the next one begins.
func (v *verifier) follow(ctx context.Context, f *replayed, from, to int64) (int64, error) {
	var tx []*kgo.Record
	f.stateAt = to
	err := v.audit.Read(ctx, pipeline.Changelog, f.partition, from, to, func(rec *kgo.Record) error {
		if !rec.Attrs.IsTransactional() {
			return nil
		}
		tx = append(tx, rec)
		if _, ok := pipeline.CommitOf(rec.Key); !ok {
			return nil
		}
		for _, r := range tx[:len(tx)-1] {
			v.applyRecord(f, r, true)
		}
		tx, from = tx[:0], rec.Offset+1
		return nil
	})
	return from, err
}
