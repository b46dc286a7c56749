package quality

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", r.title(), r.Data.line())
	for _, f := range r.findings() {
		wrap(&b, f, 100)
	}
	for _, t := range r.tables() {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		t.text(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) title() string {
	if r.Title == "" {
		return "dangol backtest"
	}
	return r.Title
}

// tables are those that the report has numbers for.
func (r *Report) tables() []*table {
	var out []*table
	if r.judged() {
		out = append(out, r.churnTable(), r.Churn[0].tenthTable())
	}
	if r.Orders.known() {
		out = append(out, r.Orders.table("Orders", "orders", orders))
	}
	if r.Value.known() {
		out = append(out, r.Value.table("Spend", "spend", r.money))
	}
	if len(r.Segments) > 0 {
		out = append(out, groupTable("Segments", "segment", r.Segments))
	}
	if len(r.Stages) > 0 {
		out = append(out, groupTable("Stages", "stage", r.Stages))
	}
	if r.NextBest != nil && len(r.NextBest.Models) > 0 {
		out = append(out, r.NextBest.table())
	}
	if r.NextView != nil {
		out = append(out, r.NextView.table())
	}
	return append(out, r.parameterTable())
}

func orders(v float64) string { return fixed(v, 2) }

func (r *Report) money(v float64) string { return money(v, r.Data.Currency) }

// line says what was judged, in one sentence.
func (d *Data) line() string {
	var s strings.Builder
	if d.Input != "" {
		s.WriteString(d.Input)
		if d.Format != "" {
			s.WriteString(" (" + d.Format + ")")
		}
		s.WriteString(", ")
	}
	if d.AsOf != "" {
		s.WriteString("cut at " + d.day() + ", ")
	}
	fmt.Fprintf(&s, "judged by what came %s. %s events of %s customers; %s had ordered before the cut",
		d.ahead(), count(d.Events), count(d.Customers), count(d.Buyers))
	if d.Buyers > 0 {
		fmt.Fprintf(&s, ", %s of them (%s) did not order in the time after it and count as having left", count(d.Churned), percent(d.BaseRate, 1))
	}
	s.WriteString(".")
	return s.String()
}

// day is the instant of the cut, without an idle time of day.
func (d *Data) day() string {
	t, err := time.Parse(time.RFC3339, d.AsOf)
	if err != nil || !t.Equal(t.Truncate(24*time.Hour)) {
		return d.AsOf
	}
	return t.Format(time.DateOnly)
}

// wrap writes a sentence as an item of a list, in lines of at most so many runes.
func wrap(b *strings.Builder, s string, width int) {
	at := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			b.WriteString("- ")
			at = 2
		case at+1+n > width:
			b.WriteString("\n  ")
			at = 2
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}
