package file

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func zip(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func visit(id string, ms int64) string {
	return fmt.Sprintf(`{"id":%q,"type":"page_viewed","customer_id":"c","time":%d}`, id, ms)
}

func ids(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		_, after, _ := strings.Cut(l, `"id":"`)
		id, _, _ := strings.Cut(after, `"`)
		b.WriteString(id)
	}
	return b.String()
}

func TestJSONLines(t *testing.T) {
	long := `{"id":"` + strings.Repeat("x", 3<<20) + `"}`
	content := "\xef\xbb\xbf" + visit("a", 30) + "\r\n\n" + visit("b", 10) + "\n{\n" + long + "\n" + visit("c", 30) + "\n" +
		`{"type":"track","event":"Order Completed","userId":"u","timestamp":20,"messageId":"d","properties":{"revenue":1}}` + "\n" +
		visit("e", 40) + "\n" + visit("f", 9)
	for name, path := range map[string]string{
		"plain": write(t, "events.jsonl", content),
		"gzip":  write(t, "events.jsonl.gz", zip(t, content)),
	} {
		out, report := readAll(t, path, JSON, Options{AsOf: 39}, nil)
		require.Equal(t, "fbdac", ids(out), name)
		require.Equal(t, map[event.Reason]int64{event.Empty: 1, event.Truncated: 1, event.TooLarge: 1}, report.Rejects)
		require.Equal(t, int64(9), report.Lines)
		require.Equal(t, int64(1), report.After)
		require.Equal(t, int64(5), report.Accepted())
		var at []int64
		for _, e := range report.Examples {
			at = append(at, e.Line)
		}
		require.Equal(t, []int64{2, 4, 5}, at)
	}
}

// A file in order is streamed: nothing is sorted, so nothing needs memory or disk.
func TestInOrder(t *testing.T) {
	var content strings.Builder
	for i := range 5000 {
		content.WriteString(visit("x", int64(1+i/2)) + "\n")
	}
	stages := map[Stage]float64{}
	opts := Options{ChunkBytes: 1, TempDir: "/nowhere", Progress: func(s Stage, share float64) {
		require.GreaterOrEqual(t, share, stages[s])
		stages[s] = share
	}}
	r, err := Open(write(t, "events.jsonl", content.String()), JSON, opts)
	require.NoError(t, err)
	var ev event.Event
	n := 0
	for ; ; n++ {
		if err := r.Next(&ev); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	require.Equal(t, 5000, n)
	require.Equal(t, map[Stage]float64{Checking: 1, Reading: 1}, stages)
	require.NoError(t, r.Close())
	require.ErrorIs(t, r.Next(&ev), os.ErrClosed)
}

func TestFaults(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"), JSON, Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open("x", "parquet", Options{})
	require.ErrorContains(t, err, "cdnow, online-retail, rees46, yoochoose, tafeng, or")
	_, err = Open(write(t, "a.csv", "a,b,c\n"), "rees46", Options{})
	require.ErrorContains(t, err, `columns.customer: no column "user_id": the header has a, b, c`)
	_, err = Open(write(t, "a.csv", ""), "rees46", Options{})
	require.ErrorContains(t, err, "empty")
	_, err = Open(write(t, "a.csv", "x"), write(t, "m.yaml", "format: csv\nformats: 3\n"), Options{})
	require.ErrorContains(t, err, "formats")
	_, err = Open(t.TempDir(), JSON, Options{})
	require.ErrorContains(t, err, "regular file")

	// A file that ends in the middle of its gzip stream is no short history.
	whole := zip(t, strings.Repeat(visit("a", 1)+"\n", 1000))
	r, err := Open(write(t, "cut.gz", whole[:len(whole)/2]), JSON, Options{})
	require.NoError(t, err)
	var ev event.Event
	for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
	}
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "cut.gz")
	require.NoError(t, r.Close())

	// Disorder that has no room to be sorted in.
	r, err = Open(write(t, "e.jsonl", visit("a", 2)+"\n"+visit("b", 1)), JSON, Options{ChunkBytes: 1, TempDir: "/nowhere"})
	require.NoError(t, err)
	require.ErrorIs(t, r.Next(&ev), os.ErrNotExist)
	require.NoError(t, r.Close())
}

