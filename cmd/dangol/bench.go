package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/bench"
	"github.com/dangol-dev/dangol/connectors/kafka"
	"github.com/dangol-dev/dangol/engine/pipeline"
)

type benchOptions struct {
	load    bench.Load
	role    string
	brokers []string
	dir     string
	profile string
}

func newBenchCommand() *cobra.Command {
	o := benchOptions{load: bench.Load{Customers: 1_000_000, Items: 10_000, Events: 2_000_000, Partitions: 12, Seed: 1}}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what an event costs, beside what reading it costs at the least",
		Long: `Bench starts a broker in a process of its own, fills a topic with Segment calls (85 %
views, customers by Zipf's law), and lets two processes read it one after the other: a
bare client that does nothing else, and the engine with everything on. The ratios of
the two, measured in one run, are the figures that mean something on another machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch o.role {
			case "raw":
				return benchRaw(cmd.Context(), &o, cmd.OutOrStdout())
			case "engine":
				return benchEngine(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return runBench(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.load.Customers, "customers", o.load.Customers, "customers, each seen once before the measured part")
	f.IntVar(&o.load.Items, "items", o.load.Items, "articles")
	f.IntVar(&o.load.Events, "events", o.load.Events, "events measured")
	f.Int32Var(&o.load.Partitions, "partitions", o.load.Partitions, "partitions of the topic")
	f.Uint64Var(&o.load.Seed, "seed", o.load.Seed, "another seed is another stream")
	f.StringVar(&o.profile, "profile", "", "keep the engine's CPU profile in this `FILE`")
	f.StringVar(&o.role, "role", "", "internal: the part that a child process plays")
	f.StringSliceVar(&o.brokers, "brokers", nil, "internal")
	f.StringVar(&o.dir, "dir", "", "directory of broker and state (default: a temporary one)")
	for _, name := range []string{"role", "brokers"} {
		if err := f.MarkHidden(name); err != nil {
			panic(err)
		}
	}
	return cmd
}

const benchTopic = "events"

// engineCost is what the engine's process reports.
type engineCost struct {
	bench.Cost
	Changes   uint64
	Customers int
	Commits   uint64
	HotBytes  int64
	Stages    []bench.Stage
}

func runBench(ctx context.Context, o *benchOptions, out, errOut io.Writer) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "dangol-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	address, stop, err := benchBroker(ctx, self, o)
	if err != nil {
		return err
	}
	defer stop()
	o.brokers = []string{address}
	fmt.Fprintf(errOut, "filling %d visits and %d events …\n", o.load.Customers, o.load.Events)
	if err := o.load.Fill(ctx, o.brokers, benchTopic); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	var raw [2]bench.Cost
	var eng engineCost
	// The bare client runs before and after, so that a drift of the machine's
	// speed shows, and evens out.
	for _, step := range []struct {
		role string
		into any
	}{{"raw", &raw[0]}, {"engine", &eng}, {"raw", &raw[1]}} {
		fmt.Fprintf(errOut, "measuring: %s …\n", step.role)
		if err := benchChild(ctx, self, o, step.role, step.into, errOut); err != nil {
			return fmt.Errorf("%s: %w", step.role, err)
		}
	}
	printBench(out, o, raw, &eng)
	return nil
}

// benchBroker starts the broker in a process of its own, so that its work is
// not counted as the engine's.
func benchBroker(ctx context.Context, self string, o *benchOptions) (address string, stop func(), err error) {
	cmd := exec.CommandContext(ctx, self, "broker", "--data", filepath.Join(o.dir, "broker"), "--listen", "127.0.0.1:0", "--topic", "unused")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	buf := make([]byte, 1024)
	n, err := stdout.Read(buf)
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("broker did not start: %w", err)
	}
	_, rest, _ := strings.Cut(string(buf[:n]), "broker at ")
	address, _, _ = strings.Cut(rest, ",")
	return address, stop, nil
}

func benchChild(ctx context.Context, self string, o *benchOptions, role string, into any, errOut io.Writer) error {
	args := []string{"bench", "--role", role, "--brokers", o.brokers[0], "--dir", o.dir, "--profile", o.profile,
		"--customers", fmt.Sprint(o.load.Customers), "--events", fmt.Sprint(o.load.Events), "--partitions", fmt.Sprint(o.load.Partitions)}
	cmd := exec.CommandContext(ctx, self, args...)
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, errOut
	if err := cmd.Run(); err != nil {
		return err
	}
	return json.Unmarshal(stdout.Bytes(), into)
}

func benchRaw(ctx context.Context, o *benchOptions, out io.Writer) error {
	c, err := o.load.Consume(ctx, o.brokers, benchTopic, kafka.NewPools())
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(c)
}

func benchEngine(ctx context.Context, o *benchOptions, out, errOut io.Writer) error {
	cfg := DefaultConfig()
	cfg.AppID = "bench"
	cfg.Input.Kafka.Brokers, cfg.Input.Kafka.Topic = o.brokers, benchTopic
	cfg.Clock, cfg.State.Dir, cfg.HTTP.Listen = pipeline.EventClock, filepath.Join(o.dir, "state"), "127.0.0.1:0"
	cfg.State.HotBytes = 2 << 30
	if err := cfg.Validate(); err != nil {
		return err
	}
	e, err := newEngine(&cfg, slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- e.run(ctx) }()
	if err := reached(ctx, e, uint64(o.load.Customers), done); err != nil {
		return err
	}
	var prof bytes.Buffer
	if err := pprof.StartCPUProfile(&prof); err != nil {
		return err
	}
	before, from := e.core.Stats(), bench.Measure()
	if err := reached(ctx, e, uint64(o.load.Customers+o.load.Events), done); err != nil {
		return err
	}
	c := engineCost{Cost: from.Since()}
	pprof.StopCPUProfile()
	st := e.core.Stats()
	c.Events, c.Changes, c.Commits = st.Events-before.Events, st.Changes-before.Changes, st.Commits-before.Commits
	c.Customers, c.HotBytes = st.Customers, st.HotBytes
	if c.Stages, err = bench.Stages(prof.Bytes()); err != nil {
		return err
	}
	if o.profile != "" {
		if err := os.WriteFile(o.profile, prof.Bytes(), 0o600); err != nil {
			return err
		}
	}
	stop()
	if err := <-done; err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(c)
}

// reached waits until so many events are committed.
func reached(ctx context.Context, e *engine, events uint64, done <-chan error) error {
	for e.core.Stats().Events < events {
		select {
		case err := <-done:
			return fmt.Errorf("engine ended early: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func printBench(w io.Writer, o *benchOptions, raw [2]bench.Cost, e *engineCost) {
	rawCPU := (raw[0].PerEvent() + raw[1].PerEvent()) / 2
	rawRate := (raw[0].Rate() + raw[1].Rate()) / 2
	cpu, rate := e.PerEvent(), e.Rate()
	fmt.Fprintf(w, "%d events of %d customers, %d partitions, everything on (exactly once, changelog, state, pairs, metrics)\n", e.Events, e.Customers, o.load.Partitions)
	fmt.Fprintf(w, "%-28s %12s %14s\n", "", "CPU ns/event", "events/s")
	fmt.Fprintf(w, "%-28s %12.0f %14.0f   (before %.0f, after %.0f ns)\n", "raw consume", rawCPU, rawRate, raw[0].PerEvent(), raw[1].PerEvent())
	fmt.Fprintf(w, "%-28s %12.0f %14.0f\n", "engine", cpu, rate)
	fmt.Fprintf(w, "%-28s %12.2f %14.2f\n", "ratio", cpu/rawCPU, rate/rawRate)
	gc := 0.0
	for _, s := range e.Stages {
		if s.Name == bench.GC {
			gc = s.Share
		}
		fmt.Fprintf(w, "  %-26s %12.0f\n", s.Name, s.Share*cpu)
	}
	fmt.Fprintf(w, "changes per event %.3f, events per commit %.0f\n", float64(e.Changes)/float64(e.Events), float64(e.Events)/float64(max(e.Commits, 1)))
	fmt.Fprintf(w, "allocations per event %.3f, GC %.1f %% of CPU, peak memory %.0f MB, hot set %.0f B a customer\n",
		float64(e.Mallocs)/float64(e.Events), 100*gc, float64(e.RSS)/1e6, float64(e.HotBytes)/float64(max(e.Customers, 1)))
}
