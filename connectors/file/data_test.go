package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
)

// data returns the path of a real data set.
func data(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("DANGOL_DATA")
	if dir == "" {
		t.Skipf("DANGOL_DATA is unset; %s is needed", name)
	}
	path := filepath.Join(dir, name)
	_, err := os.Stat(path)
	require.NoError(t, err)
	return path
}

// readAll is readEvery of one file.
func readAll(t *testing.T, path, format string, opts Options, each func(*event.Event)) ([]string, Report) {
	t.Helper()
	return readEvery(t, []string{path}, format, opts, each)
}

// readEvery returns the events of files as native JSON lines, and holds them to
// the order of time and the lines to what the decoder reads in them.
func readEvery(t *testing.T, paths []string, format string, opts Options, each func(*event.Event)) ([]string, Report) {
	t.Helper()
	if opts.TempDir == "" {
		opts.TempDir = t.TempDir()
	}
	r, err := OpenAll(paths, format, opts)
	require.NoError(t, err)
	d, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	var out []string
	var ev, back event.Event
	last := int64(0)
	for {
		err := r.Next(&ev)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		line := decode.AppendJSON(nil, &ev)
		require.NoError(t, d.Decode(line, &back))
		if ev.Time < last || fmt.Sprint(ev) != fmt.Sprint(back) {
			t.Fatalf("event %+v\nas JSON %s\nafter one of %d", ev, line, last)
		}
		last = ev.Time
		out = append(out, string(line))
		if each != nil {
			each(&ev)
		}
	}
	report := r.Report()
	require.NoError(t, r.Close())
	require.EqualValues(t, len(out), report.Events)
	left, err := os.ReadDir(opts.TempDir)
	require.NoError(t, err)
	require.Empty(t, left, "temporary files are left")
	return out, report
}

func TestCDNOW(t *testing.T) {
	path := data(t, "cdnow/CDNOW_sample.txt")
	customers, orders := map[string]int{}, map[uint64]bool{}
	zero := 0
	var spent event.Micro
	out, report := readAll(t, path, "cdnow", Options{}, func(ev *event.Event) {
		require.Equal(t, event.OrderCompleted, ev.Type)
		customers[string([]byte(ev.CustomerID))]++
		orders[ev.OrderHash()] = true
		spent = spent.Add(ev.Amount)
		if ev.HasAmount && ev.Amount == 0 {
			zero++
		}
	})
	require.Equal(t, Report{Lines: 6919, Events: 6919}, report)
	require.Len(t, customers, 2357)
	require.Len(t, orders, 6919)
	require.Equal(t, 8, zero)
	require.Equal(t, "244091.94", spent.String()) // awk '{s+=$5}'
	require.Equal(t, 4, customers["0001"])

	again, _ := readAll(t, path, "cdnow", Options{ChunkBytes: 10_000}, nil)
	require.Equal(t, out, again, "with many runs on disk")

	until, report := readAll(t, path, "cdnow", Options{AsOf: 875577600000 + 86_399_999}, nil) // 1997-09-30
	require.Equal(t, out[:len(until)], until)
	require.EqualValues(t, 6919-len(until), report.After)
	require.EqualValues(t, len(until), report.Accepted())
}

func TestOnlineRetail(t *testing.T) {
	path := data(t, "online_retail/online_retail_to_2011-09-09.csv.gz")
	orders, types := map[string]bool{}, map[event.Type]int{}
	var sold, back event.Micro
	out, report := readAll(t, path, "online-retail", Options{}, func(ev *event.Event) {
		types[ev.Type]++
		require.NotEmpty(t, ev.Items)
		switch ev.Type {
		case event.OrderCompleted:
			require.False(t, orders[ev.OrderID], "order %s twice", ev.OrderID)
			orders[string([]byte(ev.OrderID))] = true
			sold = sold.Add(ev.Amount)
		case event.OrderRefunded:
			require.True(t, orders[ev.OrderID], "refund of order %s, which was not before", ev.OrderID)
			back = back.Add(ev.Amount)
		}
	})
	require.EqualValues(t, 334_054, report.Lines)
	// Counted apart, by a script that knows nothing of this package.
	require.Equal(t, map[event.Reason]int64{
		event.MissingCustomer: 91_927, event.MissingItem: 1_201, event.MissingField: 20, event.MissingOrder: 881,
	}, report.Rejects)
	require.EqualValues(t, 334_054-91_927-1_201-20-881, report.Accepted())
	require.Equal(t, map[event.Type]int{event.OrderCompleted: 11_827, event.OrderRefunded: 2_379}, types)
	require.Equal(t, []string{"5371911.15", "198216.31"}, []string{sold.String(), back.String()})
	require.Len(t, report.Examples, 12)
	require.Equal(t, Example{Line: 47, Reject: event.Reject{Reason: event.MissingItem, Field: "StockCode", Offset: -1}}, report.Examples[0])

	spilled, again := readAll(t, path, "online-retail", Options{ChunkBytes: 1 << 20}, nil)
	require.Equal(t, report, again)
	require.Equal(t, out, spilled)
}

