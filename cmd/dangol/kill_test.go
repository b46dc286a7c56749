package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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

// killing is a run of the engine that is killed again and again while events
// flow.
type killing struct {
	broker string // or several, with commas between
	events int
	kills  int
	rate   int                       // of the events, a second
	before func(kill int, r *runner) // is called before the kill; nil: nothing
	least  bool                      // delivery is at least once
}

// run kills, and compares: afterwards every customer's facts are those of an
// uninterrupted replay, byte for byte, and each customer's changes are numbered
// from 1 to its ledger's version; where delivery is at least once, some of them
// again, without a gap, and perhaps one that was told and did not come to be.
func (k killing) run(t *testing.T) {
	dir := t.TempDir()
	input, replayed := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "facts.jsonl")
	call(t, "generate", "--events", fmt.Sprint(k.events), "--customers", "1500", "--out", input)
	delivery := "exactly_once"
	if k.least {
		delivery = "at_least_once"
	}
	r := newRunner(t, k.broker, "clock: event\n", "--set", "delivery="+delivery)
	producing := start(t, "produce", "--input", input, "--brokers", k.broker, "--rate", fmt.Sprint(k.rate))
	for i := range k.kills {
		if k.before != nil {
			k.before(i, r)
		}
		time.Sleep(time.Duration(100+rand.IntN(700)) * time.Millisecond)
		r.stop(syscall.SIGKILL)
		r.start()
	}
	producing.says(t, `(\d+) records produced`)
	r.ready()
	r.drained(k.broker, "dangol")
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
	last, most := map[string]uint64{}, map[string]uint64{}
	for _, rec := range readTopic(t, k.broker, "dangol.changes") {
		var c customer
		require.NoError(t, json.Unmarshal(rec.Value, &c))
		if k.least {
			require.LessOrEqual(t, c.Version, most[string(rec.Key)]+1, "customer %s", rec.Key)
		} else {
			require.Equal(t, last[string(rec.Key)]+1, c.Version, "customer %s", rec.Key)
		}
		last[string(rec.Key)], most[string(rec.Key)] = c.Version, max(most[string(rec.Key)], c.Version)
	}
	for id, c := range got {
		if k.least {
			require.LessOrEqual(t, c.Version, most[id], "customer %s", id)
		} else {
			require.Equal(t, c.Version, last[id], "customer %s", id)
		}
	}
}

// So it is without transactions, but for what is told twice.
func TestKilledWithoutTransactions(t *testing.T) {
	killing{broker: brokerProcess(t, 4), events: 20_000, kills: 5, rate: 5000, least: true}.run(t)
}

// The engine is killed at random moments while events flow, the broker lives
// on.
func TestKilledAtRandomMoments(t *testing.T) {
	events, kills := number(t, "DANGOL_EVENTS", 30_000), number(t, "DANGOL_KILLS", 8)
	killing{broker: brokerProcess(t, 4), events: events, kills: kills, rate: events / max(kills/2, 4)}.run(t)
}
