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
	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
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
		"format \"xml\" is unknown":           {"--input", "none.jsonl", "--format", "xml"},
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
	p := progress{stage: "sorting"}
	require.Equal(t, "[=======                       ]  25 % sorting, 15s left", p.line(.25, 5*time.Second))
	require.Equal(t, "["+strings.Repeat("=", barWidth)+"] 100 % sorting, 0s left", p.line(1.1, 5*time.Second))
	require.Equal(t, "["+strings.Repeat(" ", barWidth)+"]   0 % sorting", p.line(0, 5*time.Second))
	var none *progress
	none.set("sorting", 1) // where no terminal looks there is no bar
	none.close()
}

// Other formats arrive as native JSON in the order of time, and what is no
// event is told.
func TestProduceTable(t *testing.T) {
	addr := startBroker(t)
	path := filepath.Join(t.TempDir(), "cdnow.txt")
	text := " 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n 00021 0002 19970112  3   63.34\n 00021 0002 1997011x  1   11.77\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	out, _, err := run(t, "produce", "--input", path, "--format", "cdnow", "--brokers", addr, "--partitions", "1")
	require.NoError(t, err)
	require.Regexp(t, `(?s)^3 records produced to events in .*; from 4 lines\n  left out as bad_time: 1\n  line 4: bad_time`, out)
	d, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	var got []string
	for _, r := range consume(t, addr, "events", 3)[0] {
		var ev event.Event
		require.NoError(t, d.Decode(r.Value, &ev), "%s", r.Value)
		require.Equal(t, ev.CustomerID, string(r.Key))
		got = append(got, time.UnixMilli(ev.Time).UTC().Format("2006-01-02 ")+ev.CustomerID+" "+ev.Amount.String())
	}
	require.Equal(t, []string{"1997-01-01 0001 29.33", "1997-01-12 0002 63.34", "1997-01-18 0001 29.73"}, got)
}

func TestVersion(t *testing.T) {
	out, _, err := run(t, "version")
	require.NoError(t, err)
	require.Regexp(t, `^dangol .+ go1\.\d+.* \w+/\w+\n$`, out)
	flag, _, err := run(t, "--version")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out, strings.TrimSpace(flag)))
}
