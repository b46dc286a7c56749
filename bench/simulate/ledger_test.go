//go:build synctests

package simulate

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

// checkChangelog compares the changelog with the stores of who has the partitions, and
// the commit records with the group.
func (w *world) checkChangelog(o *outcome, records []*kgo.Record) {
	latest := map[int32]map[string]string{}
	for p := range w.partitions {
		latest[p] = map[string]string{}
	}
	for _, r := range records {
		switch {
		case string(r.Key) == "b": // a barrier
		case r.Value == nil:
			delete(latest[r.Partition], string(r.Key))
		default:
			latest[r.Partition][string(r.Key)] = string(r.Value)
		}
	}
	offs, err := w.adm.FetchOffsets(context.Background(), app)
	require.NoError(w.t, err)
	for _, in := range w.all {
		l := in.current()
		for _, p := range l.has() {
			pos, err := l.position(p)
			require.NoError(w.t, err)
			key := string(binary.BigEndian.AppendUint32([]byte{'p'}, uint32(p)))
			if b, ok := latest[p][key]; ok {
				logged, err := pipeline.DecodePosition([]byte(b))
				require.NoError(w.t, err)
				pos.Changelog, pos.Identity, logged.Identity = 0, 0, 0
				if logged != pos {
					o.fail(changelogIs, "partition %d: the commit record is %+v, the store's %+v", p, logged, pos)
				}
			} else if pos.Next > 0 {
				o.fail(changelogIs, "partition %d: no commit record", p)
			}
			delete(latest[p], key)
			group := int64(0)
			if at, ok := offs.Lookup(topic, p); ok {
				group = max(at.At, 0)
			}
			if group != pos.Next || group != w.ends[p] {
				o.fail(offsetsAre, "partition %d: the group is at %d, the commit record at %d, the input ends at %d", p, group, pos.Next, w.ends[p])
			}
			w.compare(o, p, l, latest[p])
		}
	}
}

// compare compares a partition's changelog with its state. What follows is what a
// changelog record is: the due time, and the bytes.
func (w *world) compare(o *outcome, p int32, l *life, logged map[string]string) {
	stored := map[string]string{}
	require.NoError(w.t, l.store.Scan(p, nil, func(key, val []byte, due int64) error {
		stored[string(key)] = string(append(binary.AppendVarint(nil, due), val...))
		return nil
	}))
	for key := range logged {
		if stored[key] != logged[key] {
			o.fail(changelogIs, "partition %d, key %q: the store has %d bytes, the changelog %d, or others", p, key, len(stored[key]), len(logged[key]))
		}
	}
	if len(stored) != len(logged) {
		o.fail(changelogIs, "partition %d: the store has %d keys, the changelog %d", p, len(stored), len(logged))
	}
}

// owner is whose a customer is.
func (w *world) owner(id string) int32 { return int32(event.Hash(id) % uint64(w.partitions)) }

// checkFacts compares the facts with a replay's.
func (w *world) checkFacts(o *outcome) {
	got := map[string]string{}
	for _, in := range w.all {
		l := in.current()
		has := l.has()
		require.NoError(w.t, pipeline.EachFacts(l.store, func(id string, facts []byte, _ uint64) error {
			if slices.Contains(has, w.owner(id)) {
				got[id] = string(facts)
			}
			return nil
		}))
	}
	want := w.replayed()
	for id := range want {
		if got[id] != want[id] {
			o.fail(factsReplayed, "customer %s: %d bytes of facts, a replay gives %d, or others", id, len(got[id]), len(want[id]))
		}
	}
	if len(got) != len(want) {
		o.fail(factsReplayed, "%d customers, a replay gives %d", len(got), len(want))
	}
}