func TestREES46(t *testing.T) {
	types := map[event.Type]int{}
	out, report := readAll(t, data(t, "rees46/2019-Oct-head.csv.gz"), "rees46", Options{}, func(ev *event.Event) { types[ev.Type]++ })
	// The file ends in the middle of its last line.
	require.EqualValues(t, 17_435, report.Lines)
	require.Equal(t, map[event.Reason]int64{event.Truncated: 1}, report.Rejects)
	require.Equal(t, int64(17_436), report.Examples[0].Line)
	require.Equal(t, map[event.Type]int{event.ProductViewed: 17_055, event.ProductAdded: 165, event.OrderCompleted: 214}, types)
	require.Equal(t, `{"type":"product_viewed","customer_id":"554748717","time":"2019-10-01T00:00:00Z",`+
		`"items":[{"item_id":"3900821","category":"appliances.environment.water_heater","price":"33.20"}],`+
		`"session_id":"9333dfbd-b87a-4708-9857-6336556b0fcc"}`, out[1])
}

// drain is readEvery for what is large: the events are looked at and not kept.
func drain(t *testing.T, format string, each func(*event.Event), paths ...string) Report {
	t.Helper()
	r, err := OpenAll(paths, format, Options{})
	require.NoError(t, err)
	var ev event.Event
	last := int64(0)
	for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
		if ev.Time < last {
			t.Fatalf("%d after %d", ev.Time, last)
		}
		last = ev.Time
		each(&ev)
	}
	require.ErrorIs(t, err, io.EOF)
	report := r.Report()
	require.NoError(t, r.Close())
	return report
}

// seen counts what events name.
type seen struct {
	customers, orders, items map[string]int
	lines                    int // of all baskets
}

func (s *seen) add(ev *event.Event) {
	s.customers[strings.Clone(ev.CustomerID)]++
	s.orders[strings.Clone(ev.OrderID)]++
	for i := range ev.Items {
		s.items[strings.Clone(ev.Items[i].ID)]++
	}
	s.lines += len(ev.Items)
}

func newSeen() *seen {
	return &seen{customers: map[string]int{}, orders: map[string]int{}, items: map[string]int{}}
}

func TestGroceriesData(t *testing.T) {
	s := newSeen()
	_, report := readAll(t, data(t, "groceries/groceries.csv"), "baskets", Options{}, s.add)
	require.Equal(t, Report{Lines: 9835, Events: 9835}, report)
	require.Equal(t, []int{9835, 9835, 169, 43_367}, []int{len(s.customers), len(s.orders), len(s.items), s.lines})
	require.Equal(t, []int{2513, 1903, 1809}, []int{s.items["whole milk"], s.items["other vegetables"], s.items["rolls/buns"]})
	require.Contains(t, s.items, "cream cheese")
}

func TestBreadBasketData(t *testing.T) {
	s := newSeen()
	_, report := readAll(t, data(t, "breadbasket/BreadBasket_DMS.csv"), "breadbasket", Options{}, s.add)
	require.EqualValues(t, 21_293, report.Lines)
	require.Equal(t, map[event.Reason]int64{event.MissingItem: 786}, report.Rejects)
	// 66 of the 9,531 transactions hold nothing but NONE.
	require.Equal(t, []int{9465, 9465, 94, 18_887}, []int{len(s.customers), len(s.orders), len(s.items), s.lines})
}

func TestYoochooseData(t *testing.T) {
	train, test := data(t, "yoochoose/train_full.txt.gz"), data(t, "yoochoose/test.txt.gz")
	s := newSeen()
	require.Equal(t, Report{Lines: 70_278, Events: 70_278}, drain(t, "yoochoose", s.add, train))
	require.Equal(t, []int{17_794, 2933}, []int{len(s.customers), len(s.items)})
	s = newSeen()
	require.Equal(t, Report{Lines: 13_568, Events: 13_568}, drain(t, "yoochoose", s.add, test))
	require.Equal(t, []int{3416, 1771}, []int{len(s.customers), len(s.items)})
	s = newSeen()
	require.Equal(t, Report{Lines: 83_846, Events: 83_846}, drain(t, "yoochoose", s.add, test, train))
	require.Len(t, s.customers, 17_794+3416, "no session is in both")
}

func TestTafengData(t *testing.T) {
	s, last := newSeen(), 0
	report := drain(t, Tafeng, func(ev *event.Event) {
		s.add(ev)
		if ev.Time == nestedEnd {
			last++
		}
	}, data(t, "tafeng/tafeng_history.json.gz"))
	require.Equal(t, Report{Lines: 77_369, Events: 77_369}, report)
	require.Equal(t, []int{13_858, 77_369, 11_997, 480_611}, []int{len(s.customers), len(s.orders), len(s.items), s.lines})
	require.Equal(t, 13_858, last, "everybody's last basket is at the end")
}
