package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/connectors/kafka"
)

func newTxnCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "txn",
		Short: "List and abort this application's transactions",
		Long: `An open transaction holds back whoever reads committed records, dangol too: nothing
after its first record is seen until it ends. Normally it ends by itself, at the
latest after its time-out. A hanging one, which its coordinator does not know of,
never does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTxnListCommand(), newTxnAbortCommand())
	return cmd
}

func newTxnListCommand() *cobra.Command {
	var path string
	var sets []string
	cmd := &cobra.Command{
		Use:   "list -c FILE",
		Short: "Show the transactions of this application, and those open in its input",
		Long: `List shows the transactional ids of this app_id, and every transaction that is open in
its topics or in its input, whoever wrote it: the state, the producer's id and epoch,
since when it is open, and where, each partition with the transaction's first offset.
It changes nothing.`,
		Example: "  dangol txn list -c dangol.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTxns(path, sets, func(t *kafka.Txns) error {
				all, err := t.List(cmd.Context())
				if err != nil {
					return err
				}
				return printTxns(cmd.OutOrStdout(), all, time.Now())
			})
		},
	}
	addConfigFlags(cmd, &path, &sets)
	return cmd
}

func newTxnAbortCommand() *cobra.Command {
	var path, id string
	var sets []string
	var force bool
	at := kafka.OpenPart{Partition: -1, Start: -1}
	cmd := &cobra.Command{
		Use:   "abort -c FILE (--id ID | --topic TOPIC --partition N --start-offset N)",
		Short: "Abort an open transaction",
		Long: `Abort ends an open transaction: what it wrote will be seen by nobody who reads committed
records. With --id, that of a transactional id, as the id's next user would; a process
that uses it now is fenced off, and begins a new session. With --topic, --partition and
--start-offset, as "dangol txn list" shows them, one that hangs there.

Ids and topics of other applications are refused unless --force is given.`,
		Example: "  dangol txn abort -c dangol.yaml --id dangol-0\n  dangol txn abort -c dangol.yaml --topic dangol.changes --partition 3 --start-offset 4711",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			byPlace := at.Topic != "" && at.Partition >= 0 && at.Start >= 0
			if (id == "") != byPlace {
				return errors.New("which transaction? Give either --id, or --topic, --partition and --start-offset")
			}
			return withTxns(path, sets, func(t *kafka.Txns) error {
				return abortTxn(cmd.Context(), cmd.OutOrStdout(), t, id, at, force)
			})
		},
	}
	addConfigFlags(cmd, &path, &sets)
	f := cmd.Flags()
	f.StringVar(&id, "id", "", "abort the transaction of this transactional `id`")
	f.StringVar(&at.Topic, "topic", "", "abort what hangs in a partition of this `topic`")
	f.Int32Var(&at.Partition, "partition", -1, "the partition's `number`")
	f.Int64Var(&at.Start, "start-offset", -1, "the transaction's first `offset` there")
	f.BoolVar(&force, "force", false, "also of other applications")
	return cmd
}

func withTxns(path string, sets []string, fn func(*kafka.Txns) error) error {
	if path == "" && len(sets) == 0 {
		return errors.New("no configuration given: -c FILE, that of \"dangol run\"")
	}
	cfg, err := loadConfig(path, sets)
	if err != nil {
		return err
	}
	t, err := kafka.OpenTxns(cfg.AppID, &cfg.Input.Kafka)
	if err != nil {
		return err
	}
	defer t.Close()
	return fn(t)
}

// printTxns writes a table, and beneath it how to abort what hangs.
func printTxns(w io.Writer, all []kafka.Transaction, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no transactions")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "TRANSACTIONAL ID\tSTATE\tPRODUCER\tOPEN\tPARTITIONS") // Flush says what failed
	var hints strings.Builder
	for _, t := range all {
		id, open, parts := t.ID, "-", make([]string, len(t.Parts))
		if id == "" {
			id = "(unknown)"
		}
		if !t.Since.IsZero() {
			open = fmt.Sprintf("since %s (%s)", t.Since.UTC().Format(time.RFC3339), shortDuration(max(0, now.Sub(t.Since)).Truncate(time.Second)))
		}
		for i, p := range t.Parts {
			parts[i] = p.String()
		}
		if t.State == kafka.Hanging {
			open = strings.Replace(open, "since", "last wrote", 1)
			fmt.Fprintf(&hints, "  dangol txn abort -c FILE --topic %s --partition %d --start-offset %d\n", t.Parts[0].Topic, t.Parts[0].Partition, t.Parts[0].Start)
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%d/%d\t%s\t%s\n", id, t.State, t.Producer, t.Epoch, open, strings.Join(parts, " "))
	}
	if err := tw.Flush(); err != nil || hints.Len() == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "\nHanging transactions end by hand alone:\n%s", hints.String())
	return err
}

func abortTxn(ctx context.Context, w io.Writer, t *kafka.Txns, id string, at kafka.OpenPart, force bool) error {
	if id == "" {
		was, err := t.AbortHanging(ctx, at, force)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "aborted: the hanging transaction of producer %d, epoch %d, in %s\n", was.Producer, was.Epoch, at)
		return err
	}
	was, err := t.AbortID(ctx, id, force)
	if err != nil {
		return err
	}
	parts := make([]string, len(was.Parts))
	for i, p := range was.Parts {
		parts[i] = p.String()
	}
	_, err = fmt.Fprintf(w, "aborted: the transaction of %s (%s, producer %d, epoch %d) in %s; its producer is fenced off\n",
		id, was.State, was.Producer, was.Epoch, strings.Join(parts, " "))
	return err
}
