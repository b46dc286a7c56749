package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
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
	adm := kadm.NewClient(client(t, broker))
	ends, err := adm.ListEndOffsets(t.Context(), "events")
	require.NoError(t, err)
	end, _ := ends.Lookup("events", 0)
	var deleted kadm.Offsets
	deleted.AddOffset("events", 0, end.Offset-100, -1)
	gone, err := adm.DeleteRecords(t.Context(), deleted)
	require.NoError(t, err)
	require.NoError(t, gone.Error())

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
