package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var labelled = regexp.MustCompile(`partition="(\d+)"`)

// partition is the label of a metric; -1: it has none.
func partition(name string) int32 {
	m := labelled.FindStringSubmatch(name)
	if m == nil {
		return -1
	}
	n, err := strconv.ParseInt(m[1], 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// table shows medians, and the worst.
func table(c *config, kinds []kind) string {
	var b strings.Builder
	brokers := "the embedded broker"
	if c.real {
		brokers = fmt.Sprintf("Apache Kafka, %d brokers", c.nodes)
	}
	fmt.Fprintf(&b, "%d customers, %d partitions, %d events a second, %s. Seconds: median (worst).\n\n", c.load.Customers, c.load.Partitions, c.rate, brokers)
	fmt.Fprintf(&b, "%-26s %7s %15s %15s %15s %18s\n", "", "trials", "given by group", "first event", "all partitions", "records read")
	for _, k := range kinds {
		given := "–"
		if slices.ContainsFunc(k.trials, func(t trial) bool { return t.took > 0 }) {
			given = spread(k.trials, "%.2f", func(t trial) float64 { return t.took })
		}
		fmt.Fprintf(&b, "%-26s %7d %15s %15s %15s %18s\n", k.name, len(k.trials), given,
			spread(k.trials, "%.2f", func(t trial) float64 { return t.first }), spread(k.trials, "%.2f", func(t trial) float64 { return t.all }),
			spread(k.trials, "%.0f", func(t trial) float64 { return t.read }))
	}
	for _, k := range kinds {
		if k.name == lostDisk {
			b.WriteString("\nOf a lost disk: " + lost(c, k.trials) + ".\n")
		}
	}
	return b.String()
}

// lost is what a restore of everything comes to.
func lost(c *config, trials []trial) string {
	seconds := values(trials, func(t trial) float64 { return t.all / float64(c.load.Customers) * 1e6 })
	rate := values(trials, func(t trial) float64 { return float64(t.bytes) / 1e6 / t.all })
	return fmt.Sprintf("%.1f s per million customers, %.0f MB/s of the changelog as it is on the broker's disk", middle(seconds), middle(rate))
}

// spread is the median and the worst.
func spread(trials []trial, format string, of func(trial) float64) string {
	vs := values(trials, of)
	if len(vs) == 0 {
		return "–"
	}
	return fmt.Sprintf(format+" ("+format+")", middle(vs), vs[len(vs)-1])
}

func values(trials []trial, of func(trial) float64) []float64 {
	var vs []float64
	for _, t := range trials {
		vs = append(vs, of(t))
	}
	slices.Sort(vs)
	return vs
}

// middle is the median of sorted values.
func middle(vs []float64) float64 {
	if len(vs) == 0 {
		return math.NaN()
	}
	n := len(vs)
	return (vs[(n-1)/2] + vs[n/2]) / 2
}
