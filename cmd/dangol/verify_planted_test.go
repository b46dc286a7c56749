package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// The spaces of package state's keys, see its layout: a tag, the partition.
func spaceKey(tag byte, p int32, rest ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{tag}, uint32(p)), rest...)
}

// firstKey is the first key of a space of partition 1, and its value.
func firstKey(t *testing.T, db *pebble.DB, tag byte) (key, val []byte) {
	t.Helper()
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: spaceKey(tag, 1), UpperBound: spaceKey(tag, 2)})
	require.NoError(t, err)
	require.True(t, it.First())
	key, val = bytes.Clone(it.Key()), bytes.Clone(it.Value())
	require.NoError(t, it.Close())
	return key, val
}

// damage copies the state directory and lets edit change the copy behind the
// store's back.
func (a *audited) damage(edit func(db *pebble.DB)) (dir string) {
	a.t.Helper()
	dir = filepath.Join(a.t.TempDir(), "state")
	require.NoError(a.t, os.CopyFS(dir, os.DirFS(a.state)))
	db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	require.NoError(a.t, err)
	edit(db)
	require.NoError(a.t, db.Close())
	return dir
}

type quiet struct{}

func (quiet) Infof(string, ...any)         {}
func (quiet) Errorf(string, ...any)        {}
func (quiet) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// differs wants exactly some differences, each line matching one of the patterns.
func (a *audited) differs(live []string, sets []string, patterns ...string) {
	a.t.Helper()
	out, differs := a.verify(live, sets...)
	require.True(a.t, differs, "%s", out)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	lines = lines[:len(lines)-1]
	for _, p := range patterns {
		require.Regexp(a.t, "(?m)^"+p, out)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "note: ") {
			require.Regexp(a.t, "^("+strings.Join(patterns, "|")+")", line)
		}
	}
}

// Whatever is changed in the local state is named, and nothing else.
func TestVerifyNamesDamagedState(t *testing.T) {
	a := newAudited(t, 6_000, "clock: event\n").stopped()
	a.same()
	set := func(db *pebble.DB, k, v []byte) { require.NoError(t, db.Set(k, v, pebble.Sync)) }
	remove := func(db *pebble.DB, k []byte) { require.NoError(t, db.Delete(k, pebble.Sync)) }
	const customer = `customer "[^"]+"`
	flip := func(db *pebble.DB) {
		k, v := firstKey(t, db, 3)
		v[len(v)-1] ^= 1
		set(db, k, v)
	}
	for _, c := range []struct {
		name     string
		edit     func(db *pebble.DB)
		patterns []string
	}{
		{"value", flip, []string{"state: partition 1: " + customer + " has another value or due time"}},
		{"missing", func(db *pebble.DB) {
			k, _ := firstKey(t, db, 3)
			remove(db, k)
		}, []string{"state: partition 1: " + customer + " is missing", `state: partition 1: its counter says \d+ keys, it has \d+`,
			"timers: partition 1: a timer of " + customer + " at .* is left over"}},
		{"extra", func(db *pebble.DB) {
			set(db, append(spaceKey(3, 1), "cnobody"...), []byte{0, 1, 2})
		}, []string{`state: partition 1: customer "nobody" is in the state and not in the changelog`, "state: partition 1: its counter"}},
		{"timer removed", func(db *pebble.DB) {
			k, _ := firstKey(t, db, 4)
			remove(db, k)
		}, []string{"timers: partition 1: " + customer + " is due at .* and has no timer"}},
		{"timer added", func(db *pebble.DB) {
			k, _ := firstKey(t, db, 4)
			k[12]++
			set(db, k, nil)
		}, []string{"timers: partition 1: a timer of " + customer + " at .* is left over"}},
		{"position", func(db *pebble.DB) {
			k, v := firstKey(t, db, 1)
			pos, err := pipeline.DecodePosition(v)
			require.NoError(t, err)
			pos.Next++
			set(db, k, pos.Append(nil))
		}, []string{"state: partition 1: its position is input offset .* the changelog's commit record there says"}},
		{"identity", func(db *pebble.DB) {
			k, v := firstKey(t, db, 1)
			pos, err := pipeline.DecodePosition(v)
			require.NoError(t, err)
			pos.Identity++
			set(db, k, pos.Append(nil))
		}, []string{"state: partition 1: it belongs to another cluster"}},
		{"beyond", func(db *pebble.DB) {
			k, v := firstKey(t, db, 1)
			pos, err := pipeline.DecodePosition(v)
			require.NoError(t, err)
			pos.Changelog += 1000
			set(db, k, pos.Append(nil))
		}, []string{"state: partition 1: it has the changelog up to offset"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := *a
			b.t = t
			b.differs(nil, []string{"state.dir=" + b.damage(c.edit)}, c.patterns...)
		})
	}

	// A running instance's state is looked at over its API.
	damaged := a.damage(func(db *pebble.DB) {
		k, _ := firstKey(t, db, 3)
		remove(db, k)
		k, v := firstKey(t, db, 2) // or the store itself would say so
		n, _ := binary.Uvarint(v)
		set(db, k, binary.AppendUvarint(nil, n-1))
	})
	require.NoError(t, os.RemoveAll(a.state))
	require.NoError(t, os.Rename(damaged, a.state))
	a.start()
	a.differs([]string{a.open(1)}, nil, "live state: partition 1: "+customer+" is missing")
	cfg, err := loadConfig(a.config, nil)
	require.NoError(t, err)
	require.ErrorContains(t, verify(t.Context(), cfg, nil, false, &bytes.Buffer{}), "a process runs on")
	a.stop(syscall.SIGTERM)
}

