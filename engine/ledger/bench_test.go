package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// regular returns the facts of the customer of five orders, and events of theirs.
func regular(tb testing.TB) (facts []byte, view, order, refund event.Event, r Rules) {
	r = Rules{Lateness: dayMs}
	var l Ledger
	for _, e := range fiveOrders() {
		l.Apply(&e, &r)
	}
	facts = l.AppendFacts(nil)
	view = event.Event{Type: event.ProductViewed, Time: l.Last + 60_001, Items: []event.Item{{ID: "w2"}}, ID: "e-view"}
	order = event.Event{
		Type: event.OrderCompleted, Time: l.Last + 120_001, ID: "e-order", OrderID: "order-new", Amount: 29_900_000, Channel: "app",
		Items: []event.Item{{ID: "article1"}, {ID: "article2"}, {ID: "article99"}},
	}
	refund = event.Event{Type: event.OrderRefunded, Time: l.Last + 180_001, ID: "e-refund", OrderID: "order3", Amount: 5_000_000, HasAmount: true}
	require.True(tb, l.Apply(&view, &r).Changed)
	return facts, view, order, refund, r
}

// The way of an event through the state: bytes, facts, bytes. Nothing allocates.
func TestNoAllocations(t *testing.T) {
	facts, view, order, refund, r := regular(t)
	var l Ledger
	var dst []byte
	for _, e := range []event.Event{view, order, refund} {
		step := func() {
			require.NoError(t, DecodeFacts(facts, &l, nil))
			l.Apply(&e, &r)
			dst = l.AppendFacts(dst[:0])
			for s := l.Sales(&r); s.Next(); {
				_ = s.Net
			}
		}
		step()
		require.Zero(t, testing.AllocsPerRun(100, step), e.Type.String())
	}
}

// A customer of as many views as are kept looks at one thing more.
func BenchmarkBrowser(b *testing.B) {
	r := Rules{Lateness: dayMs}
	var l Ledger
	events := browser()
	for i := range events {
		l.Apply(&events[i], &r)
	}
	require.Len(b, l.Views, MaxViews)
	facts := l.AppendFacts(nil)
	e := event.Event{Type: event.ProductViewed, Time: l.Last + 60_001, Items: []event.Item{{ID: "w2"}}, SessionID: "9f0b1c52-6a57-4c11-a3a5-0d2f4ba1e0c7"}
	var dst []byte
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := DecodeFacts(facts, &l, nil); err != nil {
				b.Fatal(err)
			}
			l.Apply(&e, &r)
			dst = l.AppendFacts(dst[:0])
		}
	})
	b.Run("apply", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			e.Time += 1000
			l.Apply(&e, &r)
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	facts, view, order, refund, r := regular(b)
	for _, e := range []event.Event{view, order, refund} {
		b.Run(e.Type.String(), func(b *testing.B) {
			var l Ledger
			var dst []byte
			b.ReportAllocs()
			for range b.N {
				if err := DecodeFacts(facts, &l, nil); err != nil {
					b.Fatal(err)
				}
				l.Apply(&e, &r)
				dst = l.AppendFacts(dst[:0])
			}
		})
	}
	b.Run("decode", func(b *testing.B) {
		var l Ledger
		b.ReportAllocs()
		for range b.N {
			if err := DecodeFacts(facts, &l, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		var l Ledger
		require.NoError(b, DecodeFacts(facts, &l, nil))
		var dst []byte
		b.ReportAllocs()
		for range b.N {
			dst = l.AppendFacts(dst[:0])
		}
	})
	b.Run("apply_view", func(b *testing.B) {
		var l Ledger
		require.NoError(b, DecodeFacts(facts, &l, nil))
		e := view
		b.ReportAllocs()
		for range b.N {
			e.Time += 1000
			l.Apply(&e, &r)
		}
	})
	b.Run("sales", func(b *testing.B) {
		var l Ledger
		require.NoError(b, DecodeFacts(facts, &l, nil))
		b.ReportAllocs()
		for range b.N {
			for s := l.Sales(&r); s.Next(); {
				_ = s.Net
			}
		}
	})
}

// A customer of 256 orders who goes on ordering: each order folds the oldest.
func BenchmarkHeavyCustomer(b *testing.B) {
	r := Rules{Lateness: dayMs}
	var l Ledger
	e := event.Event{Type: event.OrderCompleted, Time: epoch, Amount: 9_990_000, Items: []event.Item{{ID: "a"}, {ID: "b"}}, HasAmount: true}
	ids := make([]string, 2000)
	for i := range ids {
		ids[i] = fmt.Sprint("order", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		e.OrderID = ids[i%len(ids)]
		e.Time += dayMs / 2
		l.Apply(&e, &r)
	}
	require.LessOrEqual(b, len(l.Orders), MaxOrders+8)
}
