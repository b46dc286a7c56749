package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// These tests run the real binary in processes of their own.

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dangol-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "dangol")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is a running dangol; its output is kept.
type process struct {
	cmd  *exec.Cmd
	out  lockedBuffer
	done chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(bin, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	require.NoError(t, p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() { p.stop(syscall.SIGKILL) })
	return p
}

// stop sends a signal and waits for the end.
func (p *process) stop(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig)
	<-p.done
}

// says waits until the output matches, and returns the first group.
func (p *process) says(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(30 * time.Second); ; {
		if m := re.FindStringSubmatch(p.out.String()); m != nil {
			return m[len(m)-1]
		}
		require.True(t, time.Now().Before(deadline), "no %q in:\n%s", pattern, &p.out)
		select {
		case <-p.done:
			require.Regexp(t, re, p.out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// call runs dangol to its end and returns what it printed.
func call(t *testing.T, args ...string) string {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, bin, args...).CombinedOutput()
	require.NoError(t, err, "dangol %s:\n%s", strings.Join(args, " "), out)
	return string(out)
}

func brokerProcess(t *testing.T, partitions int) (address string) {
	t.Helper()
	p := start(t, "broker", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--partitions", fmt.Sprint(partitions))
	return p.says(t, `broker at (127\.0\.0\.1:\d+)`)
}

// runner starts and restarts "dangol run" on one configuration.
type runner struct {
	t      *testing.T
	config string
	args   []string
	state  string
	*process
	api string
}

// newRunner runs on brokers, one address or several with commas between; more is
// added to its configuration, args to its command line.
func newRunner(t *testing.T, broker string, more string, args ...string) *runner {
	dir := t.TempDir()
	r := &runner{t: t, args: args, config: filepath.Join(dir, "dangol.yaml"), state: filepath.Join(dir, "state")}
	text := fmt.Sprintf("input: {brokers: [%s]}\nstate: {dir: %q}\nhttp: {listen: 127.0.0.1:0}\n%s", broker, r.state, more)
	require.NoError(t, os.WriteFile(r.config, []byte(text), 0o600))
	r.start()
	return r
}

func (r *runner) start() {
	r.process = start(r.t, append([]string{"run", "-c", r.config}, r.args...)...)
}

// ready waits for the API and returns its address.
func (r *runner) ready() string {
	r.t.Helper()
	r.api = r.says(r.t, `api=(http://127\.0\.0\.1:\d+)`)
	require.Eventually(r.t, func() bool { return r.get("/readyz", nil) == http.StatusOK }, 30*time.Second, 20*time.Millisecond, "not ready:\n%s", &r.out)
	return r.api
}

// get reads a path of the API, decoded where into is not nil.
func (r *runner) get(path string, into any) int {
	resp, err := http.Get(r.api + path)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	if into != nil {
		require.NoError(r.t, json.Unmarshal(body, into), "%s", body)
	}
	return resp.StatusCode
}

// drained waits until everything in the input topic has been committed.
func (r *runner) drained(broker string, group string) {
	r.t.Helper()
	cl := client(r.t, broker)
	require.Eventually(r.t, func() bool {
		lag, err := lagOf(r.t.Context(), cl, group, "events")
		return err == nil && lag == 0
	}, 60*time.Second, 50*time.Millisecond, "%s", &r.out)
}

func client(t *testing.T, broker string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(broker, ",")...)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

// readTopic reads a topic to its end, committed records only.
func readTopic(t *testing.T, broker, topic string) []*kgo.Record {
	t.Helper()
	end, err := endOf(t.Context(), client(t, broker), topic)
	require.NoError(t, err)
	cl := client(t, broker, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	at := map[int32]int64{}
	behind := func() bool {
		for p, e := range end {
			if at[p] < e {
				return true
			}
		}
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var recs []*kgo.Record
	for behind() {
		fs := cl.PollFetches(ctx)
		require.NoError(t, fs.Err(), "%s: read to %v of %v", topic, at, end)
		fs.EachRecord(func(r *kgo.Record) {
			at[r.Partition] = r.Offset + 1
			if !r.Attrs.IsControl() {
				recs = append(recs, r)
			}
		})
	}
	return recs
}
