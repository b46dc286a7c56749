// Command recovery measures how fast dangol is back: after a kill, without its
// disk, and where a standby takes over.
//
// It starts a broker and dangol as processes of their own, lets them take in a
// visit of each of a million customers and some orders, and from then on produces
// a few hundred events a second. Then it kills, and looks at the group's committed
// offsets all the while: what counts is when an event that came after the kill has
// been committed, and not when a process says that it is ready.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/dangol-dev/dangol/bench"
)

func main() { bench.Command(run) }

// config is what the command line says.
type config struct {
	bin    string
	load   bench.Load
	rate   int // events a second during the trials
	trials int
	real   bool // Apache Kafka, else the embedded broker
	nodes  int
	dir    string
	within time.Duration
}

func parse(args []string, errOut io.Writer) (*config, error) {
	c := config{load: bench.Load{Items: 10_000, Partitions: 12, Seed: 1}}
	f := flag.NewFlagSet("recovery", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.StringVar(&c.bin, "bin", "bin/dangol", "the dangol that is killed")
	f.IntVar(&c.load.Customers, "customers", 1_000_000, "customers in the state")
	f.IntVar(&c.load.Events, "events", 200_000, "events before the trials, besides a visit of each customer")
	partitions := f.Int("partitions", int(c.load.Partitions), "partitions of the topic")
	f.IntVar(&c.rate, "rate", 300, "events a second during the trials")
	f.IntVar(&c.trials, "trials", 5, "trials of each kind; of the lost disk, the half")
	kind := f.String("broker", "embedded", "embedded, or real: Apache Kafka, which needs Java and Maven")
	f.IntVar(&c.nodes, "nodes", 3, "brokers of a real Kafka, 1 or 3")
	f.StringVar(&c.dir, "dir", "", "keep state, records and logs in this folder")
	f.DurationVar(&c.within, "within", time.Hour, "most time that it takes, all in all")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q: want flags only", f.Arg(0))
	}
	var errs []error
	for _, n := range []struct {
		flag             string
		value, min, most int
	}{
		{"customers", c.load.Customers, 2, 1e9}, {"events", c.load.Events, 0, 1e9}, {"partitions", *partitions, 2, 1000},
		{"rate", c.rate, 1, 100_000}, {"trials", c.trials, 1, 1000},
	} {
		if n.value < n.min || n.value > n.most {
			errs = append(errs, fmt.Errorf("--%s %d: want %d to %d", n.flag, n.value, n.min, n.most))
		}
	}
	switch *kind {
	case "embedded":
	case "real":
		c.real = true
	default:
		errs = append(errs, fmt.Errorf("--broker %q: want embedded or real", *kind))
	}
	if c.nodes != 1 && c.nodes != 3 {
		errs = append(errs, fmt.Errorf("--nodes %d: want 1 or 3", c.nodes))
	}
	c.load.Partitions = int32(*partitions)
	return &c, errors.Join(errs...)
}

func run(ctx context.Context, args []string, out, errOut io.Writer) (err error) {
	c, err := parse(args, errOut)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(c.bin); err != nil {
		return fmt.Errorf("--bin: %w; \"make build\" makes bin/dangol", err)
	}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "dangol-recovery-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.within, fmt.Errorf("not done after %s (--within)", c.within))
	defer cancel()
	if err = measure(ctx, c, out, log.New(errOut, "", log.Ltime)); err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}
