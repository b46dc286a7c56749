package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/broker"
)

// run runs the command line as a user would.
func run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := newRootCommand()
	var out, errOut bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func startBroker(t *testing.T) string {
	t.Helper()
	b, err := broker.Start(broker.Config{Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b.Addrs()[0]
}

// consume reads n records of topic, in the order of each partition.
func consume(t *testing.T, addr, topic string, n int) map[int32][]*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := map[int32][]*kgo.Record{}
	for n > 0 {
		fetches := client.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			got[r.Partition] = append(got[r.Partition], r)
			n--
		})
	}
	require.Zero(t, n)
	return got
}

// Lines arrive as they are, in their order, and where their customer belongs.
func TestProduceLines(t *testing.T) {
	addr := startBroker(t)
	file := filepath.Join(t.TempDir(), "events.jsonl.gz")
	text, _, err := run(t, "generate", "--events", "5000", "--customers", "50", "--malformed", "0.02")
	require.NoError(t, err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(file, packed.Bytes(), 0o600))

	var want []string
	empty := 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			want = append(want, line)
		} else {
			empty++
		}
	}
	require.Positive(t, empty, "one malformed record is empty")

	_, _, err = run(t, "produce", "--input", file, "--brokers", addr)
	require.EqualError(t, err, "topic events does not exist: create it with --partitions N")
	out, errOut, err := run(t, "produce", "--input", file, "--brokers", addr, "--partitions", "4")
	require.NoError(t, err)
	require.Empty(t, errOut, "no bar where no terminal looks")
	require.Regexp(t, `^\d+ records produced to events in .*; \d+ of them are no events and have no key; \d+ empty lines left out\n$`, out)
	_, _, err = run(t, "produce", "--input", file, "--brokers", addr, "--partitions", "5")
	require.EqualError(t, err, "topic events has 4 partitions, not 5: leave --partitions out to use it as it is")

	got := consume(t, addr, "events", len(want))
	require.Len(t, got, 4)
	lines, home, unkeyed := map[string]int{}, map[string]int32{}, 0
	position := map[string]int{}
	for i, line := range want {
		lines[line]++
		position[line] = i
	}
	for partition, records := range got {
		last := map[string]int{}
		for _, r := range records {
			lines[string(r.Value)]--
			if len(r.Key) == 0 {
				unkeyed++
				continue
			}
			key := string(r.Key)
			require.Contains(t, string(r.Value), `"`+key+`"`)
			if p, ok := home[key]; ok {
				require.Equal(t, p, partition, "one customer, one partition")
			}
			home[key] = partition
			if strings.Count(text, string(r.Value)+"\n") == 1 { // not a duplicate
				require.GreaterOrEqual(t, position[string(r.Value)], last[key], "in the order of the file")
				last[key] = position[string(r.Value)]
			}
		}
	}
	for line, n := range lines {
		require.Zero(t, n, line)
	}
	require.Positive(t, unkeyed)
	require.Less(t, unkeyed, 200)
}

func TestProduceFaults(t *testing.T) {
	for want, args := range map[string][]string{
		"no file given":                       {},
		"no such file":                        {"--input", "none.jsonl"},
		"--format \"xml\"":                    {"--input", "none.jsonl", "--format", "xml"},
		"--rate and --partitions must not be": {"--input", "x", "--rate", "-1"},
		"no broker answers at 127.0.0.1:1":    {"--input", "produce_test.go", "--brokers", "127.0.0.1:1"},
		"gzip: invalid header":                {"--input", "testdata/not.gz"},
	} {
		_, _, err := run(t, append([]string{"produce"}, args...)...)
		require.ErrorContains(t, err, want)
	}
}

func TestGenerateFaults(t *testing.T) {
	_, _, err := run(t, "generate", "--events", "0", "--customers", "0", "--late", "2", "--lateness", "1s", "--segment", "NaN")
	require.EqualError(t, err, "--events 0: want 1 or more\n--customers 0: want 1 or more\n--lateness 1s: want 1m or more\n"+
		"--late 2: want a share, 0 to 1\n--segment NaN: want a share, 0 to 1")
	_, _, err = run(t, "generate", "--start", "today")
	require.ErrorContains(t, err, "--start \"today\": want a time such as")
}

func TestGenerateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.jsonl")
	_, _, err := run(t, "generate", "--events", "300", "--out", file)
	require.NoError(t, err)
	out, _, err := run(t, "generate", "--events", "300")
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, out, string(text))
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := pace{began: began, rate: 1000}
		for n := range 5001 {
			require.True(t, p.wait(t.Context(), n))
		}
		require.InDelta(t, 5, time.Since(began).Seconds(), .01)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.False(t, p.wait(ctx, 10_000))
		free := pace{began: began}
		require.True(t, free.wait(ctx, 1<<30), "no rate, no waiting")
	})
}

func TestProgressLine(t *testing.T) {
	p := progress{what: "events", total: 2000, done: 500}
	require.Equal(t, "[=======                       ]  25 % of 2000 events, 100/s, 15s left", p.line(5*time.Second))
	p.done = 2000
	require.Equal(t, "["+strings.Repeat("=", barWidth)+"] 100 % of 2000 events, 400/s, 0s left", p.line(5*time.Second))
	p.total = 0
	require.Equal(t, "2000 events, 400/s", p.line(5*time.Second))
	var none *progress
	none.set(1) // where no terminal looks there is no bar
	none.close()
}

func TestVersion(t *testing.T) {
	out, _, err := run(t, "version")
	require.NoError(t, err)
	require.Regexp(t, `^dangol .+ go1\.\d+.* \w+/\w+\n$`, out)
	flag, _, err := run(t, "--version")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out, strings.TrimSpace(flag)))
}
