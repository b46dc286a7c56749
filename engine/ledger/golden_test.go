package ledger

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

type golden struct {
	name  string
	l     *Ledger
	facts []byte // as this binary writes them
}

// goldens are ledgers that use every section of the bytes.
func goldens() []golden {
	var gs []golden
	add := func(name string, lateness int64, events ...event.Event) {
		l := new(Ledger)
		for i := range events {
			l.Apply(&events[i], &Rules{Lateness: lateness})
		}
		gs = append(gs, golden{name, l, l.AppendFacts(nil)})
	}
	items := func(ids ...string) (is []event.Item) {
		for _, id := range ids {
			is = append(is, event.Item{ID: id, Quantity: event.One})
		}
		return is
	}
	at := hour
	add("empty", 0)
	add("viewer", dayMs, event.Event{Type: event.ProductViewed, Time: at(1) + 7, Items: items("a", "b")})
	five := fiveOrders()
	add("five_orders", dayMs, five...)
	add("everything", dayMs,
		event.Event{Type: event.ErasureRequested, Time: at(1)},
		event.Event{Type: event.OrderCompleted, Time: at(30), OrderID: "o1", Amount: 20_000_000, Discount: 1, Channel: "app", Items: items("a", "b")},
		event.Event{Type: event.OrderUpdated, Time: at(31), OrderID: "o1", Amount: 30_990_000, Channel: "web", Items: items("a", "b", "c")},
		event.Event{Type: event.OrderCompleted, Time: at(90), OrderID: "o2", Amount: 5_000_000},
		event.Event{Type: event.OrderCompleted, Time: at(91) + 1, OrderID: "o2", Amount: 6_000_000, Channel: "shop", Items: items("d")},
		event.Event{Type: event.OrderUpdated, Time: at(92), OrderID: "o3", Amount: 7_000_000, Discount: 2_000_000},
		event.Event{Type: event.OrderRefunded, Time: at(93), OrderID: "o1", ID: "r1", Amount: 990_000, HasAmount: true},
		event.Event{Type: event.OrderRefunded, Time: at(94), OrderID: "o2", ID: "r2"},
		event.Event{Type: event.OrderCancelled, Time: at(95), OrderID: "o4", ID: "r3"},
		event.Event{Type: event.ProductAdded, Time: at(96), Items: items("x", "y")},
		event.Event{Type: event.ProductRemoved, Time: at(97), Items: items("x")},
		event.Event{Type: event.MessageSent, Time: at(98)},
		event.Event{Type: event.MessageOpened, Time: at(99)},
		event.Event{Type: event.MessageClicked, Time: at(100)},
		event.Event{Type: event.SurveyAnswered, Time: at(101), Rating: 9},
		event.Event{Type: event.ComplaintRaised, Time: at(102), ID: "m1"},
		event.Event{Type: event.ReferralMade, Time: at(103), ID: "m2"},
		event.Event{Type: event.ConsentUpdated, Time: at(104), Channel: "email", Granted: true},
		event.Event{Type: event.ConsentUpdated, Time: at(105)},
	)
	var many []event.Event
	for i := range 300 {
		many = append(many,
			event.Event{Type: event.OrderCompleted, Time: at(30 * i), OrderID: fmt.Sprint(i), Amount: 9_990_000, Discount: 990_000},
			event.Event{Type: event.ProductShared, Time: at(30*i + 1), ID: fmt.Sprint("s", i)},
			event.Event{Type: event.PageViewed, Time: at(30*i + 2)},
		)
	}
	add("folded", 0, many...)
	costs := func(is []event.Item, cost ...event.Micro) []event.Item {
		for i := range is {
			is[i].Cost, is[i].HasCost = cost[i], true
		}
		return is
	}
	add("margins", dayMs, // version 1 had none of this
		event.Event{Type: event.OrderCompleted, Time: at(1), OrderID: "o1", Amount: 20_000_000, Coupon: "SPRING", Items: items("a", "b")},
		event.Event{Type: event.OrderCompleted, Time: at(500), OrderID: "o2", Amount: 20_000_000, Items: costs(items("a", "b"), 6_000_000, 5_990_000)},
		event.Event{Type: event.CheckoutStarted, Time: at(1000)},
		event.Event{Type: event.OrderCompleted, Time: at(1001), OrderID: "o3", Discount: 1_000_000, Amount: 9_000_000, Coupon: "x", Items: costs(items("c"), 0)},
		event.Event{Type: event.OrderUpdated, Time: at(5000), OrderID: "o3", Amount: 9_000_000, Coupon: "x", Items: costs(items("d"), 1)},
		event.Event{Type: event.MessageOpened, Time: at(5001)},
	)
	var sold []event.Event
	for i := range 260 {
		sold = append(sold, event.Event{Type: event.OrderCompleted, Time: at(i), OrderID: fmt.Sprint(i), Amount: 9_990_000, Items: costs(items("a"), 4_000_000)})
	}
	add("folded_margins", 0, sold...)
	add("browser", dayMs, browser()...) // version 2 knew no sessions
	return gs
}

