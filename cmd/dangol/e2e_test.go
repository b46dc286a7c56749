package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/engine/event"
)

func lagOf(ctx context.Context, cl *kgo.Client, group, topic string) (int64, error) {
	adm := kadm.NewClient(cl)
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	done, err := adm.FetchOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	var lag int64
	ends.Each(func(e kadm.ListedOffset) {
		c, ok := done.Lookup(topic, e.Partition)
		if !ok {
			lag += e.Offset
			return
		}
		lag += e.Offset - c.At
	})
	return lag, nil
}

func endOf(ctx context.Context, cl *kgo.Client, topic string) (map[int32]int64, error) {
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	m := map[int32]int64{}
	ends.Each(func(e kadm.ListedOffset) { m[e.Partition] = e.Offset })
	return m, nil
}

// number is a setting of a test, larger where CI asks for it.
func number(t *testing.T, env string, otherwise int) int {
	s := os.Getenv(env)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, env)
	return n
}

type customer struct {
	Version uint64 `json:"version"`
	Facts   string `json:"facts"`
}

func readFacts(t *testing.T, text string) map[string]customer {
	t.Helper()
	m := map[string]customer{}
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var c struct {
			ID string `json:"customer_id"`
			customer
		}
		require.NoError(t, json.Unmarshal(in.Bytes(), &c))
		require.NotContains(t, m, c.ID)
		m[c.ID] = c.customer
	}
	require.NoError(t, in.Err())
	return m
}

// The engine is killed at random moments while events flow, the broker lives
// on. Afterwards every customer's facts are those of an uninterrupted replay,
// byte for byte, and each customer's changes are numbered from 1 to its
// ledger's version.
func TestKilledAtRandomMoments(t *testing.T) {
	events, kills := number(t, "DANGOL_EVENTS", 30_000), number(t, "DANGOL_KILLS", 8)
	dir := t.TempDir()
	input, replayed := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "facts.jsonl")
	call(t, "generate", "--events", fmt.Sprint(events), "--customers", "1500", "--out", input)
	broker := brokerProcess(t, 4)
	r := newRunner(t, broker, "clock: event\n")
	producing := start(t, "produce", "--input", input, "--brokers", broker, "--rate", fmt.Sprint(events/max(kills/2, 4)))
	for range kills {
		time.Sleep(time.Duration(100+rand.IntN(700)) * time.Millisecond)
		r.stop(syscall.SIGKILL)
		r.start()
	}
	producing.says(t, `(\d+) records produced`)
	r.ready()
	r.drained(broker, "dangol")
	r.stop(syscall.SIGTERM)
	require.Contains(t, r.out.String(), "msg=stopped")

	got := readFacts(t, call(t, "inspect", "--state", r.state, "--facts"))
	call(t, "replay", "--input", input, "--facts", replayed)
	text, err := os.ReadFile(replayed)
	require.NoError(t, err)
	want := readFacts(t, string(text))
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
	for id, c := range got {
		require.Equal(t, c.Version, last[id], "customer %s", id)
	}
}

// A file goes through Kafka in two processes, and through a replay: the API's
// documents for an instant are the replay's, for every customer.
func TestAPIEqualsReplay(t *testing.T) {
	data := os.Getenv("DANGOL_DATA")
	if data == "" {
		t.Skip("DANGOL_DATA is not set: CDNOW_sample.txt is not at hand")
	}
	input := filepath.Join(data, "cdnow", "CDNOW_sample.txt")
	broker := brokerProcess(t, 5)
	r := newRunner(t, broker, "clock: event\nrfm: {window_days: 0}\n")
	require.Contains(t, call(t, "produce", "--input", input, "--format", "cdnow", "--brokers", broker), "6919 records produced")
	r.ready()
	r.drained(broker, "dangol")

	scores := filepath.Join(t.TempDir(), "scores.jsonl")
	out := call(t, "replay", "--input", input, "--format", "cdnow", "--as-of", "1998-07-01", "--set", "rfm.window_days=0", "--scores", scores)
	require.Contains(t, out, "555 233, 111 167")
	text, err := os.ReadFile(scores)
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	require.Len(t, lines, 2357)
	for _, line := range lines {
		var want struct {
			ID string `json:"customer_id"`
		}
		require.NoError(t, json.Unmarshal(line, &want))
		var got json.RawMessage
		require.Equal(t, http.StatusOK, r.get("/v1/customers/"+want.ID+"?as_of=1998-07-01T00:00:00Z", &got))
		require.JSONEq(t, string(line), string(got))
	}

	ids := map[string]bool{}
	for _, rec := range readTopic(t, broker, "dangol.scores") {
		ids[string(rec.Key)] = true
	}
	require.Len(t, ids, 2357, "customers on the scores topic")
	r.stop(syscall.SIGTERM)
}

// Malformed records of every kind among good ones: each becomes one dead letter
// with its reason and its place, and every good one is scored.
func TestMalformedRecordsBecomeDeadLetters(t *testing.T) {
	broker := brokerProcess(t, 3)
	r := newRunner(t, broker, "clock: event\n")
	cl := client(t, broker, kgo.DefaultProduceTopic("events"))
	kinds := shop.Malformed()
	require.GreaterOrEqual(t, len(kinds), 20)
	want := map[event.Reason]int{}
	const bad, good = 1000, 1000
	var recs []*kgo.Record
	for i := range bad {
		k := kinds[i%len(kinds)]
		want[k.Reason]++
		recs = append(recs, &kgo.Record{Key: fmt.Append(nil, "k", i), Value: k.Value})
	}
	for i := range good {
		id := fmt.Sprintf("good-%d", i)
		recs = append(recs, &kgo.Record{Key: []byte(id), Value: fmt.Appendf(nil,
			`{"id":"g%d","type":"order_completed","customer_id":%q,"time":"2026-01-02T03:04:05Z","order_id":"o%d","amount":"9.90"}`, i, id, i)})
	}
	rand.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	require.NoError(t, cl.ProduceSync(t.Context(), recs...).FirstErr())
	r.ready()
	r.drained(broker, "dangol")

	values := map[string]int{}
	for _, rec := range recs {
		values[string(rec.Value)]++
	}
	got := map[event.Reason]int{}
	for _, rec := range readTopic(t, broker, "dangol.dead-letters") {
		h := map[string]string{}
		for _, x := range rec.Headers {
			h[x.Key] = string(x.Value)
		}
		got[event.Reason(h["reason"])]++
		require.Equal(t, "events", h["topic"])
		require.NotEmpty(t, h["partition"])
		require.NotEmpty(t, h["offset"])
		require.NotZero(t, values[string(rec.Value)], "a dead letter holds the record as it came")
	}
	require.Equal(t, want, got)
	for i := range good {
		var doc struct {
			Value struct {
				CLV string `json:"historic_clv"`
			} `json:"value"`
		}
		require.Equal(t, http.StatusOK, r.get(fmt.Sprintf("/v1/customers/good-%d", i), &doc))
		require.Equal(t, "9.90", doc.Value.CLV)
	}
	r.stop(syscall.SIGTERM)
}
