package shop_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/bench/shop"
	"github.com/dangol-dev/dangol/engine/event"
)

// message is what the tests read of either wire format.
type message struct {
	ID         string `json:"id"`
	MessageID  string `json:"messageId"`
	CustomerID string `json:"customer_id"`
	UserID     string `json:"userId"`
	Event      string
	OrderID    string `json:"order_id"`
	Time       time.Time
	Timestamp  time.Time
	Items      []struct {
		ID string `json:"item_id"`
	}
	Properties struct {
		OrderID  string `json:"order_id"`
		Products []struct {
			ID string `json:"product_id"`
		}
	}
}

func (m *message) basket() []string {
	var ids []string
	for _, i := range m.Items {
		ids = append(ids, i.ID)
	}
	for _, p := range m.Properties.Products {
		ids = append(ids, p.ID)
	}
	return ids
}

func parse(t *testing.T, r shop.Record) message {
	t.Helper()
	var m message
	require.NoError(t, json.Unmarshal(r.Value, &m), "%s", r.Value)
	return m
}

func TestSameSeedSameRecords(t *testing.T) {
	c := shop.DefaultConfig()
	c.MalformedShare = .01
	a, b := shop.New(c), shop.New(c)
	c.Seed++
	other := shop.New(c)
	differ := false
	for range 20_000 {
		x, y, z := a.Next(), b.Next(), other.Next()
		require.True(t, bytes.Equal(x.Value, y.Value))
		x.Value, y.Value = nil, nil
		require.Equal(t, x, y)
		differ = differ || x.Arrival != z.Arrival
	}
	require.True(t, differ, "another seed is another shop")
}

// The shop is what its Config and its documents say: shares, order, bounds.
func TestShares(t *testing.T) {
	c := shop.DefaultConfig()
	c.MalformedShare = .005
	s := shop.New(c)
	const n = 150_000
	var total, views, segment, late, duplicate, broken, orders int
	types := map[event.Type]int{}
	ids := map[string]int{}
	last, first := c.Start, int64(0)
	for range n {
		r := s.Next()
		require.GreaterOrEqual(t, r.Arrival, last, "arrivals are in order")
		last = r.Arrival
		if first == 0 {
			first = r.Arrival
		}
		if r.Kind == shop.Broken {
			broken++
			require.NotEmpty(t, r.Reject)
			continue
		}
		total++
		types[r.Type]++
		require.GreaterOrEqual(t, r.Time, c.Start)
		require.LessOrEqual(t, r.Time, r.Arrival)
		require.LessOrEqual(t, r.Arrival-r.Time, c.Lateness.Milliseconds())
		m := parse(t, r)
		if m.UserID != "" {
			segment++
			m.ID, m.CustomerID, m.Time = m.MessageID, m.UserID, m.Timestamp
		}
		require.Equal(t, r.Customer, m.CustomerID)
		require.Equal(t, r.Time, m.Time.UnixMilli())
		switch r.Kind {
		case shop.Late:
			late++
		case shop.Duplicate:
			duplicate++
			require.Positive(t, ids[m.ID], "a duplicate has been seen before")
		}
		if r.Kind != shop.Duplicate {
			require.Zero(t, ids[m.ID], "ids are unique")
		}
		ids[m.ID]++
		switch r.Type {
		case event.PageViewed, event.ProductViewed, event.ProductsSearched, event.CartViewed:
			views++
		case event.OrderCompleted:
			orders++
		}
	}
	share := func(k int) float64 { return float64(k) / float64(total) }
	t.Logf("%d types, %d ids, views %.3f, orders %.4f", len(types), len(ids), share(views), share(orders))
	require.InDelta(t, .85, share(views), .03)
	require.InDelta(t, c.LateShare, share(late), .004)
	require.InDelta(t, c.DuplicateShare, share(duplicate), .002)
	require.InDelta(t, c.MalformedShare, float64(broken)/n, .001)
	require.InDelta(t, c.SegmentShare, share(segment), .1)
	require.InDelta(t, .025, share(orders), .01)
	for _, typ := range event.Types() {
		if typ != event.Aliased && typ != event.ItemUpdated { // it knows no one by two names, and its articles stay what they are
			require.Positive(t, types[typ], typ.String())
		}
	}
	days := float64(last-first) / 86_400_000
	require.InEpsilon(t, c.EventsPerDay(), n/days, .15, "events per day")
}

