package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Where records were deleted before they were read the process stops and says which; with
// input.deleted: skip it goes on with those that are left, and so it does ever after.
func TestDeletedBeforeRead(t *testing.T) {
	input := filepath.Join(t.TempDir(), "events.jsonl")
	call(t, "generate", "--events", "1000", "--customers", "50", "--out", input)
	broker := brokerProcess(t, 1)
	produce := func() { call(t, "produce", "--input", input, "--brokers", broker) }
	r := newRunner(t, broker, "clock: event\n")
	produce()
	r.drained(broker, "dangol")
	r.stop(syscall.SIGTERM)
	produce()
	deleteAllBut(t, broker, 100)

	r.start()
	<-r.done
	require.Equal(t, 1, r.cmd.ProcessState.ExitCode())
	require.Regexp(t, `the input has lost offsets \d+ to \d+ before they were read.*input\.deleted: skip`, r.out.String())

	r.args = []string{"--set", "input.deleted=skip"}
	r.start()
	r.says(t, `the input has lost records before they were read; going on without them" partition=0 from=\d+ to=\d+`)
	r.drained(broker, "dangol")
	r.stop(syscall.SIGTERM)
	r.args = nil
	r.start()
	r.ready()
	produce()
	r.drained(broker, "dangol")
	r.stop(syscall.SIGTERM)
	require.Contains(t, call(t, "verify", "-c", r.config), "no difference")
}

// The marks that a producer's transactions leave are no records: an input that was read to
// its end may lose all that it has.
func TestDeletedAfterItWasRead(t *testing.T) {
	input := filepath.Join(t.TempDir(), "events.jsonl")
	call(t, "generate", "--events", "100", "--customers", "10", "--out", input)
	text, err := os.ReadFile(input)
	require.NoError(t, err)
	broker := brokerProcess(t, 1)
	cl := client(t, broker, kgo.TransactionalID("shop"))
	require.NoError(t, cl.BeginTransaction())
	for line := range bytes.Lines(text) {
		cl.Produce(t.Context(), &kgo.Record{Topic: "events", Value: bytes.TrimSpace(line)}, nil)
	}
	require.NoError(t, cl.Flush(t.Context()))
	require.NoError(t, cl.EndTransaction(t.Context(), kgo.TryCommit))
	r := newRunner(t, broker, "clock: event\n")
	r.drained(broker, "dangol")
	r.stop(syscall.SIGKILL)
	deleteAllBut(t, broker, 0)
	r.start()
	r.ready()
	r.stop(syscall.SIGTERM)
	require.NotContains(t, r.out.String(), "lost")
}

// deleteAllBut deletes records of the input's one partition.
func deleteAllBut(t *testing.T, broker string, last int64) {
	t.Helper()
	adm := kadm.NewClient(client(t, broker))
	ends, err := adm.ListEndOffsets(t.Context(), "events")
	require.NoError(t, err)
	end, _ := ends.Lookup("events", 0)
	var deleted kadm.Offsets
	deleted.AddOffset("events", 0, end.Offset-last, -1)
	gone, err := adm.DeleteRecords(t.Context(), deleted)
	require.NoError(t, err)
	require.NoError(t, gone.Error())
}
