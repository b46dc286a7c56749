package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

const threeWeeks = 21 * 24 * time.Hour

// regular are ten orders, three weeks apart, the last of them at last.
func regular(last time.Time) []string {
	var lines []string
	for i := range 10 {
		at := last.Add(-time.Duration(9-i) * threeWeeks).UTC()
		lines = append(lines, fmt.Sprintf(`{"id":"p%d","type":"order_completed","customer_id":"pizza","time":%q,"order_id":"o%d","amount":"19.80"}`,
			i, at.Format(time.RFC3339Nano), i))
	}
	return lines
}

type overdueChange struct {
	At    time.Time `json:"at"`
	Cause struct {
		Kind  string `json:"kind"`
		Timer string `json:"timer"`
	} `json:"cause"`
	Changed map[string][2]any `json:"changed"`
	Scores  struct {
		Churn struct {
			OverduePercentile float64   `json:"overdue_percentile"`
			BecomesOverdueAt  time.Time `json:"becomes_overdue_at"`
		} `json:"churn"`
	} `json:"scores"`
}

// A customer who ordered every three weeks falls silent. Nobody sends an event;
// the change comes by itself, at the instant that was told beforehand, before
// five weeks have passed.
func TestOverdueComesByItself(t *testing.T) {
	// How long a silence is too long follows from a replay of the same history.
	dir := t.TempDir()
	input, scores := filepath.Join(dir, "orders.jsonl"), filepath.Join(dir, "scores.jsonl")
	past := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	require.NoError(t, os.WriteFile(input, []byte(strings.Join(regular(past), "\n")), 0o600))
	call(t, "replay", "--input", input, "--scores", scores)
	text, err := os.ReadFile(scores)
	require.NoError(t, err)
	var doc struct {
		Churn struct {
			At time.Time `json:"becomes_overdue_at"`
		} `json:"churn"`
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	silence := doc.Churn.At.Sub(past)
	require.Less(t, silence, 35*24*time.Hour)
	require.Greater(t, silence, threeWeeks)

	// The same history, so that the silence becomes too long in a few seconds.
	due := time.Now().Add(5 * time.Second).Truncate(time.Millisecond)
	broker := brokerProcess(t, 2)
	r := newRunner(t, broker, "")
	cl := client(t, broker, kgo.DefaultProduceTopic("events"))
	for _, line := range regular(due.Add(-silence)) {
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Key: []byte("pizza"), Value: []byte(line)}).FirstErr())
	}
	r.ready()

	var got *overdueChange
	require.Eventually(t, func() bool {
		for _, rec := range readTopic(t, broker, "dangol.changes") {
			var c overdueChange
			require.NoError(t, json.Unmarshal(rec.Value, &c))
			if c.Cause.Timer == "churn.overdue" && c.At.After(due.Add(-time.Hour)) {
				got = &c
				require.False(t, rec.Timestamp.Before(due.Add(-time.Millisecond)), "told at %s, before its time %s", rec.Timestamp, due)
			}
		}
		return got != nil
	}, 30*time.Second, 200*time.Millisecond, "no change came:\n%s", &r.out)
	require.Equal(t, "timer", got.Cause.Kind)
	require.True(t, got.At.Equal(due), "at %s, computed %s", got.At, due)
	require.Contains(t, got.Changed, "churn.overdue_percentile")
	require.GreaterOrEqual(t, got.Scores.Churn.OverduePercentile, 0.9)
	r.stop(syscall.SIGTERM)
}
