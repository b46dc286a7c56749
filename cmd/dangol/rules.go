package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dangol-dev/dangol/engine/basket"
)

type rulesOptions struct {
	historyOptions
	minSupport, minConfidence, minLift float64
	maxItems, limit                    int
	sort, out                          string
	halfLife                           time.Duration
}

func newRulesCommand() *cobra.Command {
	var o rulesOptions
	cmd := &cobra.Command{
		Use:   "rules --input FILE",
		Short: "List what is bought together in a history: rules, with every measure",
		Long: `Rules counts the orders of a history and lists the rules in it: who buys what is
on the left side also buys what is on the right. Orders that were cancelled or
wholly refunded do not count. Counting is exact: every pair and every triple of
items has room, unless the header says otherwise.`,
		Example: `  dangol rules --input groceries.csv --format baskets --min-confidence 0.25
  dangol rules --input events.jsonl.gz --half-life 4320h --sort llr --limit 50 --out csv > rules.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.input) == 0 {
				return errors.New("no file given: dangol rules --input FILE")
			}
			if err := o.validate(); err != nil {
				return err
			}
			return listRules(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.register(cmd, "`instant` (2026-11-21 or RFC 3339) to stop at (default: the last event's)")
	f := cmd.Flags()
	f.Float64Var(&o.minSupport, "min-support", .01, "least `share` of all orders that hold all of a rule's items")
	f.Float64Var(&o.minConfidence, "min-confidence", 0, "least `share` of the orders with the left side that hold the right side too")
	f.Float64Var(&o.minLift, "min-lift", 0, "least `lift`; above 1, A and B are together more often than by chance")
	f.IntVar(&o.maxItems, "max-items", 2, "most `items` on the left side: 1 or 2")
	f.StringVar(&o.sort, "sort", "lift", "`measure` to sort by, the greatest first: "+strings.Join(measureNames(), ", "))
	f.IntVar(&o.limit, "limit", 0, "list only the first `n` rules; 0: all")
	f.StringVar(&o.out, "out", "text", "`form` of the list: text, csv or json")
	f.DurationVar(&o.halfLife, "half-life", 0, "after how long an order counts half, such as 4320h; 0s: never, counts are plain")
	return cmd
}

// measure is a figure of a rule.
type measure struct {
	name, title string
	of          func(*basket.Table2) float64
}

// measures are all figures, in the order of the columns.
var measures = []measure{
	{"count", "count", func(t *basket.Table2) float64 { return t.Both }},
	{"support", "support", func(t *basket.Table2) float64 { return t.Support() }},
	{"confidence", "confidence", func(t *basket.Table2) float64 { return t.Confidence() }},
	{"lift", "lift", func(t *basket.Table2) float64 { return t.Lift() }},
	{"leverage", "leverage", func(t *basket.Table2) float64 { return t.Leverage() }},
	{"conviction", "conviction", func(t *basket.Table2) float64 { return t.Conviction() }},
	{"cosine", "cosine", func(t *basket.Table2) float64 { return t.Cosine() }},
	{"llr", "LLR", func(t *basket.Table2) float64 { return t.LLR() }},
	{"significance", "significance", func(t *basket.Table2) float64 { return t.Chance() }},
}

// measureNames are those that can be sorted by.
func measureNames() []string {
	var names []string
	for _, m := range measures {
		if m.name != "count" && m.name != "significance" {
			names = append(names, m.name)
		}
	}
	return names
}

// validate reports every fault of the flags.
func (o *rulesOptions) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.minSupport >= 0 && o.minSupport <= 1, "--min-support %g: want a share of all orders, 0 to 1, such as 0.01", o.minSupport)
	check(o.minConfidence >= 0 && o.minConfidence <= 1, "--min-confidence %g: want a share, 0 to 1, such as 0.25", o.minConfidence)
	check(o.minLift >= 0 && !math.IsInf(o.minLift, 1), "--min-lift %g: want a number from 0 on, such as 1.5", o.minLift)
	check(o.maxItems == 1 || o.maxItems == 2, "--max-items %d: want 1 or 2", o.maxItems)
	check(o.limit >= 0, "--limit %d: want a number of rules, or 0 for all", o.limit)
	check(slices.Contains(measureNames(), o.sort), "--sort %q: want one of %s", o.sort, strings.Join(measureNames(), ", "))
	check(slices.Contains([]string{"text", "csv", "json"}, o.out), "--out %q: want text, csv or json", o.out)
	if cfg := o.counting(); cfg.Validate() != nil {
		check(false, "--half-life %s: want 0s, or 1m to 876000h", o.halfLife)
	}
	return errors.Join(errs...)
}

// counting has room for everything.
func (o *rulesOptions) counting() basket.Config {
	cfg := basket.DefaultConfig()
	cfg.HalfLife, cfg.Neighbours, cfg.Triples = o.halfLife, 1<<16, 1<<24
	if o.maxItems == 1 {
		cfg.Triples = 0
	}
	return cfg
}

// namedRule is a rule in the words of the file.
type namedRule struct {
	left []string // sorted; one or two
	then string
	basket.Table2
}

// ruleList is what the command tells.
type ruleList struct {
	*counted
	input    string
	opts     *rulesOptions
	frequent basket.Frequent
	rules    []namedRule // that are listed
	found    int         // rules, before the limit
}

func listRules(ctx context.Context, o *rulesOptions, out, errOut io.Writer) error {
	cfg, asOf, err := o.load()
	if err != nil {
		return err
	}
	c, err := o.count(ctx, cfg, asOf, errOut)
	if err != nil {
		return err
	}
	if c.counts.Orders() <= 0 {
		return fmt.Errorf("no order with items in the %d lines: is --format right?", c.report.Lines)
	}
	l := &ruleList{counted: c, input: o.inputName(), opts: o}
	l.find()
	switch o.out {
	case "csv":
		return l.writeCSV(out, errOut)
	case "json":
		return l.writeJSON(out)
	}
	return l.writeText(out)
}

// find takes the rules out of the counts and puts them in order.
func (l *ruleList) find() {
	o := l.opts
	l.frequent = l.counts.Rules(o.minSupport, o.minConfidence, func(r *basket.Rule) {
		if len(r.If) > o.maxItems || r.Lift() < o.minLift*(1-1e-12) {
			return
		}
		x := namedRule{then: l.names[r.Then], Table2: r.Table2}
		for _, it := range r.If {
			x.left = append(x.left, l.names[it])
		}
		slices.Sort(x.left)
		l.rules = append(l.rules, x)
	})
	by := measures[slices.IndexFunc(measures, func(m measure) bool { return m.name == o.sort })].of
	slices.SortFunc(l.rules, func(a, b namedRule) int {
		return cmp.Or(cmp.Compare(by(&b.Table2), by(&a.Table2)), slices.Compare(a.left, b.left), cmp.Compare(a.then, b.then))
	})
	if l.found = len(l.rules); o.limit > 0 {
		l.rules = l.rules[:min(l.found, o.limit)]
	}
}
