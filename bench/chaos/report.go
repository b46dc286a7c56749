package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// judge finds what is at fault besides the counters.
func (r *outcome) judge() {
	if !r.drained {
		r.faults = append(r.faults, "the input was not worked through in time")
	}
	if r.verdict.timers == 0 {
		r.faults = append(r.faults, "no timer was due: more --events, or fewer --customers, make more time pass")
	}
	if int64(r.verdict.records) < r.sent {
		r.faults = append(r.faults, fmt.Sprintf("the brokers lost input: %d records were acknowledged, %d are there", r.sent, r.verdict.records))
	}
	told := map[string]bool{}
	for _, k := range r.planned {
		if r.w.fired[k.name] == 0 && !told[k.name] {
			r.faults = append(r.faults, "planned, and never happened: "+k.name)
			told[k.name] = true
		}
	}
}

// ok is whether the proof holds.
func (r *outcome) ok() bool { return r.verdict.counts.Zero() && len(r.faults) == 0 }

// write prints the report, and writes it to the file that was asked for.
func (r *outcome) write(out io.Writer) error {
	text := r.text()
	if _, err := io.WriteString(out, "\n"+text); err != nil {
		return err
	}
	if r.o.report == "" {
		return nil
	}
	return os.WriteFile(r.o.report, []byte(text), 0o644)
}

func (r *outcome) text() string {
	var b strings.Builder
	v := &r.verdict
	fmt.Fprintf(&b, "**%s**\n\n", v.counts)
	for _, f := range r.faults {
		fmt.Fprintf(&b, "- at fault: %s\n", f)
	}
	for _, f := range v.findings {
		fmt.Fprintf(&b, "- %s: %s\n", f.Kind, short(f.Text))
	}
	if !r.ok() {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	row("command", "`go run ./bench/chaos %s`", strings.Join(r.o.args, " "))
	row("seed", "%d", r.o.seed)
	row("when, where", "%s, %s", r.w.began.UTC().Format("2006-01-02 15:04 UTC"), r.machine)
	row("brokers", "%s", r.brokers())
	row("instances", "%d, input of %d partitions", r.o.instances, r.o.partitions)
	row("took", "%s, of which faults and their recovery %s", r.took.Round(time.Second), r.storm().Round(time.Second))
	row("input", "%d records, %d customers", v.records, v.customers)
	row("compared", "%d changes, %d of them made by time alone, %d dead letters, the documents, the states in the changelog and in the stores, the offsets", v.changes, v.timers, v.letters)
	said, ends, moved := map[string]int{}, 0, 0
	for _, n := range r.all() {
		moved += n.movedAway
		for _, s := range n.surprises {
			said[short(numbers.ReplaceAllString(strings.ReplaceAll(s, r.dir, ""), "N"))]++
			ends++
		}
	}
	row("ends nobody asked for", "%d, started again after %s; states moved away by hand: %d", ends, startAgain, moved)
	for _, s := range slices.Sorted(maps.Keys(said)) {
		row("last words", "%d × %s", said[s], strings.ReplaceAll(s, "|", "/"))
	}
	for _, u := range r.w.unread {
		row("a store that could not be read in the end", "%s", short(strings.ReplaceAll(u, "\n", " ")))
	}
	b.WriteString("\n" + r.table())
	for _, name := range slices.Sorted(maps.Keys(r.unable)) {
		fmt.Fprintf(&b, "\nLeft out: %s: %s.", name, r.unable[name])
	}
	if len(r.unable) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// numbers, hexadecimal ones too, tell one error's messages apart.
var numbers = regexp.MustCompile(`\b[0-9a-f]*[0-9][0-9a-f]*\b`)

func short(s string) string {
	const most = 300
	if len(s) > most {
		return s[:most] + " …"
	}
	return s
}

func (r *outcome) brokers() string {
	if r.o.broker == "embedded" {
		return "embedded, 1"
	}
	return fmt.Sprintf("Apache Kafka, %d", r.o.nodes)
}

// storm is from the first fault to the last recovery.
func (r *outcome) storm() time.Duration {
	var first, last time.Time
	for _, x := range r.w.watch.all {
		if end := x.began.Add(x.took); end.After(last) {
			last = end
		}
		if first.IsZero() || x.began.Before(first) {
			first = x.began
		}
	}
	return last.Sub(first)
}

// all are the instances, those that came and went among them.
func (r *outcome) all() []*instance { return append(slices.Clone(r.w.ended), r.w.extras...) }

// table is the faults by kind and how long partitions stood still after them.
func (r *outcome) table() string {
	var b strings.Builder
	b.WriteString("| fault | happened | partitions moved again: measured | median | worst |\n|---|--:|--:|--:|--:|\n")
	done := map[string]bool{}
	for _, k := range kinds() {
		planned := slices.ContainsFunc(r.planned, func(p kind) bool { return p.name == k.name })
		if !planned || done[k.name] {
			continue
		}
		done[k.name] = true
		happened := fmt.Sprint(r.w.fired[k.name])
		if n := r.w.failed[k.name]; n > 0 {
			happened += fmt.Sprintf(" (%d in vain)", n)
		}
		r.line(&b, fmt.Sprintf("%s: %s", k.name, k.doc), happened, func(x *recovery) bool { return x.kind == k.name })
	}
	total := 0
	for _, n := range r.w.fired {
		total += n
	}
	r.line(&b, "**all**", fmt.Sprint(total), func(*recovery) bool { return true })
	r.line(&b, "those with no other fault meanwhile", "", func(x *recovery) bool { return !x.disturbed })
	return b.String()
}

func (r *outcome) line(b *strings.Builder, name, happened string, of func(*recovery) bool) {
	var took []time.Duration
	never := 0
	for _, x := range r.w.watch.all {
		switch {
		case !of(x) || x.unknown:
		case x.took == 0:
			never++
		default:
			took = append(took, x.took)
		}
	}
	slices.Sort(took)
	measured, median, worst := fmt.Sprint(len(took)), "", ""
	if never > 0 {
		measured += fmt.Sprintf(", %d never", never)
	}
	if n := len(took); n > 0 {
		median, worst = seconds(took[n/2]), seconds(took[n-1])
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, happened, measured, median, worst)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// machine is what the run ran on.
func machine() string {
	model := ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = ", " + strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d processors%s, %s/%s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH)
}
