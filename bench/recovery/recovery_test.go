package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench"
)

func TestFlags(t *testing.T) {
	for want, args := range map[string][]string{
		`"now": want flags only`:                                     {"now"},
		"--customers 1: want 2 to 1000000000":                        {"--customers", "1"},
		"--partitions 1: want 2 to 1000\n--rate 0: want 1 to 100000": {"--partitions", "1", "--rate", "0"},
		`--broker "redpanda": want embedded or real`:                 {"--broker", "redpanda"},
		"--nodes 2: want 1 or 3":                                     {"--broker", "real", "--nodes", "2"},
	} {
		_, err := parse(args, io.Discard)
		require.EqualError(t, err, want)
	}
	c, err := parse([]string{"--broker", "real", "--nodes", "1", "--partitions", "3"}, io.Discard)
	require.NoError(t, err)
	require.True(t, c.real)
	require.EqualValues(t, 3, c.load.Partitions)
}

func TestFigures(t *testing.T) {
	all := read("# HELP a words 1\n# TYPE a counter\na 3\nb{partition=\"7\"} 1.5e+06\n\nhalf a line\n")
	require.Equal(t, map[string]float64{"a": 3, `b{partition="7"}`: 1.5e6}, all)
	require.EqualValues(t, 7, partition(`b{partition="7"}`))
	require.EqualValues(t, -1, partition("a"))
}

func TestTable(t *testing.T) {
	c := &config{load: bench.Load{Customers: 2_000_000, Partitions: 12}, rate: 300}
	require.Equal(t, `2000000 customers, 12 partitions, 300 events a second, the embedded broker. Seconds: median (worst).

                            trials  given by group     first event  all partitions       records read
killed                           3               –     2.00 (9.00)    3.00 (10.00)              0 (5)
killed, disk lost                1               –     1.00 (1.00)     8.00 (8.00)  2000000 (2000000)
killed, a standby goes on        2   10.50 (11.00)     0.40 (0.50)     0.40 (0.50)              0 (0)

Of a lost disk: 4.0 s per million customers, 5 MB/s of the changelog as it is on the broker's disk.
`, table(c, []kind{
		{"killed", []trial{{first: 2, all: 3}, {first: 9, all: 10, read: 5}, {first: 1, all: 2}}},
		{lostDisk, []trial{{first: 1, all: 8, read: 2e6, bytes: 40e6}}},
		{"killed, a standby goes on", []trial{{took: 10, first: .3, all: .3}, {took: 11, first: .5, all: .5}}},
	}))
}

// A process is said to have ended, with its last words, and not waited for.
func TestEndedProcess(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"--bin", "false", "--dir", t.TempDir()}, &out, io.Discard)
	require.ErrorContains(t, err, "broker.log ended by itself")
	require.Empty(t, out.String())
}
