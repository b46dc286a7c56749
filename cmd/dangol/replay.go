package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

type replayOptions struct {
	historyOptions
	scores, changes, facts string
}

func newReplayCommand() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay --input FILE",
		Short: "Score the history in a file, with no Kafka",
		Long: `Replay carries a file's events, in the order of their time, through the same core
that "run" uses, and moves time by the events alone. It prints the population as it
stands at the end, or at --as-of; later events are left out then.

--scores writes every customer's document for that instant, --changes what "run" would
have written to the changes topic, --facts the bytes of the facts; a line each.`,
		Example: `  dangol replay --input CDNOW_sample.txt --format cdnow --as-of 1998-07-01 --set rfm.window_days=0
  dangol replay --input events.jsonl.gz --scores scores.jsonl --changes changes.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.input) == 0 {
				return errors.New("no file given: dangol replay --input FILE")
			}
			return replay(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.register(cmd, "`instant` (2026-11-21 or RFC 3339) to stop at (default: the last event's)")
	f := cmd.Flags()
	f.StringVar(&o.scores, "scores", "", "write every customer's document to this `FILE`")
	f.StringVar(&o.changes, "changes", "", "write every change to this `FILE`")
	f.StringVar(&o.facts, "facts", "", "write every customer's facts, in hexadecimal, to this `FILE`")
	return cmd
}

func replay(ctx context.Context, o *replayOptions, out, errOut io.Writer) (err error) {
	cfg, asOf, err := o.load()
	if err != nil {
		return err
	}
	h, err := o.open(cfg, asOf, errOut)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	began := time.Now()
	err = into(o.changes, func(w io.Writer) (err error) {
		r := pipeline.Replay{Core: h.core, Output: changesWriter(w)}
		asOf, err = r.Run(ctx, h.reader.Next, asOf)
		return err
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	h.bar.close()
	if err := writeReplay(ctx, o, h.core, h.store, asOf); err != nil {
		return err
	}
	report(out, h.reader.Report(), h.core.Stats(), took)
	return printPopulation(ctx, out, h.core, asOf)
}

// replayCore is the core's configuration for files, which come in order: time
// is that of the newest event.
func (c *Config) replayCore() pipeline.Config {
	p := c.core()
	p.Clock, p.ClockLag = pipeline.EventClock, 0
	p.Basket.Publish = 0 // nobody listens
	return p
}

func writeReplay(ctx context.Context, o *replayOptions, core *pipeline.Core, store *state.Store, asOf int64) error {
	err := into(o.scores, func(w io.Writer) error {
		if o.scores == "" {
			return nil
		}
		return core.EachCustomer(ctx, asOf, scoresWriter(w))
	})
	if err != nil {
		return err
	}
	return into(o.facts, func(w io.Writer) error {
		if o.facts == "" {
			return nil
		}
		return pipeline.EachFacts(store, factsWriter(w))
	})
}

// into runs fn with a buffered file, or with nothing behind it where path is
// empty.
func into(path string, fn func(io.Writer) error) error {
	if path == "" {
		return fn(io.Discard)
	}
	return writeFile(path, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<16)
		return errors.Join(fn(b), b.Flush())
	})
}

// changesWriter keeps what is for the changes topic, a line each.
func changesWriter(w io.Writer) func([]pipeline.Output) error {
	if w == io.Discard {
		return nil
	}
	return func(outs []pipeline.Output) error {
		for i := range outs {
			if outs[i].To != pipeline.Changes {
				continue
			}
			if _, err := w.Write(outs[i].Value); err != nil {
				return err
			}
			if _, err := w.Write([]byte{'\n'}); err != nil {
				return err
			}
		}
		return nil
	}
}

// parseInstant reads a day or an RFC 3339 time; "" is 0.
func parseInstant(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("--as-of %q: want a day such as 2026-11-21 or a time such as 2026-11-21T09:30:00Z", s)
}

// report says what became of each line.
func report(w io.Writer, r file.Report, st pipeline.Stats, took time.Duration) {
	fmt.Fprintf(w, "%d lines, %d events in %s (%.0f/s)\n", r.Lines, r.Events, took.Round(time.Millisecond), float64(r.Events)/max(took.Seconds(), .001))
	if r.After > 0 {
		fmt.Fprintf(w, "  after the instant: %d lines\n", r.After)
	}
	for reason, n := range st.Rejects {
		r.Rejects[reason] += int64(n)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Rejects)) {
		fmt.Fprintf(w, "  rejected as %s: %d lines\n", reason, r.Rejects[reason])
	}
	for _, x := range r.Examples {
		fmt.Fprintf(w, "    %s\n", x)
	}
	fmt.Fprintf(w, "  duplicates: %d, timers: %d, changes: %d\n", st.Duplicates, st.Timers, st.Changes)
}

// printPopulation shows the population and its cut points.
func printPopulation(ctx context.Context, w io.Writer, core *pipeline.Core, asOf int64) error {
	p, err := core.Population(ctx, asOf)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "as of %s: %d customers, %d of them buyers\n", instant(asOf), p.Customers, p.Buyers)
	fmt.Fprintf(w, "  cut points  recency %s days, frequency %s, monetary %s\n",
		quintiles(p.Cuts.Recency), quintiles(p.Cuts.Frequency), quintiles(p.Cuts.Monetary))
	groups := map[string]int{}
	err = core.EachCustomer(ctx, asOf, func(doc *score.Scores) error {
		if doc.RFM != nil {
			groups[fmt.Sprintf("%d%d%d", doc.RFM.R, doc.RFM.F, doc.RFM.M)]++
		}
		return nil
	})
	fmt.Fprintf(w, "  groups      %s\n  segments    %s\n  stages      %s\n  churn       %s\n",
		top(groups, 6), counts(p.Segments), counts(p.Stages), counts(p.Bands))
	return err
}

func quintiles(q [4]float64) string {
	return fmt.Sprintf("%.6g/%.6g/%.6g/%.6g", q[0], q[1], q[2], q[3])
}

// top is counts, shortened.
func top(m map[string]int, n int) string {
	parts := strings.SplitN(counts(m), ", ", n+1)
	if len(parts) > n {
		parts[n] = "…"
	}
	return strings.Join(parts, ", ")
}
