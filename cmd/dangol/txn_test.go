package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/connectors/kafka"
)

// An open transaction is listed, and aborted by its id; the list is of it no more.
func TestTxnCommands(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events", "dangol.changes"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	set := "input.brokers=[" + c.ListenAddrs()[0] + "]"
	out, _, err := run(t, "txn", "list", "--set", set)
	require.NoError(t, err)
	require.Equal(t, "no transactions\n", out)

	cl := client(t, c.ListenAddrs()[0], kgo.TransactionalID("dangol-7"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, cl.BeginTransaction())
	require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "dangol.changes", Partition: 1, Value: []byte("x")}).FirstErr())
	out, _, err = run(t, "txn", "list", "--set", set)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^TRANSACTIONAL ID +STATE +PRODUCER +OPEN +PARTITIONS$`, out)
	require.Regexp(t, `(?m)^dangol-7 +Ongoing +\d+/\d+ +since \S+Z \(\d+s\) +dangol\.changes/1@0$`, out)

	_, _, err = run(t, "txn", "abort", "--set", set, "--id", "other-7")
	require.ErrorContains(t, err, "--force")
	out, _, err = run(t, "txn", "abort", "--set", set, "--id", "dangol-7")
	require.NoError(t, err)
	require.Regexp(t, `^aborted: the transaction of dangol-7 \(Ongoing, producer \d+, epoch \d+\) in dangol\.changes/1; its producer is fenced off\n$`, out)
	out, _, err = run(t, "txn", "list", "--set", set)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^dangol-7 +\S+ +\d+/\d+ +- *$`, out)
}

func TestTxnFaults(t *testing.T) {
	_, _, err := run(t, "txn", "list")
	require.ErrorContains(t, err, "no configuration given")
	for _, args := range []string{"", "--id a --topic b --partition 0 --start-offset 0", "--topic b", "--topic b --partition 0"} {
		_, _, err = run(t, append([]string{"txn", "abort", "--set", "app_id=x"}, strings.Fields(args)...)...)
		require.ErrorContains(t, err, "which transaction?", args)
	}
	_, _, err = run(t, "txn", "forget")
	require.ErrorContains(t, err, "unknown command")
}

// What hangs is shown with the command that ends it.
func TestHangingTxnIsPrinted(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	require.NoError(t, printTxns(&out, []kafka.Transaction{
		{State: kafka.Hanging, Producer: 15, Epoch: 2, Since: at.Add(-2 * time.Hour), Parts: []kafka.OpenPart{{Topic: "events", Partition: 3, Start: 99}}},
		{ID: "dangol-0", Own: true, State: "CompleteCommit", Producer: 16},
	}, at))
	require.Equal(t, strings.Join([]string{
		"TRANSACTIONAL ID  STATE           PRODUCER  OPEN                                  PARTITIONS",
		"(unknown)         Hanging         15/2      last wrote 2026-11-29T10:00:00Z (2h)  events/3@99",
		"dangol-0          CompleteCommit  16/0      -                                     ",
		"",
		"Hanging transactions end by hand alone:",
		"  dangol txn abort -c FILE --topic events --partition 3 --start-offset 99",
		"",
	}, "\n"), out.String())
}
