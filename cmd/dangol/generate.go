package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/bench/shop"
)

func newGenerateCommand() *cobra.Command {
	config := shop.DefaultConfig()
	var events int
	var out, start string
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write the events of a simulated shop, one JSON object a line",
		Long: `Generate simulates a small shop and writes what its customers do in the order in
which it would arrive: some of it late, some twice, a little of it broken. The
same settings give the same lines.`,
		Example: "  dangol generate --events 100000 --out events.jsonl\n  dangol generate --events 1000 --seed 7 | head",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := time.Parse(time.RFC3339, start)
			if err != nil {
				return fmt.Errorf("--start %q: want a time such as 2026-01-01T00:00:00Z", start)
			}
			config.Start = at.UnixMilli()
			if err := checkShop(config, events); err != nil {
				return err
			}
			if out == "" {
				return generate(cmd.Context(), cmd.OutOrStdout(), config, events, nil)
			}
			bar := newProgress(cmd.ErrOrStderr())
			defer bar.close()
			return writeFile(out, func(w io.Writer) error { return generate(cmd.Context(), w, config, events, bar) })
		},
	}
	f := cmd.Flags()
	f.IntVar(&events, "events", 10_000, "records to write")
	f.StringVar(&out, "out", "", "write to `FILE` instead of standard output")
	f.IntVar(&config.Customers, "customers", config.Customers, "customers at any one time")
	f.Uint64Var(&config.Seed, "seed", config.Seed, "another seed is another shop")
	f.StringVar(&start, "start", time.UnixMilli(config.Start).UTC().Format(time.RFC3339), "`time` of the first day")
	f.DurationVar(&config.Lateness, "lateness", config.Lateness, "longest time between an event and its arrival")
	f.Float64Var(&config.LateShare, "late", config.LateShare, "share of events that arrive late")
	f.Float64Var(&config.DuplicateShare, "duplicates", config.DuplicateShare, "share of events that arrive twice")
	f.Float64Var(&config.MalformedShare, "malformed", config.MalformedShare, "share of records that are broken")
	f.Float64Var(&config.SegmentShare, "segment", config.SegmentShare, "share of events that are Segment track calls")
	return cmd
}

// checkShop reports every fault of the flags.
func checkShop(c shop.Config, events int) error {
	var errs []error
	atLeast := func(flag string, n int) {
		if n < 1 {
			errs = append(errs, fmt.Errorf("--%s %d: want 1 or more", flag, n))
		}
	}
	atLeast("events", events)
	atLeast("customers", c.Customers)
	if c.Lateness < time.Minute {
		errs = append(errs, fmt.Errorf("--lateness %s: want 1m or more", c.Lateness))
	}
	for _, s := range []struct {
		flag  string
		value float64
	}{{"late", c.LateShare}, {"duplicates", c.DuplicateShare}, {"malformed", c.MalformedShare}, {"segment", c.SegmentShare}} {
		if !(s.value >= 0 && s.value <= 1) {
			errs = append(errs, fmt.Errorf("--%s %g: want a share, 0 to 1", s.flag, s.value))
		}
	}
	return errors.Join(errs...)
}

// generate writes n records, a line each.
func generate(ctx context.Context, w io.Writer, c shop.Config, n int, bar *progress) error {
	b := bufio.NewWriterSize(w, 1<<16)
	s := shop.New(c)
	for i := range n {
		if i%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return errors.Join(err, b.Flush())
			}
			bar.set("generating", float64(i)/float64(n))
		}
		r := s.Next()
		if _, err := b.Write(r.Value); err != nil {
			return err
		}
		if err := b.WriteByte('\n'); err != nil {
			return err
		}
	}
	return b.Flush()
}

// writeFile writes path through fn; a file that could not be finished stays.
func writeFile(path string, fn func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(fn(f), f.Close())
}
