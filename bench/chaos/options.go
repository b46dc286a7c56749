package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/bench/shop"
)

// options are what the command line says.
type options struct {
	args []string // as they came

	bin        string
	broker     string // kafka or embedded
	nodes      int
	instances  int
	partitions int
	events     int
	customers  int
	rate       float64 // events a second; 0: events over duration
	seed       uint64
	duration   time.Duration
	limit      time.Duration
	session    time.Duration
	txn        time.Duration
	counts     map[string]int // by kind; empty: a mix for duration
	only       []string
	alone      bool
	sets       []string // for every instance's --set
	dir        string
	report     string
}

// days are how many of the shop's go by, about, where nobody says how many
// customers it has: enough for timers of every kind.
const days = 90

// list is a flag that may be given more than once.
type list struct{ to *[]string }

func (l list) String() string     { return "" }
func (l list) Set(s string) error { *l.to = append(*l.to, s); return nil }

func parse(args []string, errOut io.Writer) (*options, error) {
	o := &options{args: args, counts: map[string]int{}}
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.StringVar(&o.bin, "bin", "bin/dangol", "the dangol that is put to the test")
	f.StringVar(&o.broker, "broker", "kafka", "kafka: Apache Kafka (needs Java); embedded: \"dangol broker\", one node, for a quick look")
	f.IntVar(&o.nodes, "nodes", 3, "Kafka brokers, 1 or 3")
	f.IntVar(&o.instances, "instances", 3, "instances of one app_id")
	f.IntVar(&o.partitions, "partitions", 8, "partitions of the input")
	f.IntVar(&o.events, "events", 200_000, "events, at least")
	f.IntVar(&o.customers, "customers", 0, "customers at any one time (default: so many that some 90 days of theirs go by)")
	f.Float64Var(&o.rate, "rate", 0, "events a second (default: so many that they last for the duration)")
	f.Uint64Var(&o.seed, "seed", 1, "another seed is another plan and another shop")
	f.DurationVar(&o.duration, "duration", 5*time.Minute, "time in which a mix of faults begins, or over which faults whose numbers are given are spread")
	f.DurationVar(&o.limit, "limit", 0, "time after which the run is given up (default: three times the duration, and ten minutes)")
	f.DurationVar(&o.session, "session-timeout", 6*time.Second, "input.session_timeout of the instances")
	f.DurationVar(&o.txn, "transaction-timeout", 10*time.Second, "input.transaction_timeout of the instances")
	only := f.String("only", "", "only these kinds of faults, such as kill,stop")
	f.BoolVar(&o.alone, "alone", false, "no fault begins before the one before has been recovered from: clean recovery times, fewer faults")
	f.Var(list{&o.sets}, "set", "`path=value` for the configuration of every instance; may be repeated")
	f.StringVar(&o.dir, "dir", "", "keep everything in this folder, which must be empty or absent (default: a temporary one, kept if the run fails)")
	f.StringVar(&o.report, "report", "", "write a report in Markdown to `FILE`")
	for _, k := range kinds() {
		f.Func(k.flag, fmt.Sprintf("how many times: %s", k.doc), func(s string) error {
			var n int
			if _, err := fmt.Sscan(s, &n); err != nil || n < 0 {
				return errors.New("want a number, 0 or more")
			}
			o.counts[k.name] = n
			return nil
		})
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q: want flags only", f.Arg(0))
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	return o, o.check()
}

func (o *options) check() error {
	var errs []error
	for _, n := range []struct {
		flag       string
		value, min int
	}{{"instances", o.instances, 1}, {"partitions", o.partitions, 1}, {"events", o.events, 1}, {"customers", o.customers, 0}} {
		if n.value < n.min {
			errs = append(errs, fmt.Errorf("--%s %d: want %d or more", n.flag, n.value, n.min))
		}
	}
	if o.broker != "kafka" && o.broker != "embedded" {
		errs = append(errs, fmt.Errorf("--broker %q: want kafka or embedded", o.broker))
	}
	if o.broker == "kafka" && o.nodes != 1 && o.nodes != 3 {
		errs = append(errs, fmt.Errorf("--nodes %d: want 1 or 3", o.nodes))
	}
	if o.broker == "embedded" {
		o.nodes = 1
	}
	if o.duration <= 0 || o.rate < 0 {
		errs = append(errs, errors.New("--duration and --rate: want no less than 0"))
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == name }) {
			var names []string
			for _, k := range kinds() {
				names = append(names, k.name)
			}
			errs = append(errs, fmt.Errorf("--only: there is no fault %q; there are %s", name, strings.Join(names, ", ")))
		}
	}
	if o.limit == 0 {
		o.limit = 3*o.duration + 10*time.Minute
	}
	if o.customers == 0 {
		o.customers = max(1, int(float64(o.events)/(days*shop.Config{Customers: 1}.EventsPerDay())))
	}
	if o.rate == 0 {
		o.rate = float64(o.events) / o.duration.Seconds()
	}
	if _, err := exec.LookPath(o.bin); err != nil {
		errs = append(errs, fmt.Errorf("--bin: %w; \"make build\" makes bin/dangol", err))
	}
	return errors.Join(errs...)
}