// What was planted is there to be found.
func TestPlantedAffinities(t *testing.T) {
	s := shop.New(shop.DefaultConfig())
	items, pairs, orders := map[string]int{}, map[[2]string]int{}, 0
	for orders < 15_000 {
		r := s.Next()
		if r.Type != event.OrderCompleted || r.Kind == shop.Duplicate {
			continue
		}
		m := parse(t, r)
		basket := m.basket()
		require.NotEmpty(t, basket)
		orders++
		for _, a := range basket {
			items[a]++
			for _, b := range basket {
				pairs[[2]string{a, b}]++
			}
		}
	}
	require.NotEmpty(t, shop.Affinities())
	for _, a := range shop.Affinities() {
		both := float64(pairs[[2]string{a.Item, a.With}])
		confidence := both / float64(items[a.Item])
		lift := confidence * float64(orders) / float64(items[a.With])
		require.Greater(t, lift, 4., "%+v", a)
		require.InDelta(t, a.Probability, confidence, .12, "%+v", a)
	}
	lift := float64(pairs[[2]string{"water", "margherita"}]) * float64(orders) / float64(items["water"]*items["margherita"])
	require.Less(t, lift, 2., "what was not planted")
}

// Buyers keep to their rhythm: the gaps of some vary little, of others a lot.
func TestRhythms(t *testing.T) {
	c := shop.DefaultConfig()
	c.Customers, c.LateShare, c.DuplicateShare, c.MalformedShare = 300, 0, 0, 0
	s := shop.New(c)
	times := map[string][]float64{}
	for r := s.Next(); r.Arrival < c.Start+730*86_400_000; r = s.Next() {
		if r.Type == event.OrderCompleted {
			times[r.Customer] = append(times[r.Customer], float64(r.Time)/86_400_000)
		}
	}
	var single, firm, loose int
	for _, ts := range times {
		if len(ts) == 1 {
			single++
		}
		if len(ts) < 8 {
			continue
		}
		var sum, squares float64
		for i := 1; i < len(ts); i++ {
			sum += ts[i] - ts[i-1]
			squares += (ts[i] - ts[i-1]) * (ts[i] - ts[i-1])
		}
		n := float64(len(ts) - 1)
		mean := sum / n
		if variance := squares/n - mean*mean; variance < .1*mean*mean {
			firm++
		} else if variance > .4*mean*mean {
			loose++
		}
	}
	t.Logf("%d buyers: %d once, %d firm, %d loose", len(times), single, firm, loose)
	require.Greater(t, single, len(times)/5)
	require.Greater(t, firm, len(times)/50)
	require.Greater(t, loose, len(times)/50)
}

// Some refunds and cancellations overtake their order.
func TestCancellationBeforeItsOrder(t *testing.T) {
	s := shop.New(shop.DefaultConfig())
	placed, before, after := map[string]bool{}, 0, 0
	for range 300_000 {
		r := s.Next()
		switch r.Type {
		case event.OrderCompleted:
			m := parse(t, r)
			placed[m.OrderID+m.Properties.OrderID] = true
		case event.OrderCancelled:
			m := parse(t, r)
			if placed[m.OrderID+m.Properties.OrderID] {
				after++
			} else {
				before++
			}
		}
	}
	require.Positive(t, before)
	require.Greater(t, after, before)
}

func TestMalformedKinds(t *testing.T) {
	kinds := shop.Malformed()
	require.GreaterOrEqual(t, len(kinds), 20)
	known := map[event.Reason]bool{}
	for _, r := range event.Reasons() {
		known[r] = true
	}
	names, reasons := map[string]bool{}, map[event.Reason]bool{}
	for _, k := range kinds {
		require.True(t, known[k.Reason], k.Name)
		require.False(t, names[k.Name], k.Name)
		names[k.Name], reasons[k.Reason] = true, true
	}
	require.Len(t, reasons, len(event.Reasons())-1, "all but late, which no record is by itself")

	c := shop.DefaultConfig()
	c.MalformedShare = .1
	s := shop.New(c)
	seen := map[string]bool{}
	for range 20_000 {
		if r := s.Next(); r.Kind == shop.Broken {
			seen[string(r.Value)] = true
		}
	}
	require.Len(t, seen, len(kinds), "all kinds come")
}

func BenchmarkNext(b *testing.B) {
	c := shop.DefaultConfig()
	c.Customers = 100_000
	s := shop.New(c)
	var size int
	b.ReportAllocs()
	for b.Loop() {
		size += len(s.Next().Value)
	}
	b.ReportMetric(float64(size)/float64(b.N), "B/event")
}
