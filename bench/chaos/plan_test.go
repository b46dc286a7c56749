package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlanIsOfTheSeed(t *testing.T) {
	d := deck(processes, nil, nil, true)
	play := func(seed uint64) (names []string, seeds []uint64) {
		next := plan(seed, processes, d)
		for range 3 * len(d) {
			s := next()
			names, seeds = append(names, s.kind.name), append(seeds, s.seed)
			require.LessOrEqual(t, s.pause, pauseMost[processes])
		}
		return names, seeds
	}
	names, seeds := play(7)
	again, same := play(7)
	require.Equal(t, names, again)
	require.Equal(t, seeds, same)
	other, _ := play(8)
	require.NotEqual(t, names, other)
	counts := map[string]int{}
	for _, n := range names[:len(d)] {
		counts[n]++
	}
	for _, k := range kinds() {
		if k.lane == processes {
			require.Equal(t, k.weight, counts[k.name], "%s: each comes before any comes again", k.name)
		}
	}
}

func TestDeckIsOfTheCounts(t *testing.T) {
	counts := map[string]int{"kill": 3, "stop": 2, "broker-kill": 4}
	d := deck(processes, counts, nil, false)
	require.Len(t, d, 5)
	require.Len(t, deck(nodes, counts, nil, false), 4)
	require.Empty(t, deck(network, counts, nil, false))
	require.Len(t, deck(processes, nil, []string{"stop"}, true), 2)
}

// Every kind can be asked for by its count, and is told apart from the others.
func TestEveryKindHasItsFlag(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kinds() {
		require.False(t, seen[k.name] || seen[k.flag], k.name)
		seen[k.name], seen[k.flag] = true, true
		require.Positive(t, k.weight, k.name)
		o, err := parse([]string{"--bin", "go", "--" + k.flag, "17"}, io.Discard)
		require.NoError(t, err)
		require.Equal(t, map[string]int{k.name: 17}, o.counts)
	}
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"--bin", "go", "--events", "3000", "--duration", "1m", "--set", "a=b", "--set", "c=d"}, io.Discard)
	require.NoError(t, err)
	require.InDelta(t, 50, o.rate, 1e-9)
	require.Equal(t, 13*time.Minute, o.limit)
	require.Equal(t, []string{"a=b", "c=d"}, o.sets)
	for flags, want := range map[string][]string{
		"--bin: ":                   {"--bin", "/nowhere/dangol"},
		"--events 0":                {"--bin", "go", "--events", "0"},
		"--instances 0":             {"--bin", "go", "--instances", "0"},
		`--broker "redis"`:          {"--bin", "go", "--broker", "redis"},
		"--nodes 2":                 {"--bin", "go", "--nodes", "2"},
		`there is no fault "flood"`: {"--bin", "go", "--only", "kill,flood"},
		"want flags only":           {"--bin", "go", "kill"},
		"want a number":             {"--bin", "go", "--kills", "-1"},
	} {
		_, err := parse(want, io.Discard)
		require.ErrorContains(t, err, flags)
	}
}

func TestFaultsAreSpreadOverTheDuration(t *testing.T) {
	before := time.Duration(-1)
	for i := range 10 {
		at := due(time.Minute, i, 10, uint64(i)*317)
		require.Greater(t, at, before)
		require.Less(t, at, time.Minute)
		before = at
	}
	require.Greater(t, before, 50*time.Second)
}
