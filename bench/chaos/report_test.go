package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/chaos/oracle"
)

func testOutcome() *outcome {
	o := &options{args: []string{"--seed", "7"}, seed: 7, broker: "kafka", nodes: 3, instances: 3, partitions: 8}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &world{
		o: o, began: began, fired: map[string]int{"kill": 3, "cut": 1}, failed: map[string]int{"cut": 2},
		watch: &watch{all: []*recovery{
			{kind: "kill", began: began, took: time.Second},
			{kind: "kill", began: began, took: 9 * time.Second, disturbed: true},
			{kind: "kill", began: began, took: 3 * time.Second},
			{kind: "cut", began: began, took: 2 * time.Minute, unknown: true},
			{kind: "cut", began: began},
		}},
	}
	var planned []kind
	for _, k := range kinds() {
		if k.name == "kill" || k.name == "cut" {
			planned = append(planned, k)
		}
	}
	return &outcome{o: o, w: w, drained: true, planned: planned, unable: map[string]string{"disk-full": "no disk"}, verdict: verdict{timers: 1}}
}

func TestReport(t *testing.T) {
	r := testOutcome()
	r.dir = "/kept"
	r.w.ended = []*instance{
		{surprises: []string{"error: /kept/i0/5.sst: block 17: checksum 9060fbb6 != 57b76c05"}, movedAway: 1},
		{surprises: []string{"error: /kept/i0/7.sst: block 4: checksum a2d81482 != 1"}},
	}
	r.judge()
	require.True(t, r.ok())
	text := r.text()
	for _, want := range []string{
		"**lost, doubled, reordered, torn, wrong: 0 0 0 0 0**", "| command | `go run ./bench/chaos --seed 7` |", "| seed | 7 |",
		"| 2, started again after 1s; states moved away by hand: 1 |", "| 2 × error: /i0/N.sst: block N: checksum N != N |",
		"| 3 | 3 | 3.0 s | 9.0 s |", "| 1 (2 in vain) | 0, 1 never |", "| **all** | 4 | 3, 1 never | 3.0 s | 9.0 s |",
		"meanwhile |  | 2, 1 never | 3.0 s | 3.0 s |", "Left out: disk-full: no disk.",
	} {
		require.Contains(t, text, want)
	}
}

// What fails a run, beside the counters.
func TestFailures(t *testing.T) {
	for want, spoil := range map[string]func(*outcome){
		"not worked through in time":        func(r *outcome) { r.drained = false },
		"no timer was due":                  func(r *outcome) { r.verdict.timers = 0 },
		"the brokers lost input":            func(r *outcome) { r.sent = 7 },
		"planned, and never happened: kill": func(r *outcome) { delete(r.w.fired, "kill") },
		"- lost: change 3 of \"c\"": func(r *outcome) {
			r.verdict.counts[oracle.Lost]++
			r.verdict.findings = []oracle.Finding{{Kind: oracle.Lost, Text: `change 3 of "c"`}}
		},
		"lost, doubled, reordered, torn, wrong: 0 0 0 1 0": func(r *outcome) { r.verdict.counts[oracle.Torn]++ },
	} {
		r := testOutcome()
		spoil(r)
		r.judge()
		require.False(t, r.ok(), want)
		require.Contains(t, r.text(), want)
	}
}
