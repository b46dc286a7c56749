package decode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const noTimes = "time: {start: 2024-07-01, every: 90s}\n"

// basketOf is what a line becomes, or why it becomes nothing.
func basketOf(t *testing.T, tab *Table, line string, number int64) string {
	t.Helper()
	var ev event.Event
	if err := tab.Decode([]byte(line), number, &ev); err != nil {
		return err.Error()
	}
	return string(AppendJSON(nil, &ev))
}

func TestBasketsPreset(t *testing.T) {
	m, err := Preset("baskets")
	require.NoError(t, err)
	tab, err := NewTable(m, DefaultConfig())
	require.NoError(t, err)
	require.False(t, tab.NeedsHeader())
	require.Equal(t, `{"type":"order_completed","customer_id":"line-3","time":"2000-01-01T00:02:00Z","order_id":"line-3","items":[`+
		`{"item_id":"cream cheese"},{"item_id":"half & half"},{"item_id":"beer, \"dark\""}]}`,
		basketOf(t, tab, `cream cheese , half & half,,cream cheese,"beer, ""dark""", cream cheese`, 3))
	require.Equal(t, "empty", basketOf(t, tab, " ", 1))
	require.Equal(t, "missing_item: field 1", basketOf(t, tab, ", ,", 1))
	require.Equal(t, "truncated", basketOf(t, tab, `milk,"bread`, 1))
	require.Equal(t, "bad_utf8", basketOf(t, tab, "milk\xff", 1))
	require.Equal(t, "too_large: field 1", basketOf(t, tab, "milk,"+strings.Repeat("x", 513), 1))
}

// Baskets of one's own: known customers, other separators, a header, items in
// the middle of nowhere.
func TestBasketMappings(t *testing.T) {
	tab := newTable(t, "format: csv\nseparator: \";\"\ntype: order_completed\ncolumns: {order: \"1\", customer: \"2\", items_from: \"3\"}\n"+noTimes, "")
	require.Equal(t, `{"type":"order_completed","customer_id":"k","time":"2024-07-01T00:00:00Z","order_id":"o","items":[{"item_id":"A"},{"item_id":"B"}]}`,
		basketOf(t, tab, "o;k;A;B", 1))
	require.Equal(t, "truncated", basketOf(t, tab, "o;k", 1))
	require.Equal(t, "missing_customer: field 2", basketOf(t, tab, "o;;A", 1))

	tab = newTable(t, "format: csv\nheader: true\ntype: order_completed\ngroup_by: order\ncolumns: {order: no, time: day, customer: who, amount: sum, items_from: goods}\ntime: {layout: 2006-01-02}\n", "no,day,who,sum,goods,,")
	require.Equal(t, `{"type":"order_completed","customer_id":"k","time":"2024-07-02T00:00:00Z","order_id":"o","items":[{"item_id":"A"},{"item_id":"B"},{"item_id":"C"},{"item_id":"D"}],"amount":"9.50"}`,
		basketOf(t, tab, "o,2024-07-02,k,9.5,A,B,C,D", 2), "more cells than the header")
	require.Equal(t, `{"type":"order_completed","customer_id":"k","time":"2024-07-02T00:00:00Z","order_id":"o","amount":"9.50"}`,
		basketOf(t, tab, "o,2024-07-02,k,9.5,", 2), "an amount is enough")
	require.Equal(t, "missing_item: field goods", basketOf(t, tab, "o,2024-07-02,k,,,,", 2))

	tab = newTable(t, "format: whitespace\ncount: 3\ntype: product_viewed\ncolumns: {customer: \"visit {#}\", items_from: \"1\"}\n"+noTimes, "")
	require.Equal(t, `{"type":"product_viewed","customer_id":"visit 2","time":"2024-07-01T00:01:30Z","items":[{"item_id":"7"},{"item_id":"9"}]}`,
		basketOf(t, tab, "7 9 7", 2))
	require.Equal(t, "truncated", basketOf(t, tab, "7 9", 2), "count is the least")

	tab = newTable(t, "format: fixed\nwidths: [3, 2, 2]\ntype: order_completed\ncolumns: {customer: \"1\", items_from: \"2\"}\n"+noTimes, "")
	require.Equal(t, `{"type":"order_completed","customer_id":"k","time":"2024-07-01T00:00:00Z","items":[{"item_id":"A"},{"item_id":"B"}]}`,
		basketOf(t, tab, "k  A B", 1))
}

// A column is not looked for among the items, whose number varies, nor beyond the
// cells that every line has.
func TestBasketColumns(t *testing.T) {
	for want, mapping := range map[string]string{
		"columns.customer: no column \"who\": the header has no, goods":                  "format: csv\nheader: true\ntype: order_completed\ncolumns: {customer: who, items_from: goods}\n" + noTimes,
		"columns.items_from: no column \"item\": the header has no, goods, who":          "format: csv\nheader: true\ntype: order_completed\ncolumns: {customer: no, items_from: item}\n" + noTimes,
		"columns.customer: no column \"goods\": the header has no":                       "format: csv\nheader: true\ncount: 1\ntype: order_completed\ncolumns: {customer: goods, amount: no}\n" + noTimes,
		"columns.customer: column \"3\": without a header a column is a position from 1": "format: csv\ntype: order_completed\ncolumns: {customer: \"3\", items_from: \"2\"}\n" + noTimes,
	} {
		m, err := ParseMapping([]byte(mapping))
		require.NoError(t, err)
		tab, err := NewTable(m, DefaultConfig())
		if err == nil {
			err = tab.Header([]byte("no,goods,who"))
		}
		require.ErrorContains(t, err, want)
	}
}

// A line against plain splitting, whatever its length.
func TestBasketsAgainstPlain(t *testing.T) {
	m, err := Preset("baskets")
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.MaxItems = 5
	tab, err := NewTable(m, cfg)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab ")), 0, 3, -1), 1, 12).Draw(t, "cells")
		line := strings.Join(cells, ",")
		var want []string
		for _, c := range cells {
			if c = strings.TrimSpace(c); c != "" && !slices.Contains(want, c) {
				want = append(want, c)
			}
		}
		var ev event.Event
		err := tab.Decode([]byte(line), 1, &ev)
		if len(want) == 0 || len(want) > cfg.MaxItems {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		var got []string
		for _, it := range ev.Items {
			got = append(got, it.ID)
		}
		require.Equal(t, want, got)
	})
}

func TestSpacedTimes(t *testing.T) {
	at := func(start, every string, number int64) string {
		tab := newTable(t, fmt.Sprintf("format: csv\ncount: 1\ntype: page_viewed\ncolumns: {customer: \"1\"}\ntime: {start: %q, every: %s, zone: Asia/Seoul}\n", start, every), "")
		s := basketOf(t, tab, "c", number)
		if _, after, ok := strings.Cut(s, `"time":"`); ok {
			s = strings.TrimSuffix(after, `"}`)
		}
		return s
	}
	require.Equal(t, "2024-06-30T15:00:00Z", at("2024-07-01", "1h", 1))
	require.Equal(t, "2024-07-01T08:00:00Z", at("2024-07-01T10:00:00+02:00", "24h", 1))
	require.Equal(t, "2024-07-31T08:00:00Z", at("2024-07-01T10:00:00+02:00", "24h", 31))
	require.Equal(t, "9999-12-31T00:00:00Z", at("9999-12-31T00:00:00Z", "24h", 1))
	require.Equal(t, "bad_time", at("9999-12-31T00:00:00Z", "24h", 2))
	require.Equal(t, "bad_time", at("2024-07-01", "8784h", 1<<62), "no overflow")
}