// A table of one's own: other names, another zone, quotes, refunds.
func TestMappingFile(t *testing.T) {
	mapping := write(t, "shop.yaml", `
format: csv
separator: ";"
header: true
type: order_completed
group_by: order
currency: EUR
columns: {customer: Kunde, time: Datum, order: Beleg, item: Artikel, quantity: Menge, price: Preis, category: Gruppe}
time: {layout: "02.01.2006 15:04", zone: Europe/Berlin}
refunds: {negative_quantity: true}
`)
	table := write(t, "shop.csv", `Beleg;Datum;Kunde;Artikel;Gruppe;Menge;Preis
2;02.07.2024 10:00;k;A;"Tee; lose";1;3.00
R1;03.07.2024 09:00;k;A;;-1;2.50
R1;03.07.2024 09:00;k;B;;-1;4
R1;03.07.2024 09:00;k;Z;;-1;4
1;01.07.2024 10:01;k;B;"Der ""Gute""";2;4.00
1;01.07.2024 10:00;k;A;;1;2.50
1;01.07.2024 10:00;k;A;;2;2.50
1;01.07.2024 10:00;j;A;;1;2.50
3;01.07.2024 10:00;j;A;;zwei;2.50
3;01.07.2024 10:00;j;A;;1;"2.50
3;01.07.2024 10:00;j;A;;1
`)
	for _, chunk := range []int{1 << 20, 1} {
		out, report := readAll(t, table, mapping, Options{ChunkBytes: chunk}, nil)
		require.Equal(t, []string{
			`{"type":"order_completed","customer_id":"k","time":"2024-07-01T08:00:00Z","order_id":"1","items":[{"item_id":"B","category":"Der \"Gute\"","quantity":2,"price":"4.00"},{"item_id":"A","quantity":3,"price":"2.50"}],"amount":"15.50","currency":"EUR"}`,
			`{"type":"order_completed","customer_id":"j","time":"2024-07-01T08:00:00Z","order_id":"1","items":[{"item_id":"A","price":"2.50"}],"amount":"2.50","currency":"EUR"}`,
			`{"type":"order_completed","customer_id":"k","time":"2024-07-02T08:00:00Z","order_id":"2","items":[{"item_id":"A","category":"Tee; lose","price":"3.00"}],"amount":"3.00","currency":"EUR"}`,
			`{"id":"R1/2","type":"order_refunded","customer_id":"k","time":"2024-07-03T07:00:00Z","order_id":"2","items":[{"item_id":"A","price":"2.50"}],"amount":"2.50","currency":"EUR"}`,
			`{"id":"R1/1","type":"order_refunded","customer_id":"k","time":"2024-07-03T07:00:00Z","order_id":"1","items":[{"item_id":"B","price":"4.00"}],"amount":"4.00","currency":"EUR"}`,
		}, out)
		require.Equal(t, map[event.Reason]int64{event.BadNumber: 1, event.Truncated: 2, event.MissingOrder: 1}, report.Rejects)
		require.EqualValues(t, 11, report.Lines)
	}
}

