package ledger

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// A bot sends more in a moment than a customer in years: the memory stays bounded.
func TestBoundsAgainstBots(t *testing.T) {
	r := Rules{Lateness: dayMs}
	var l Ledger
	for i := range 6000 {
		e := event.Event{OrderID: fmt.Sprint(i), ID: fmt.Sprint(i), Amount: event.One, HasAmount: true}
		for _, e.Type = range event.Types() {
			e.Time = epoch + int64(i*7919%6000)
			if e.Type == event.ErasureRequested {
				if i != 700 {
					continue
				}
				e.Time = epoch + 3000
			}
			e.OrderID = fmt.Sprint(i)
			if e.Type != event.OrderCompleted {
				e.OrderID = fmt.Sprint(i + 3000)
			}
			e.Channel = fmt.Sprint(i % 50)
			e.Items = []event.Item{{ID: e.OrderID}}
			l.Apply(&e, &r)
		}
		if i%100 == 0 {
			require.NoError(t, DecodeFacts(l.AppendFacts(nil), new(Ledger), nil), i)
		}
		require.LessOrEqual(t, len(l.Orders), HardOrders)
		require.LessOrEqual(t, len(l.Pending), MaxPending)
		require.LessOrEqual(t, len(l.Adjustments), MaxAdjustments)
		require.LessOrEqual(t, len(l.Marks), HardMarks)
		require.LessOrEqual(t, len(l.Views), 16)
		require.LessOrEqual(t, len(l.Cart), MaxCart)
		require.LessOrEqual(t, len(l.Consents), MaxConsents)
	}
	require.Positive(t, l.Fold.Orders)
	require.Positive(t, l.Fold.Orphans)
	require.Greater(t, l.Count(Referral), int64(HardMarks)/5)
}

// Refunds whose orders never come: the MaxOrphans latest are kept, late ones too,
// and a late repeat of one that was let go is not counted again.
func TestOrphans(t *testing.T) {
	r := Rules{}
	var l Ledger
	refund := func(i int) Effect {
		e := event.Event{Type: event.OrderRefunded, Time: epoch + int64(i), OrderID: fmt.Sprint(i), ID: fmt.Sprint(i), Amount: event.One, HasAmount: true}
		return l.Apply(&e, &r)
	}
	for i := range MaxOrphans + 2 {
		if i != 10 {
			refund(i)
		}
	}
	l.Apply(&event.Event{Type: event.PageViewed, Time: epoch + dayMs}, &r)
	require.Len(t, l.Adjustments, MaxOrphans)
	require.Equal(t, Fold{Orphans: 1, Returned: event.One}, l.Fold)
	require.Equal(t, Effect{Late: true}, refund(0))
	require.Equal(t, Effect{Late: true}, refund(1), "still there")
	require.True(t, refund(10).Changed)
	require.Len(t, l.Adjustments, MaxOrphans)
	require.Equal(t, Fold{Orphans: 2, Returned: 2 * event.One}, l.Fold)
	require.Zero(t, l.Fold.Net())

	late := event.Event{Type: event.OrderCompleted, Time: epoch, OrderID: "5", Amount: 3 * event.One}
	require.True(t, l.Apply(&late, &r).Orders)
	s := l.Sales(&r)
	require.True(t, s.Next())
	require.Equal(t, 2*event.One, s.Net, "a late order still finds its refund")
}

// A giant basket keeps the lowest hashes, a long channel name its head.
func TestLargeOrder(t *testing.T) {
	r := Rules{Lateness: dayMs, Intern: func(b []byte) string { return string(b) }}
	e := event.Event{Type: event.OrderCompleted, Time: epoch, OrderID: "o", Channel: string(make([]byte, 61)) + "ééé"}
	lowest := ^uint64(0)
	for i := range 500 {
		e.Items = append(e.Items, event.Item{ID: fmt.Sprint(i % 300)})
		lowest = min(lowest, event.Hash(e.Items[i].ID))
	}
	var l Ledger
	l.Apply(&e, &r)
	o := l.Orders[0]
	require.Len(t, o.Items, MaxItems)
	require.Equal(t, lowest, o.Items[0])
	require.IsIncreasing(t, o.Items)
	require.Equal(t, string(make([]byte, 61))+"é", o.Channel, "cut between letters")
}

