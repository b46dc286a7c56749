package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// While three instances work, and one of them is killed, nothing differs: what is
// read at different moments is read up to the same transaction.
func TestVerifyWhileRunning(t *testing.T) {
	broker := brokerProcess(t, 4)
	input := filepath.Join(t.TempDir(), "events.jsonl")
	call(t, "generate", "--events", "12000", "--customers", "400", "--out", input)
	var all []*audited
	for i := range 3 {
		dir := t.TempDir()
		r := &runner{t: t, config: filepath.Join(dir, "dangol.yaml"), state: filepath.Join(dir, "state")}
		text := fmt.Sprintf("input: {brokers: [%q], instance: i%d, session_timeout: 6s}\nstate: {dir: %q}\nhttp: {listen: 127.0.0.1:0}\nclock: event\n", broker, i, r.state)
		require.NoError(t, os.WriteFile(r.config, []byte(text), 0o600))
		r.start()
		all = append(all, &audited{t, broker, r})
	}
	producing := start(t, "produce", "--input", input, "--brokers", broker, "--rate", "1500")
	var live []string
	for _, a := range all {
		live = append(live, a.ready())
		require.Eventually(t, func() bool { // all three are at work
			ps, err := newLive(live[len(live)-1]).openPartitions(t.Context())
			return err == nil && len(ps) > 0
		}, time.Minute, 20*time.Millisecond, "%s", &a.out)
	}
	for range 3 {
		require.Regexp(t, `state of [34] partitions`, all[0].same(live...))
	}
	all[2].stop(syscall.SIGKILL)
	all[2].same() // its state was left behind
	producing.says(t, `(\d+) records produced`)
	all[0].through()
	all[0].same(live[:2]...)
	for _, a := range all[:2] {
		a.stop(syscall.SIGTERM)
	}
	for _, a := range all {
		a.same()
	}
}

// After a change of what is counted the engine does not start, says what to do, and
// goes on once that was done; and so where the shared log is lost.
func TestRebuild(t *testing.T) {
	a := newAudited(t, 6_000, "clock: event\n")
	a.ready()
	a.through()
	a.stop(syscall.SIGTERM)

	require.Regexp(t, `^counted again: \d+ customers, \d+ pairs of items`, call(t, "rebuild", "-c", a.config))
	before := a.same()

	a.configure("basket: {half_life: 240h}\n")
	a.start()
	<-a.done
	require.Contains(t, a.out.String(), `run "dangol rebuild"`)
	a.differs(nil, nil, "shared log: the latest snapshot cannot be used: .*dangol rebuild")
	call(t, "rebuild", "-c", a.config)
	require.Equal(t, before, a.same())
	more := filepath.Join(t.TempDir(), "more.jsonl")
	call(t, "generate", "--events", "8000", "--customers", "300", "--out", more)
	a.start()
	call(t, "produce", "--input", more, "--brokers", a.broker)
	a.stopped()
	require.NotEqual(t, before, a.same())

	// The log is lost: what is called how stays, for it is in the snapshot.
	a.recreate("dangol.pairs", nil)
	a.start()
	<-a.done
	require.Contains(t, a.out.String(), `run "dangol rebuild"`)
	a.differs(nil, nil, "shared log: .* has lost records: .*dangol rebuild")
	call(t, "rebuild", "-c", a.config)
	a.same()
}
