package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Events without a key lie in any of six partitions. They pass through the
// repartition stage while the process is killed now and then: every customer's
// facts are those of an uninterrupted replay, byte for byte, its changes are
// numbered without gap, and a dead letter names the record's first place.
func TestRepartitionedInput(t *testing.T) {
	dir := t.TempDir()
	input, replayed := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "facts.jsonl")
	// Partitions run apart: no event is late.
	const patient = "lateness: 2160h"
	call(t, "generate", "--events", "12000", "--customers", "600", "--out", input)
	call(t, "replay", "--input", input, "--facts", replayed, "--set", strings.ReplaceAll(patient, ": ", "="))
	broker := brokerProcess(t, 6)
	r := &runner{t: t, config: filepath.Join(dir, "dangol.yaml"), state: filepath.Join(dir, "state")}
	require.NoError(t, os.WriteFile(r.config, fmt.Appendf(nil,
		"input: {brokers: [%q], repartition: true}\nstate: {dir: %q}\nhttp: {listen: 127.0.0.1:0}\nclock: event\n%s\n", broker, r.state, patient), 0o600))

	cl := client(t, broker, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	text, err := os.ReadFile(input)
	require.NoError(t, err)
	var recs []*kgo.Record
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			recs = append(recs, &kgo.Record{Topic: "events", Partition: rand.Int32N(6), Value: line})
		}
	}
	bad := &kgo.Record{Topic: "events", Partition: 4, Key: []byte("as it came"), Value: []byte(`{"type":`), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("t-1")}}}
	recs = append(recs[:5000:5000], append([]*kgo.Record{bad}, recs[5000:]...)...)
	r.start()
	for i := 0; i < len(recs); i += 3000 {
		require.NoError(t, cl.ProduceSync(t.Context(), recs[i:min(i+3000, len(recs))]...).FirstErr())
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // so that it dies anywhere
		r.stop(syscall.SIGKILL)
		r.start()
	}
	r.ready()
	r.passedOn(broker)
	r.stop(syscall.SIGTERM)
	require.Contains(t, call(t, "verify", "-c", r.config, "--changes"), "no difference")
	require.Contains(t, call(t, "check", "-c", r.config, "--connect"), "there is one broker")

	got := readFacts(t, call(t, "inspect", "--state", r.state, "--facts"))
	facts, err := os.ReadFile(replayed)
	require.NoError(t, err)
	want := readFacts(t, string(facts))
	require.Len(t, got, len(want))
	for id, c := range want {
		require.Equal(t, c.Facts, got[id].Facts, "facts of %s", id)
	}
	last := map[string]uint64{}
	for _, rec := range readTopic(t, broker, "dangol.changes") {
		var c customer
		require.NoError(t, json.Unmarshal(rec.Value, &c))
		require.Equal(t, last[string(rec.Key)]+1, c.Version, "customer %s", rec.Key)
		last[string(rec.Key)] = c.Version
	}
	letters := 0
	for _, rec := range readTopic(t, broker, "dangol.dead-letters") {
		if !bytes.Equal(rec.Value, bad.Value) { // the workload has bad ones of its own
			continue
		}
		letters++
		require.Equal(t, bad.Key, rec.Key)
		var h []string
		for _, x := range rec.Headers {
			h = append(h, x.Key+"="+string(x.Value))
		}
		require.Equal(t, []string{"reason=truncated", "topic=events", "partition=4", fmt.Sprintf("offset=%d", bad.Offset), "field=type", "trace=t-1"}, h)
	}
	require.Equal(t, 1, letters)
}

// passedOn waits until both stages have committed all there is. What the second
// reads has control records, which it never comes to.
func (r *runner) passedOn(broker string) {
	r.t.Helper()
	r.drained(broker, "dangol-repartition")
	next := map[int32]int64{}
	for _, rec := range readTopic(r.t, broker, "dangol.repartition") {
		next[rec.Partition] = rec.Offset + 1
	}
	require.NotEmpty(r.t, next)
	adm := kadm.NewClient(client(r.t, broker))
	require.Eventually(r.t, func() bool {
		done, err := adm.FetchOffsets(r.t.Context(), "dangol")
		require.NoError(r.t, err)
		for p, n := range next {
			if o, ok := done.Lookup("dangol.repartition", p); !ok || o.At < n {
				return false
			}
		}
		return true
	}, 60*time.Second, 50*time.Millisecond, "%s", &r.out)
}