// The event's memory may be reused at once.
func TestApplyKeepsNothingOfTheEvent(t *testing.T) {
	buf := []byte("app")
	r := Rules{Lateness: dayMs}
	var l Ledger
	e := event.Event{Type: event.OrderCompleted, Time: epoch, OrderID: "o", Channel: unsafeString(buf)}
	l.Apply(&e, &r)
	e = event.Event{Type: event.ConsentUpdated, Time: epoch, Channel: unsafeString(buf), Granted: true}
	l.Apply(&e, &r)
	facts := l.AppendFacts(nil)
	copy(buf, "xyz")
	require.Equal(t, facts, l.AppendFacts(nil))
	require.NoError(t, DecodeFacts(facts, &l, nil))
	clear(facts)
	require.Equal(t, "app", l.Orders[0].Channel)
}

// Money does not wrap.
func TestMoneySaturates(t *testing.T) {
	const most = event.Micro(1<<63 - 1)
	r := Rules{Lateness: 0}
	var l Ledger
	for i := range MaxOrders + 3 {
		e := event.Event{Type: event.OrderCompleted, Time: epoch + int64(i), OrderID: fmt.Sprint(i), Amount: most}
		l.Apply(&e, &r)
		e = event.Event{Type: event.OrderRefunded, Time: epoch + int64(i), OrderID: fmt.Sprint(i), ID: fmt.Sprint("r", i), Amount: most, HasAmount: true}
		l.Apply(&e, &r)
		e.ID = fmt.Sprint("s", i)
		l.Apply(&e, &r)
	}
	require.Equal(t, int64(2), l.Fold.Orders)
	require.Equal(t, most, l.Fold.Amount)
	require.Equal(t, most, l.Fold.Returned)
	for s := l.Sales(&r); s.Next(); {
		require.Zero(t, s.Net)
		require.False(t, s.InBasket)
	}
	e := event.Event{Type: event.OrderCompleted, Time: epoch + 1000, OrderID: "n", Amount: -5, Discount: -5}
	l.Apply(&e, &r)
	require.Zero(t, l.Orders[len(l.Orders)-1].Amount, "below zero counts as zero")
}

// unsafeString is a string over a buffer, as decoders make them.
func unsafeString(b []byte) string { return unsafe.String(&b[0], len(b)) }

func TestConsented(t *testing.T) {
	var l Ledger
	r := Rules{Lateness: dayMs}
	consent := func(ms int64, channel string, granted bool) {
		l.Apply(&event.Event{Type: event.ConsentUpdated, Time: ms, Channel: channel, Granted: granted}, &r)
	}
	_, known := l.Consented("email")
	require.False(t, known)
	consent(10, "email", true)
	consent(20, "", false)
	granted, known := l.Consented("email")
	require.True(t, known)
	require.False(t, granted, "the later word on all channels")
	consent(30, "email", true)
	granted, _ = l.Consented("email")
	require.True(t, granted)
	granted, known = l.Consented("push")
	require.True(t, known)
	require.False(t, granted)
	consent(30, "", false)
	granted, _ = l.Consented("email")
	require.False(t, granted, "of one instant the withdrawal counts")
}

func TestEventsThatDoNothing(t *testing.T) {
	var l Ledger
	require.Equal(t, Effect{}, l.Apply(&event.Event{Type: event.PageViewed}, &Rules{}), "no time")
	require.Equal(t, Effect{}, l.Apply(&event.Event{Type: event.ItemUpdated, Time: epoch, Items: []event.Item{{ID: "a"}}}, &Rules{}), "no customer")
	require.Zero(t, l.Last)
}

func TestConfig(t *testing.T) {
	c := DefaultConfig()
	require.NoError(t, c.Validate())
	require.Equal(t, int64(dayMs), c.Rules(Calendar{}).Lateness)
	c.Lateness = -time.Second
	require.ErrorContains(t, c.Validate(), "lateness: -1s is outside 0s to 2160h")
	c.Lateness = 91 * 24 * time.Hour
	require.Error(t, c.Validate())
}