// The sorter against a plain stable sort, in memory and with runs of any size.
func TestSorter(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var events []event.Event
		for i := range rapid.IntRange(0, 60).Draw(t, "n") {
			text := rapid.StringN(0, 5, 20)
			events = append(events, event.Event{
				Type: event.Type(rapid.IntRange(1, 25).Draw(t, "type")), Time: rapid.Int64Range(1, 9).Draw(t, "time"),
				ID: fmt.Sprint(i), CustomerID: text.Draw(t, "customer"), OrderID: text.Draw(t, "order"), Currency: text.Draw(t, "currency"),
				Channel: text.Draw(t, "channel"), SessionID: text.Draw(t, "session"), PreviousID: text.Draw(t, "previous"), Coupon: text.Draw(t, "coupon"),
				Items: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Item {
					cost := rapid.Int64Range(-1, 1<<62).Draw(t, "cost")
					return event.Item{ID: text.Draw(t, "item"), Category: text.Draw(t, "category"), Quantity: event.Micro(rapid.Int64().Draw(t, "q")), Price: event.Micro(rapid.Int64().Draw(t, "p")), Cost: event.Micro(max(0, cost)), HasCost: cost >= 0}
				}), 0, 3).Draw(t, "items"),
				Amount: event.Micro(rapid.Int64().Draw(t, "amount")), Discount: event.Micro(rapid.Int64().Draw(t, "discount")),
				HasAmount: rapid.Bool().Draw(t, "has"), Granted: rapid.Bool().Draw(t, "granted"), Rating: rapid.Int8().Draw(t, "rating"),
			})
		}
		s := newSorter(dir, rapid.SampledFrom([]int{1, 200, 1000, 1 << 20}).Draw(t, "chunk"))
		for i := range events {
			require.NoError(t, s.add(byTime(&events[i]), int64(i), &events[i]))
		}
		slices.SortStableFunc(events, func(a, b event.Event) int { return int(a.Time - b.Time) })
		m, err := s.merge(nil)
		require.NoError(t, err)
		var ev event.Event
		for i := range events {
			_, err := m.next(&ev)
			require.NoError(t, err)
			require.Equal(t, events[i], clone(&ev))
		}
		_, err = m.next(&ev)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, m.close())
	})
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRecordDamage(t *testing.T) {
	ev := event.Event{Type: 1, CustomerID: "c", Items: []event.Item{{ID: "A"}, {ID: "B", Cost: 300, HasCost: true}}}
	b := appendRecord(nil, &ev)
	for n := range b {
		require.ErrorIs(t, readRecord(b[:n], &ev), errRecord)
	}
	require.ErrorIs(t, readRecord(append(b, 0), &ev), errRecord)
}

// Two orders whose lines lie mixed under one hash stay two.
func TestGroupsOfOneHash(t *testing.T) {
	rows := &list{}
	for i, order := range []string{"a", "b", "a", "b"} {
		rows.events = append(rows.events, event.Event{Type: event.OrderCompleted, OrderID: order, CustomerID: "c", Time: int64(10 - i),
			Items: []event.Item{{ID: fmt.Sprint(i), Quantity: event.One, Price: 5}}, Amount: 5, HasAmount: true})
	}
	g := newGroups(rows, 1, &Report{})
	other := rows.events[0]
	other.CustomerID = "d"
	rows.events = append(rows.events, other)
	g.open = append(g.open, group{Event: clone(&rows.events[0])}, group{Event: clone(&rows.events[1])})
	for _, row := range rows.events[2:] {
		g.line = row
		g.add()
	}
	require.Len(t, g.open, 3, "one is another customer's")
	require.Equal(t, map[event.Reason]int64{event.TooLarge: 2}, g.report.Rejects, "an order keeps to the bound of its items")
	require.EqualValues(t, 5, g.open[0].Amount, "a line that was rejected adds nothing")
}

// Lines of one article add up where they cost the same, too.
func TestGroupsKeepCosts(t *testing.T) {
	item := event.Item{ID: "A", Quantity: event.One, Price: 5}
	costly, free := item, item
	costly.Cost, costly.HasCost, free.HasCost = 3, true, true
	rows := &list{}
	for _, it := range []event.Item{item, costly, free, costly, item} {
		rows.events = append(rows.events, event.Event{Type: event.OrderCompleted, OrderID: "a", CustomerID: "c", Time: 1, Items: []event.Item{it}})
	}
	var ev event.Event
	_, err := newGroups(rows, 10, &Report{}).next(&ev)
	require.NoError(t, err)
	item.Quantity, costly.Quantity = 2*event.One, 2*event.One
	require.Equal(t, []event.Item{item, costly, free}, ev.Items)
}

type list struct{ events []event.Event }

func (l *list) close() error { return nil }
func (l *list) next(ev *event.Event) (int64, error) {
	if len(l.events) == 0 {
		return 0, io.EOF
	}
	*ev, l.events = l.events[0], l.events[1:]
	return 0, nil
}

func TestMemo(t *testing.T) {
	m := memo{limit: 3}
	for k := range uint64(100) {
		m.put(k, fmt.Sprint(k))
		for back := range min(k+1, 3) {
			require.Equal(t, fmt.Sprint(k-back), m.get(k-back))
		}
		require.LessOrEqual(t, len(m.now)+len(m.old), 6)
	}
	require.Empty(t, m.get(0))
}