// open waits until a partition is open, and returns the address of the API.
func (a *audited) open(p int32) string {
	a.t.Helper()
	address := a.ready()
	require.Eventually(a.t, func() bool {
		ps, err := newLive(address).openPartitions(a.t.Context())
		return err == nil && slices.Contains(ps, p)
	}, time.Minute, 20*time.Millisecond, "%s", &a.out)
	return address
}

// recreate makes a topic of three partitions anew, with some records.
func (a *audited) recreate(topic string, recs []*kgo.Record) {
	a.t.Helper()
	cl := client(a.t, a.broker, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	adm := kadm.NewClient(cl)
	_, err := adm.DeleteTopic(a.t.Context(), topic)
	require.NoError(a.t, err)
	_, err = adm.CreateTopic(a.t.Context(), 3, 1, nil, topic)
	require.NoError(a.t, err)
	for _, r := range recs {
		require.NoError(a.t, cl.ProduceSync(a.t.Context(), &kgo.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value}).FirstErr())
	}
}

// Whatever is changed in the topics is named.
func TestVerifyNamesDamagedTopics(t *testing.T) {
	a := newAudited(t, 6_000, "clock: event\n").stopped()
	a.same()
	ctx := t.Context()
	cl := client(t, a.broker, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	adm := kadm.NewClient(cl)

	// The group's offsets. The stopped instance is in the group for a while yet.
	_, err := adm.LeaveGroup(ctx, kadm.LeaveGroup("dangol").InstanceIDs("dangol-0"))
	require.NoError(t, err)
	committed, err := adm.FetchOffsets(ctx, "dangol")
	require.NoError(t, err)
	at, ok := committed.Lookup("events", 1)
	require.True(t, ok)
	move := func(by int64) {
		var os kadm.Offsets
		os.AddOffset("events", 1, at.At+by, -1)
		require.NoError(t, adm.CommitAllOffsets(ctx, "dangol", os))
	}
	move(-7)
	a.differs(nil, nil, "offsets: partition 1: the group's committed offset .* is lower than the state's")
	move(7)
	a.differs(nil, nil, "offsets: partition 1: the group's committed offset .* is higher than the state's")
	move(0)
	a.same()

	// A document that is stale, and its change once more.
	var stale, fresh *kgo.Record
	for _, r := range readTopic(t, a.broker, "dangol.scores") {
		if fresh == nil && versionOf(r.Value) > 1 {
			fresh = &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key}
		}
		if fresh != nil && bytes.Equal(r.Key, fresh.Key) {
			fresh.Value = r.Value
		}
	}
	stale = &kgo.Record{Topic: fresh.Topic, Partition: fresh.Partition, Key: fresh.Key,
		Value: bytes.Replace(fresh.Value, fmt.Appendf(nil, `"version":%d`, versionOf(fresh.Value)), []byte(`"version":1`), 1)}
	require.NoError(t, cl.ProduceSync(ctx, stale).FirstErr())
	a.differs(nil, nil, fmt.Sprintf(`scores: customer %q has a document of version 1, its latest version is %d`, fresh.Key, versionOf(fresh.Value)))
	require.NoError(t, cl.ProduceSync(ctx, &kgo.Record{Topic: fresh.Topic, Partition: fresh.Partition, Key: fresh.Key}).FirstErr())
	a.differs(nil, nil, fmt.Sprintf(`scores: customer %q has a tombstone`, fresh.Key))
	require.NoError(t, cl.ProduceSync(ctx, fresh).FirstErr())
	a.same()

	// The shared log: with a record missing, a record twice, and as it was.
	pairs := readTopic(t, a.broker, "dangol.pairs")
	most := 0
	for i, r := range pairs[:len(pairs)-3] {
		if len(r.Value) > len(pairs[most].Value) {
			most = i
		}
	}
	a.recreate("dangol.pairs", append(append([]*kgo.Record{}, pairs[:most]...), pairs[most+1:]...))
	numbers := []string{"counts: .*: .* by the shared log, .* by the ledgers", "pairs: same_order, items \".*\" and \".*\": .* by the shared log, .* by the ledgers",
		"population: customers: .* by the shared log, .* by the ledgers"}
	also := []string{"shared log: partition .* it does not have the transaction at .*", "triples: .*", "pairs: .*", "population: .*", "item: item #.*"}
	a.holds(numbers, also)
	a.recreate("dangol.pairs", append(append([]*kgo.Record{}, pairs...), pairs[most]))
	a.holds(numbers, also)
	a.recreate("dangol.pairs", pairs)
	a.same()

	// A customer of the changelog is overwritten, outside a transaction and within one.
	var customer, commit *kgo.Record
	for _, r := range readTopic(t, a.broker, "dangol.changelog") {
		if _, ok := pipeline.CommitOf(r.Key); ok && r.Partition == 1 {
			commit = r
		} else if r.Partition == 1 {
			customer = r
		}
	}
	id, _ := pipeline.CustomerOf(customer.Key)
	planted := &kgo.Record{Topic: customer.Topic, Partition: 1, Key: customer.Key, Value: bytes.Clone(customer.Value)}
	planted.Value[len(planted.Value)-1] ^= 1
	require.NoError(t, cl.ProduceSync(ctx, planted).FirstErr())
	outside := fmt.Sprintf(`changelog: partition 1, offset \d+: customer %q was not written in a transaction`, id)
	a.differs(nil, nil, outside)
	a.transaction(planted, &kgo.Record{Topic: commit.Topic, Partition: 1, Key: commit.Key, Value: commit.Value})
	a.differs(nil, nil, outside, fmt.Sprintf(`shared log: partition 1: it does not have the transaction at offset \d+ of the changelog .*, of customer %q`, id))
}

// holds wants all of some patterns, and nothing but them and others.
func (a *audited) holds(patterns, also []string) {
	a.t.Helper()
	out, differs := a.verify(nil)
	require.True(a.t, differs, "%s", out)
	for _, p := range patterns {
		require.Regexp(a.t, "(?m)^"+p, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines[:len(lines)-1] {
		require.Regexp(a.t, "^("+strings.Join(append(append([]string{}, patterns...), also...), "|")+`|\w+: and \d+ more)`, line)
	}
}

// transaction writes records in one.
func (a *audited) transaction(recs ...*kgo.Record) {
	a.t.Helper()
	cl := client(a.t, a.broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("planted"))
	require.NoError(a.t, cl.BeginTransaction())
	var again []*kgo.Record
	for _, r := range recs {
		again = append(again, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value})
	}
	require.NoError(a.t, cl.ProduceSync(context.Background(), again...).FirstErr())
	require.NoError(a.t, cl.EndTransaction(context.Background(), kgo.TryCommit))
}
