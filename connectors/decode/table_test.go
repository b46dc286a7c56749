package decode

import (
	"os"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newTable(t *testing.T, mapping, header string) *Table {
	t.Helper()
	m, err := ParseMapping([]byte(mapping))
	require.NoError(t, err)
	tab, err := NewTable(m, DefaultConfig())
	require.NoError(t, err)
	require.Equal(t, m.Header, tab.NeedsHeader())
	if m.Header {
		require.NoError(t, tab.Header([]byte(header)))
	}
	return tab
}

func TestPresets(t *testing.T) {
	require.Equal(t, []string{"baskets", "breadbasket", "cdnow", "online-retail", "rees46", "yoochoose"}, Presets())
	for _, name := range Presets() {
		_, err := Preset(name)
		require.NoError(t, err, name)
	}
	_, err := Preset("none")
	require.ErrorContains(t, err, "cdnow, online-retail, rees46")
}

func TestCDNOWLine(t *testing.T) {
	m, err := Preset("cdnow")
	require.NoError(t, err)
	tab, err := NewTable(m, DefaultConfig())
	require.NoError(t, err)
	var ev event.Event
	require.NoError(t, tab.Decode([]byte(" 00004 0001 19970118  2   29.73"), 2, &ev))
	require.Equal(t, `{"type":"order_completed","customer_id":"0001","time":"1997-01-18T00:00:00Z","order_id":"line-2","amount":"29.73","currency":"USD"}`,
		string(AppendJSON(nil, &ev)))
}

func TestTableRejects(t *testing.T) {
	const mapping = `
format: csv
header: true
columns: {customer: who, time: when, type: what, item: item, quantity: n, price: price, amount: sum, currency: cur, channel: by, order: order, category: kind}
types: {view: product_viewed, buy: order_completed, refund: order_refunded, ask: survey_answered}
skip: [{column: item, matches: "^test", reason: missing_item}, {column: n, at_most: "0", reason: missing_field}]
`
	tab := newTable(t, mapping, "who,when,what,item,n,price,sum,cur,by,order,kind")
	for _, c := range []struct {
		line   string
		reason event.Reason
		field  string
	}{
		{"c,2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o,x", "", ""},
		{` c ,2024-07-01T10:00:00Z,buy,"A ""B"", C",2,1.5,,eur,web,"",`, "", ""},
		{"c,2024-07-01T10:00:00Z,view,A,,,,,,,", "", ""},
		{"", event.Empty, ""},
		{" \t ", event.Empty, ""},
		{"c,2024-07-01T10:00:00Z,buy", event.Truncated, ""},
		{`c,2024-07-01T10:00:00Z,buy,"A,2,1.5,,EUR,web,o,x`, event.Truncated, ""},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o,x,y", event.Malformed, ""},
		{`c,2024-07-01T10:00:00Z,buy,"A"B,2,1.5,,EUR,web,o,x`, event.Malformed, ""},
		{`c,2024-07-01T10:00:00Z,buy,"A"B,1.5,,EUR,web,o,x`, event.Malformed, ""},
		{"c\xff,2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o,x", event.BadUTF8, ""},
		{",2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o,x", event.MissingCustomer, "who"},
		{strings.Repeat("c", 513) + ",2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o,x", event.TooLarge, "who"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR," + strings.Repeat("c", 65) + ",o,x", event.TooLarge, "by"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1.5,,EUR,web,o," + strings.Repeat("c", 1025), event.TooLarge, "kind"},
		{"c,,buy,A,2,1.5,,EUR,web,o,x", event.MissingTime, "when"},
		{"c,yesterday,buy,A,2,1.5,,EUR,web,o,x", event.BadTime, "when"},
		{"c,0001-01-01T00:00:00Z,buy,A,2,1.5,,EUR,web,o,x", event.ZeroTime, "when"},
		{"c,2024-07-01T10:00:00Z,,A,2,1.5,,EUR,web,o,x", event.MissingType, "what"},
		{"c,2024-07-01T10:00:00Z,look,A,2,1.5,,EUR,web,o,x", event.UnknownType, "what"},
		{"c,2024-07-01T10:00:00Z,buy,A,two,1.5,,EUR,web,o,x", event.BadNumber, "n"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1e400,,EUR,web,o,x", event.BadNumber, "price"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1e18,,EUR,web,o,x", event.Overflow, "price"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,9e12,,EUR,web,o,x", event.Overflow, "item"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,-1,,EUR,web,o,x", event.NegativeAmount, "price"},
		{"c,2024-07-01T10:00:00Z,buy,A,2,1,,EUX,web,o,x", event.UnknownCurrency, "cur"},
		{"c,2024-07-01T10:00:00Z,view,,2,1,,EUR,web,o,x", event.MissingItem, "item"},
		{"c,2024-07-01T10:00:00Z,buy,,2,1,,EUR,web,o,x", event.MissingField, "sum"},
		{"c,2024-07-01T10:00:00Z,refund,A,2,1,,EUR,web,,x", event.MissingOrder, "order"},
		{"c,2024-07-01T10:00:00Z,ask,A,2,1,,EUR,web,o,x", event.MissingField, "rating"},
		{"c,2024-07-01T10:00:00Z,buy,tester,2,1.5,,EUR,web,o,x", event.MissingItem, "item"},
		{"c,2024-07-01T10:00:00Z,buy,A,0.00,1.5,,EUR,web,o,x", event.MissingField, "n"},
	} {
		var ev event.Event
		err := tab.Decode([]byte(c.line), 1, &ev)
		if c.reason == "" {
			require.NoError(t, err, c.line)
			continue
		}
		var r *event.Reject
		require.ErrorAs(t, err, &r, c.line)
		require.Equal(t, event.Reject{Reason: c.reason, Field: c.field, Offset: -1}, *r, c.line)
	}
}

func TestTableForms(t *testing.T) {
	var ev event.Event
	tab := newTable(t, `
format: fixed
widths: [4, 14, 3]
type: page_viewed
channel: web
columns: {customer: "1", time: "2", id: "{1}-{#}", session: "3"}
time: {layout: unix_ms}
`, "")
	require.NoError(t, tab.Decode([]byte("ab  1719820800000 s1"), 7, &ev))
	require.Equal(t, `{"id":"ab-7","type":"page_viewed","customer_id":"ab","time":"2024-07-01T08:00:00Z","channel":"web","session_id":"s1"}`,
		string(AppendJSON(nil, &ev)))
	require.ErrorContains(t, tab.Decode([]byte("ab  1719820800000 s1 more"), 7, &ev), "malformed")
	require.ErrorContains(t, tab.Decode([]byte("ab"), 7, &ev), "truncated")

	tab = newTable(t, "format: csv\nheader: true\ntype: order_completed\ncolumns: {customer: c, time: t, item: i, price: p, cost: k}\n", "c,t,i,p,k")
	require.NoError(t, tab.Decode([]byte("ab,2024-07-01T08:00:00Z,A,3.50,1.20"), 1, &ev))
	require.Equal(t, []event.Item{{ID: "A", Quantity: event.One, Price: 3_500_000, Cost: 1_200_000, HasCost: true}}, ev.Items)
	require.NoError(t, tab.Decode([]byte("ab,2024-07-01T08:00:00Z,A,3.50,"), 1, &ev))
	require.False(t, ev.Items[0].HasCost)
	require.ErrorContains(t, tab.Decode([]byte("ab,2024-07-01T08:00:00Z,A,3.50,-1"), 1, &ev), "negative_amount: field k")

	tab = newTable(t, "format: csv\nseparator: \"\\t\"\ncount: 2\ntype: page_viewed\ncolumns: {customer: \"1\", time: \"2\"}\ntime: {layout: unix}\n", "")
	require.NoError(t, tab.Decode([]byte("ab\t1719820800.25"), 1, &ev))
	require.EqualValues(t, 1719820800250, ev.Time)
	require.Error(t, tab.Decode([]byte("ab\t-1"), 1, &ev))
}

// What is written as CSV is cut into the same cells.
func TestCSVCells(t *testing.T) {
	tab := newTable(t, "format: csv\nheader: true\ntype: page_viewed\ncolumns: {customer: a, time: a}\n", "a")
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune(`ab",é `)), 0, 8, -1), 1, 6).Draw(t, "cells")
		var line []string
		for i, c := range cells {
			cells[i] = strings.TrimSpace(c)
			if strings.ContainsAny(c, `",`) || rapid.Bool().Draw(t, "quote") {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			line = append(line, c)
		}
		tab.scratch = tab.scratch[:0]
		require.Empty(t, tab.cut([]byte(strings.Join(line, ","))))
		var got []string
		for _, c := range tab.cells {
			got = append(got, string(c))
		}
		require.Equal(t, cells, got)
	})
}

// Each bad mapping begins with the error that it must give.
func TestBadMappings(t *testing.T) {
	text, err := os.ReadFile("testdata/mapping.bad.yaml")
	require.NoError(t, err)
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		want, body, ok := strings.Cut(doc, "\n")
		require.True(t, ok)
		_, err := ParseMapping([]byte(body))
		require.ErrorContains(t, err, strings.TrimPrefix(want, "# "), body)
	}
	_, err = ParseMapping(nil)
	require.ErrorContains(t, err, "empty")
}
