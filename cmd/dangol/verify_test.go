package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// audited is a broker with some events, and an engine's configuration on it.
type audited struct {
	t      *testing.T
	broker string
	*runner
}

func newAudited(t *testing.T, events int, more string, args ...string) *audited {
	broker := brokerProcess(t, 3)
	input := filepath.Join(t.TempDir(), "events.jsonl")
	call(t, "generate", "--events", fmt.Sprint(events), "--customers", "300", "--out", input)
	r := newRunner(t, broker, more, args...)
	call(t, "produce", "--input", input, "--brokers", broker)
	return &audited{t, broker, r}
}

// stopped lets the engine read all there is, and stops it.
func (a *audited) stopped() *audited {
	a.t.Helper()
	a.ready()
	a.through()
	a.stop(syscall.SIGTERM)
	require.Contains(a.t, a.out.String(), "msg=stopped")
	return a
}

// through waits until everything in the input has been committed. The group may not
// be there yet.
func (a *audited) through() {
	a.t.Helper()
	cl := client(a.t, a.broker)
	require.Eventually(a.t, func() bool {
		lag, err := lagOf(a.t.Context(), cl, "dangol", "events")
		return err == nil && lag == 0
	}, 2*time.Minute, 50*time.Millisecond, "%s", &a.out)
}

// verify returns what the command prints, and whether it found a difference.
func (a *audited) verify(live []string, sets ...string) (string, bool) {
	a.t.Helper()
	cfg, err := loadConfig(a.config, sets)
	require.NoError(a.t, err)
	var out bytes.Buffer
	err = verify(a.t.Context(), cfg, live, true, &out)
	if errors.Is(err, errReported) {
		return out.String(), true
	}
	require.NoError(a.t, err)
	return out.String(), false
}

func (a *audited) same(live ...string) string {
	a.t.Helper()
	out, differs := a.verify(live)
	require.False(a.t, differs, "%s", out)
	return out
}

// After a clean run nothing differs, and it is said what was compared.
func TestVerifyFindsNothing(t *testing.T) {
	a := newAudited(t, 20_000, "clock: event\n").stopped()
	out := a.same()
	require.Regexp(t, `^3 partitions, \d\d\d+ customers, \d\d\d+ pairs of items, state of 3 partitions, \d+ changes, \d+ records of the input not read yet: no difference\n$`, out)

	require.NoError(t, os.RemoveAll(a.state))
	require.Contains(t, a.same(), "no state is compared")
}

// configure adds to the configuration.
func (a *audited) configure(more string) {
	a.t.Helper()
	text, err := os.ReadFile(a.config)
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(a.config, append(text, more...), 0o600))
}

// Without transactions, nothing differs either, over orderly restarts.
func TestVerifyAtLeastOnce(t *testing.T) {
	a := newAudited(t, 4_000, "clock: event\n", "--set", "input.delivery=at_least_once").stopped()
	a.same()
	a.start()
	a.stopped()
	a.same()
}
