package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// inspectOptions say what to show, and of what.
type inspectOptions struct {
	config   string
	sets     []string
	dir      string
	from     string
	facts    bool
	customer string
	timers   int
	json     bool
}

// Where inspect reads from.
const (
	fromState     = "state"
	fromChangelog = "changelog"
)

func newInspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect --state DIR | -c FILE",
		Short: "Show what is kept: positions, a customer, the next timers",
		Long: `Inspect reads the state directory of a stopped instance (--state, or state.dir of the
configuration) or, with --from changelog, the changelog topic, which works while
instances run, too. It shows the commit record of every partition, or what is asked for:
a customer's ledger and what was last said of it (--customer), the timers that are due
next (--timers), or a line for every customer with its facts in hexadecimal and the
version of its last change (--facts). "dangol replay --facts" writes the same lines, so
that the two can be compared.`,
		Example: "  dangol inspect --state dangol-state\n  dangol inspect -c dangol.yaml --from changelog --customer c-42\n  dangol inspect -c dangol.yaml --timers 20 --json",
		Args:    cobra.MaximumNArgs(1), // of --timers, which may stand alone
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 1 {
				if o.timers, err = strconv.Atoi(args[0]); err != nil || !cmd.Flags().Changed("timers") || o.timers < 1 {
					return fmt.Errorf("%q: inspect takes flags only, and --timers a number above 0", args[0])
				}
			}
			return inspect(cmd.Context(), &o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	addConfigFlags(cmd, &o.config, &o.sets)
	f.StringVar(&o.dir, "state", "", "state `directory` (state.dir)")
	f.StringVar(&o.from, "from", fromState, "read the `place`: state (the directory of a stopped instance) or changelog (the topic)")
	f.BoolVar(&o.facts, "facts", false, "print every customer's facts instead")
	f.StringVar(&o.customer, "customer", "", "show the customer of this `id` instead")
	f.IntVar(&o.timers, "timers", 0, "show the next `N` timers of each partition instead; alone: 10")
	f.Lookup("timers").NoOptDefVal = "10"
	f.BoolVar(&o.json, "json", false, "print JSON, one object a line")
	cmd.MarkFlagsMutuallyExclusive("facts", "customer", "timers")
	return cmd
}

func inspect(ctx context.Context, o *inspectOptions, w io.Writer) (err error) {
	k, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	out := bufio.NewWriter(w)
	defer func() { err = errors.Join(err, out.Flush()) }()
	parts, err := k.partitions()
	if err != nil {
		return err
	}
	switch {
	case o.customer != "":
		return o.showCustomer(k, parts, out)
	case o.timers > 0:
		return o.showTimers(k, parts, out)
	case o.facts:
		return eachFacts(k, parts, factsWriter(out))
	}
	if len(parts) == 0 && !o.json {
		_, err := fmt.Fprintln(out, "no partition has been committed")
		return err
	}
	for _, p := range parts {
		if err := o.showPosition(k, p, out); err != nil {
			return err
		}
	}
	return nil
}

// positionDoc is a partition's commit record.
type positionDoc struct {
	Partition   int32  `json:"partition"`
	Customers   int    `json:"customers"`
	NextOffset  int64  `json:"next_offset"`
	NewestEvent string `json:"newest_event,omitempty"`
	Clock       string `json:"clock,omitempty"`
	Changelog   int64  `json:"changelog_offset"`
	Identity    string `json:"identity"`
}

func (o *inspectOptions) showPosition(k kept, p int32, w io.Writer) error {
	pos, ok, err := k.position(p)
	if err != nil || !ok {
		return err
	}
	n := 0
	err = k.each(p, func(key, _ []byte, _ int64) error {
		if _, ok := pipeline.CustomerOf(key); ok {
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeLine(w, positionDoc{p, n, pos.Next, moment(pos.MaxTime), moment(pos.Clock), pos.Changelog, fmt.Sprintf("%016x", pos.Identity)})
	}
	_, err = fmt.Fprintf(w, "partition %d: %d customers, next input offset %d, changelog read to %d, newest event %s, clock %s, %s\n",
		p, n, pos.Next, pos.Changelog, instant(pos.MaxTime), instant(pos.Clock), k.whose(pos))
	return err
}

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func instant(ms int64) string {
	if ms == 0 {
		return "none"
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// moment is an instant for machines, empty for none.
func moment(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}
