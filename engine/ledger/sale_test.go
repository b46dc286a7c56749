package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// plainSales reads the visible orders straight off the events; there are too
// few of these for anything to have been folded.
func plainSales(events []event.Event, r *Rules) []Sale {
	var erased int64
	for _, e := range events {
		if e.Type == event.ErasureRequested {
			erased = max(erased, e.Time)
		}
	}
	orders := map[uint64]Order{}
	for i := range events {
		e := &events[i]
		if e.Type != event.OrderCompleted || e.Time <= erased {
			continue
		}
		o := refStatement(e)
		if was, ok := orders[o.Hash]; !ok || o.Placed < was.Placed || o.Placed == was.Placed && compareContent(&o, &was) < 0 {
			orders[o.Hash] = o
		}
	}
	var sales []Sale
	for key, o := range orders {
		content := o
		refunds := map[uint64]event.Event{} // by event
		for i := range events {
			e := &events[i]
			if OrderKey(e) != key || e.Time <= erased || o.Placed > e.Time+r.Lateness {
				continue
			}
			switch e.Type {
			case event.OrderUpdated:
				if u := refStatement(e); u.Revised > content.Revised || u.Revised == content.Revised && compareContent(&u, &content) > 0 {
					content = u
				}
			case event.OrderRefunded, event.OrderCancelled:
				was, ok := refunds[e.IDHash()]
				if !ok || earlier(e, &was) {
					refunds[e.IDHash()] = *e
				}
			}
		}
		s := Sale{
			Hash: key, Placed: o.Placed, Day: r.Calendar.Day(o.Placed), Net: max(0, content.Amount-content.Discount),
			Discounted: content.Discount > 0, Coupon: content.Coupon, InBasket: true, Channel: content.Channel, Items: content.Items,
		}
		var returned event.Micro
		cancelled := false
		for _, e := range refunds {
			switch {
			case e.Type == event.OrderCancelled:
				cancelled = true
			case e.HasAmount:
				returned += e.Amount
			default:
				returned = 1 << 50
			}
		}
		if cancelled {
			continue
		}
		s.InBasket = returned == 0 || returned < s.Net
		s.Net = max(0, s.Net-returned)
		if s.HasMargin = content.Costed; s.HasMargin {
			s.Margin = s.Net - refCostKept(&content, s.Net, returned > 0)
		}
		sales = append(sales, s)
	}
	slices.SortFunc(sales, func(a, b Sale) int {
		if older(a.Placed, a.Hash, b.Placed, b.Hash) {
			return -1
		}
		return 1
	})
	return sales
}

// earlier says which of two deliveries of one event id counts.
func earlier(a, b *event.Event) bool {
	rank := func(e *event.Event) (k, m int64) {
		switch {
		case e.Type == event.OrderCancelled:
			k = 3
		case !e.HasAmount:
			return 2, 0
		default:
			k = 1
		}
		if e.HasAmount {
			m = int64(e.Amount)
		}
		return k, m
	}
	ak, am := rank(a)
	bk, bm := rank(b)
	if a.Time != b.Time {
		return a.Time < b.Time
	}
	return ak < bk || ak == bk && am < bm
}

func TestSalesAgainstPlain(t *testing.T) {
	var sold, gains, losses int
	check := func(t *rapid.T) {
		w := drawWorld(t)
		w.types = []event.Type{
			event.OrderCompleted, event.OrderCompleted, event.OrderUpdated, event.OrderRefunded, event.OrderRefunded,
			event.OrderRefunded, event.OrderRefunded, event.ErasureRequested, event.PageViewed, event.OrderUpdated,
		}
		if rapid.Bool().Draw(t, "cancels") {
			w.types[0] = event.OrderCancelled
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		events, r := w.make(rng), w.rules()
		for i := range events { // few event ids, and orders that are worth more than a few refunds
			if e := &events[i]; e.Type == event.OrderRefunded {
				e.ID = fmt.Sprint("r", rng.IntN(10))
				e.HasAmount = e.HasAmount || rng.IntN(4) > 0
			} else {
				e.Amount *= event.Micro(1 + rng.IntN(50))
			}
			if rng.IntN(3) > 0 { // else few orders have a cost
				for j := range events[i].Items {
					events[i].Items[j].HasCost = true
				}
			}
		}
		var l Ledger
		for _, e := range w.arrival(rng, events, 10) {
			l.Apply(&e, &r)
		}
		var got []Sale
		for s := l.Sales(&r); s.Next(); {
			got = append(got, s.Sale)
		}
		require.Empty(t, cmp.Diff(plainSales(events, &r), got, cmpopts.EquateEmpty()))
		for _, s := range got {
			sold++
			if s.HasMargin && s.Margin < 0 {
				losses++
			}
			if s.HasMargin && s.Margin > 0 {
				gains++
			}
		}
	}
	for i := 0; i < 30 && (sold <= 100 || gains == 0 || losses == 0); i++ {
		rapid.Check(t, check)
	}
	require.Greater(t, sold, 100, "the worlds must have sales")
	require.Positive(t, gains)
	require.Positive(t, losses)
}

func TestBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 4))
		events, r := w.make(rng), w.rules()
		var l, dst Ledger
		for _, e := range w.arrival(rng, events, 0) {
			l.Apply(&e, &r)
		}
		l.Before(l.Last, &r, &dst)
		require.Equal(t, l.AppendFacts(nil), dst.AppendFacts(nil), "as of the last event nothing is dropped")

		at := worldStart + int64(rng.IntN(w.span))*w.step
		l.Before(at, &r, &dst)
		require.LessOrEqual(t, dst.latestFact(), at)
		require.LessOrEqual(t, dst.Last, at)
		var again Ledger
		dst.Before(at, &r, &again)
		require.Equal(t, dst.AppendFacts(nil), again.AppendFacts(nil))
		require.NoError(t, DecodeFacts(dst.AppendFacts(nil), new(Ledger), nil))
	})
}

// Without overwriting (no repeated ids, no updates, nothing overwritten since),
// the facts as of an instant are those of a ledger that saw no more.
func TestBeforeAgainstReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world{events: 40, orders: 20, span: 200, step: 7 * hourMs, lateness: 24 * hourMs, types: []event.Type{
			event.OrderCompleted, event.OrderRefunded, event.OrderCancelled, event.ComplaintRaised, event.PageViewed,
		}}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))
		events, r := w.make(rng), w.rules()
		at := worldStart + int64(rng.IntN(w.span))*w.step
		var l, past, dst Ledger
		for i := range events {
			events[i].ID = ""
			l.Apply(&events[i], &r)
			if events[i].Time <= at {
				past.Apply(&events[i], &r)
			}
		}
		l.Before(at, &r, &dst)
		var want, got []Sale
		for s := past.Sales(&r); s.Next(); {
			want = append(want, s.Sale)
		}
		for s := dst.Sales(&r); s.Next(); {
			got = append(got, s.Sale)
		}
		require.Empty(t, cmp.Diff(want, got, cmpopts.EquateEmpty()))
		require.Equal(t, past.Marks, dst.Marks)
	})
}
