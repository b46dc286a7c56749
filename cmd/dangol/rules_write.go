package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/basket"
)

// head says what was counted, and what was not.
func (l *ruleList) head() string {
	var b strings.Builder
	c := l.counts
	orders := "orders"
	if l.opts.halfLife > 0 {
		orders = fmt.Sprintf("orders as they count at a half-life of %s", l.opts.halfLife)
	}
	fmt.Fprintf(&b, "%s: %s %s with items, %d items\n", l.input, figure(c.Orders()), orders, c.Items())
	fmt.Fprintf(&b, "support of at least %s: %d items, %d pairs, %d triples; %d rules",
		figure(l.opts.minSupport), l.frequent.Items, l.frequent.Pairs, l.frequent.Triples, l.found)
	if len(l.rules) < l.found {
		fmt.Fprintf(&b, ", the first %d by %s", len(l.rules), l.opts.sort)
	}
	b.WriteByte('\n')
	for _, w := range l.warnings() {
		fmt.Fprintf(&b, "note: %s\n", w)
	}
	return b.String()
}

// warnings say what the counts do not hold.
func (l *ruleList) warnings() []string {
	var ws []string
	say := func(format string, args ...any) { ws = append(ws, fmt.Sprintf(format, args...)) }
	if n := l.report.Rejected(); n > 0 {
		say("%d of %d lines were left out; \"dangol replay\" says why", n, l.report.Lines)
	}
	if n := l.counts.LostPairs(basket.SameOrder); n > 0 {
		say("an item has more than %d neighbours: counts of its pairs may be too small by up to %s orders", l.opts.counting().Neighbours, figure(n))
	}
	if n := l.counts.LostTriples(); n > 0 {
		say("there are more than %d triples: counts of triples may be too small by up to %s orders; a greater --min-support is not touched by it", l.opts.counting().Triples, figure(n))
	}
	if n := l.counts.Giants(); n > 0 {
		say("%d orders of %d items or more were cut to %d", n, basket.MaxItems, basket.MaxItems)
	}
	if l.wide > 0 && l.opts.maxItems > 1 {
		say("%d orders of more than %d items count for rules of one item on the left side only", l.wide, basket.MaxTripleSize)
	}
	return ws
}

// figure is a number with six significant digits; a whole one has all of its.
func figure(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// text is the measure's figure in a table.
func (m *measure) text(t *basket.Table2) string {
	if v := m.of(t); m.name != "significance" || v > 0 {
		return figure(v)
	}
	return "<1e-307" // than which there is no lesser
}

// writeText writes a table whose columns are aligned.
func (l *ruleList) writeText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, l.head())
	if len(l.rules) > 0 {
		fmt.Fprintln(b)
		writeTable(b, l.table())
	}
	return b.Flush()
}

func (l *ruleList) table() [][]string {
	head := []string{"left side", "", "right side"}
	for _, m := range measures {
		head = append(head, m.title)
	}
	rows := [][]string{head}
	for i := range l.rules {
		r := &l.rules[i]
		row := []string{strings.Join(r.left, ", "), "→", r.then}
		for _, m := range measures {
			row = append(row, m.text(&r.Table2))
		}
		rows = append(rows, row)
	}
	return rows
}

// writeTable writes names to the left and, from the fourth column on, figures to
// the right of their columns.
func writeTable(b *bufio.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i > 2:
				fmt.Fprint(b, "  "+pad+cell)
			case i > 0:
				fmt.Fprint(b, " "+cell+pad)
			default:
				fmt.Fprint(b, cell+pad)
			}
		}
		fmt.Fprintln(b)
	}
}

// writeCSV writes every figure in full; what the header of a text says goes to
// errOut.
func (l *ruleList) writeCSV(w, errOut io.Writer) error {
	fmt.Fprint(errOut, l.head())
	c := csv.NewWriter(w)
	row := []string{"if", "and", "then"}
	for _, m := range measures {
		row = append(row, m.name)
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for i := range l.rules {
		r := &l.rules[i]
		row = append(append(row[:0], r.left...), "")[:2]
		row = append(row, r.then)
		for _, m := range measures {
			row = append(row, strconv.FormatFloat(m.of(&r.Table2), 'g', -1, 64))
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// rulesDocument is the list as JSON.
type rulesDocument struct {
	Input           string     `json:"input"`
	Orders          float64    `json:"orders"`
	HalfLife        string     `json:"half_life"`
	Items           int        `json:"items"`
	MinSupport      float64    `json:"min_support"`
	FrequentItems   int        `json:"frequent_items"`
	FrequentPairs   int        `json:"frequent_pairs"`
	FrequentTriples int        `json:"frequent_triples"`
	PairsShortBy    float64    `json:"pairs_short_by"`
	TriplesShortBy  float64    `json:"triples_short_by"`
	GiantOrders     int        `json:"giant_orders"`
	WideOrders      int        `json:"wide_orders"`
	RejectedLines   int64      `json:"rejected_lines"`
	Found           int        `json:"found"`
	Rules           []jsonRule `json:"rules"`
}

type jsonRule struct {
	If           []string `json:"if"`
	Then         string   `json:"then"`
	Count        float64  `json:"count"`
	Support      float64  `json:"support"`
	Confidence   float64  `json:"confidence"`
	Lift         float64  `json:"lift"`
	Leverage     float64  `json:"leverage"`
	Conviction   *float64 `json:"conviction"` // null: without bound
	Cosine       float64  `json:"cosine"`
	LLR          float64  `json:"llr"`
	Significance float64  `json:"significance"`
}

func (l *ruleList) writeJSON(w io.Writer) error {
	c := l.counts
	doc := rulesDocument{
		Input: l.input, Orders: c.Orders(), HalfLife: l.opts.halfLife.String(), Items: c.Items(), MinSupport: l.opts.minSupport,
		FrequentItems: l.frequent.Items, FrequentPairs: l.frequent.Pairs, FrequentTriples: l.frequent.Triples,
		PairsShortBy: c.LostPairs(basket.SameOrder), TriplesShortBy: c.LostTriples(), GiantOrders: c.Giants(), WideOrders: l.wide,
		RejectedLines: l.report.Rejected(), Found: l.found, Rules: make([]jsonRule, 0, len(l.rules)),
	}
	for i := range l.rules {
		r := &l.rules[i]
		x := jsonRule{
			If: r.left, Then: r.then, Count: r.Both, Support: r.Support(), Confidence: r.Confidence(), Lift: r.Lift(),
			Leverage: r.Leverage(), Cosine: r.Cosine(), LLR: r.LLR(), Significance: r.Chance(),
		}
		if v := r.Conviction(); !math.IsInf(v, 1) {
			x.Conviction = &v
		}
		doc.Rules = append(doc.Rules, x)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(&doc)
}
