package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/connectors/encode"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/pipeline"
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

// numbersOf are the numbers of a document by their paths, without those of what
// hangs on the fits before: which there were, and how they did.
func numbersOf(path string, v any, into map[string]float64) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if path != "" || key != "version" && key != "quality" && key != "past" {
				numbersOf(path+"."+key, value, into)
			}
		}
	case []any:
		for i, value := range v {
			numbersOf(fmt.Sprintf("%s[%d]", path, i), value, into)
		}
	case float64:
		into[path] = v
	}
}

// sameModels compares the numbers of two documents of models; "" where they are
// the same.
func sameModels(t *testing.T, want, got []byte) string {
	t.Helper()
	var docs [2]map[string]any
	var numbers [2]map[string]float64
	for i, text := range [][]byte{want, got} {
		require.NoError(t, json.Unmarshal(text, &docs[i]))
		numbers[i] = map[string]float64{}
		numbersOf("", docs[i], numbers[i])
	}
	if docs[0]["at"] != docs[1]["at"] || len(numbers[0]) != len(numbers[1]) {
		return fmt.Sprintf("%d numbers as of %v, want %d as of %v", len(numbers[1]), docs[1]["at"], len(numbers[0]), docs[0]["at"])
	}
	for path, a := range numbers[0] {
		if b, ok := numbers[1][path]; !ok || math.Abs(a-b) > 1e-6*max(math.Abs(a), math.Abs(b), 1e-3) {
			return fmt.Sprintf("%s: %v, want %v", path, b, a)
		}
	}
	return ""
}

// replayedModels are those that a replay in this process comes to.
func replayedModels(t *testing.T, input, format, asOf string, sets ...string) []byte {
	t.Helper()
	o := historyOptions{input: []string{input}, format: format, asOf: asOf, sets: sets}
	cfg, until, err := o.load()
	require.NoError(t, err)
	h, err := o.open(cfg, until, io.Discard)
	require.NoError(t, err)
	defer func() { require.NoError(t, h.close()) }()
	_, err = (&pipeline.Replay{Core: h.core}).Run(t.Context(), h.reader.Next, until)
	require.NoError(t, err)
	learned, err := h.core.Models(t.Context())
	require.NoError(t, err)
	require.Greater(t, learned.Version, 2)
	return encode.JSON{}.AppendModels(nil, learned)
}

// A file goes through Kafka in two processes, and through a replay: the API's
// documents for an instant are the replay's, for every customer, and what is
// learned on the way comes to the same.
func TestAPIEqualsReplay(t *testing.T) {
	data := os.Getenv("DANGOL_DATA")
	if data == "" {
		t.Skip("DANGOL_DATA is not set: CDNOW_sample.txt is not at hand")
	}
	input := filepath.Join(data, "cdnow", "CDNOW_sample.txt")
	broker := brokerProcess(t, 5)
	r := newRunner(t, broker, "clock: event\nrfm: {window_days: 0}\nlearn: {sample: 600}\n")
	require.Contains(t, call(t, "produce", "--input", input, "--format", "cdnow", "--brokers", broker), "6919 records produced")
	r.ready()
	r.drained(broker, "dangol")

	scores := filepath.Join(t.TempDir(), "scores.jsonl")
	out := call(t, "replay", "--input", input, "--format", "cdnow", "--as-of", "1998-07-01", "--set", "rfm.window_days=0", "--set", "learn.sample=600", "--scores", scores)
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

	// The stream's time ends a day (lateness) before its last event, a replay's at
	// its end; the grid of the fits has the same Monday before both.
	models := replayedModels(t, input, "cdnow", "1998-07-01", "rfm.window_days=0", "learn.sample=600")
	var differ string
	var learned json.RawMessage
	require.Eventually(t, func() bool {
		require.Equal(t, http.StatusOK, r.get("/v1/models", &learned))
		differ = sameModels(t, models, learned)
		return differ == ""
	}, 60*time.Second, 100*time.Millisecond, "models: %s", &differ)
	published := readTopic(t, broker, "dangol.models")
	require.NotEmpty(t, published)
	require.JSONEq(t, string(learned), string(published[len(published)-1].Value))

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