// fiveOrders is a regular: five orders of two or three articles, all different,
// three weeks apart, a visit before each, and four views of late.
func fiveOrders() []event.Event {
	var events []event.Event
	item := 0
	for i := range 5 {
		t := epoch + int64(i)*21*dayMs + int64(i*i)*7_654_321
		visit := event.Event{Type: event.PageViewed, Time: t - 301_234}
		order := event.Event{Type: event.OrderCompleted, Time: t, OrderID: fmt.Sprint("order", i), Amount: event.Micro(3790+i*1200) * 10_000, Channel: []string{"app", "web"}[i/3]}
		if i%3 == 1 {
			order.Discount = 2_500_000
		}
		for range 2 + i%2 {
			order.Items = append(order.Items, event.Item{ID: fmt.Sprint("article", item)})
			item++
		}
		events = append(events, visit, order)
	}
	last := events[len(events)-1].Time
	for i := range 4 {
		events = append(events, event.Event{Type: event.ProductViewed, Time: last + 3*dayMs + int64(i)*45_678, Items: []event.Item{{ID: fmt.Sprint("w", i)}}})
	}
	return events
}

// browser is the customer of fiveOrders after three visits more, so that there
// are as many views as can be: two sessions that are named, one that is not.
func browser() []event.Event {
	events := fiveOrders()
	last := events[len(events)-1].Time
	for i := range 14 {
		events = append(events, event.Event{
			Type: event.ProductViewed, Time: last + int64(1+i/5)*2*dayMs + int64(i)*21_234,
			SessionID: []string{"monday", "", "friday"}[i/5], Items: []event.Item{{ID: fmt.Sprint("b", i%9)}},
		})
	}
	return events
}

// The bytes of the newest version stay as they are: what this binary writes is
// what the file has, and what the file has reads as the same facts. A file is
// written once for a version, by hand, and never changed.
func TestGoldenFacts(t *testing.T) {
	file := goldenFile(t, 3)
	gs := goldens()
	require.Len(t, file, len(gs))
	for _, g := range gs {
		require.Equal(t, hex.EncodeToString(file[g.name]), hex.EncodeToString(g.facts), g.name)
		var l Ledger
		require.NoError(t, DecodeFacts(file[g.name], &l, nil))
		require.Empty(t, diff(g.l, &l), g.name)
	}
}

// What version 2 wrote is still read. Of each item it had the latest view only, of
// four items: all that there are in these ledgers.
func TestGoldenFactsVersion2(t *testing.T) {
	file := goldenFile(t, 2)
	require.Len(t, file, 7)
	for _, g := range goldens() {
		facts, ok := file[g.name]
		if !ok {
			continue
		}
		delete(file, g.name)
		var l Ledger
		require.NoError(t, DecodeFacts(facts, &l, nil))
		require.Empty(t, diff(g.l, &l), g.name)
		require.Equal(t, g.facts, l.AppendFacts(nil), g.name)
	}
	require.Empty(t, file, "of no ledger any more")
}

// What version 1 wrote is still read. It had days where there are weeks now: of
// the 64 days up to the last one those on which the customer was seen, that of
// an erasure left out; whether they came for a cart or a message it did not know.
func TestGoldenFactsVersion1(t *testing.T) {
	mondays := map[string][]string{
		"empty":       nil,
		"viewer":      {"2025-12-29"},
		"five_orders": {"2026-02-09", "2026-03-02", "2026-03-23", "2026-03-30"},
		"everything":  {"2025-12-29", "2026-01-05"},
		"folded": {
			"2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30",
			"2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28", "2027-01-04",
		},
	}
	file := goldenFile(t, 1)
	require.Len(t, file, len(mondays))
	for _, g := range goldens() {
		facts, ok := file[g.name]
		if !ok {
			continue
		}
		var l Ledger
		require.NoError(t, DecodeFacts(facts, &l, nil))
		require.Equal(t, mondays[g.name], mondaysOf(&l), g.name)
		require.Zero(t, l.Carted|l.Engaged)
		again := new(Ledger)
		require.NoError(t, DecodeFacts(l.AppendFacts(nil), again, nil))
		require.Empty(t, diff(&l, again), "as this version")

		l.Week, l.Visited, l.Carted, l.Engaged = g.l.Week, g.l.Visited, g.l.Carted, g.l.Engaged
		require.Empty(t, diff(g.l, &l), g.name)
	}
}

// mondaysOf are the first days of the weeks in which the customer was seen.
func mondaysOf(l *Ledger) (days []string) {
	for i := ActiveWeeks - 1; i >= 0; i-- {
		if l.Visited>>i&1 != 0 {
			days = append(days, time.UnixMilli(Calendar{}.Start(Monday(l.Week-int32(i)))).UTC().Format(time.DateOnly))
		}
	}
	return days
}

// goldenFile is what a version wrote, by name.
func goldenFile(t require.TestingT, version int) map[string][]byte {
	data, err := os.ReadFile(fmt.Sprintf("testdata/facts_v%d.golden", version))
	require.NoError(t, err)
	file := map[string][]byte{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		name, digits, _ := strings.Cut(line, " ")
		file[name], err = hex.DecodeString(digits)
		require.NoError(t, err)
		require.Equal(t, byte(version), file[name][0])
	}
	return file
}
