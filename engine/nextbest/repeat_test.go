package nextbest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// An item that a customer has bought more than once is offered again when the
// share of its own gap has passed, whatever the shop's is, and not before.
func TestRepeatIsDueByTheCustomersOwnGap(t *testing.T) {
	s := newShop()
	s.sold(50, []string{"milk"}, []string{"milk"}) // ten days apart
	s.sold(50, []string{"Z"})
	// Gaps of 4 and 8 days, the second of two purchases of one day, which say
	// nothing of the gap.
	c := s.shopper().bought(0, "milk").bought(4, "milk").bought(12, "milk").bought(12.5, "milk", "Z")
	due := func(share, d float64) bool {
		s.cfg.DueShare = share
		o := s.offered(t, c, d, "milk")
		if o != nil {
			require.Equal(t, Repeat, o.Kind)
		}
		return o != nil
	}
	// The last was at 12.5, the one gap from there back to 4 at least a day long,
	// then that to 0: on average 6.25 days.
	require.False(t, due(.5, 12.5+3.1))
	require.True(t, due(.5, 12.5+3.2))
	require.False(t, due(1, 12.5+6.2))
	require.True(t, due(1, 12.5+6.3))
	require.False(t, due(2, 12.5+12.4))
	require.True(t, due(2, 12.5+12.6))
	require.True(t, due(0, 12.5), "always")
	require.False(t, due(10, 40))
	c.carted(13, "milk")
	require.False(t, due(.5, 40), "it lies in the cart")
	c.bought(41, "Z")
	require.True(t, due(.5, 42), "the cart was cleared by another order")
}

// What was bought once is offered again by the rhythm of the customer's orders,
// where others buy it again; what nobody ever buys again, not at all, once that is
// known of enough.
func TestWhatNobodyBuysAgain(t *testing.T) {
	s := newShop()
	s.sold(25, []string{"milk", "kettle"}, []string{"milk"})
	s.sold(15, []string{"milk", "lamp"}, []string{"milk"})
	once := func(id string) shopper { return s.shopper().bought(0, id) }
	weekly := func(id string) shopper { return s.shopper().bought(-14, "Z").bought(-7, "Z").bought(0, id) }
	hourly := func(id string) shopper { return s.shopper().bought(-.1, "Z").bought(-.05, "Z").bought(0, id) }
	for _, c := range []struct {
		who     func(id string) shopper
		id      string
		after   float64
		offered bool
	}{
		{once, "milk", 14.9, false}, {once, "milk", 15, true}, // half a month, for nothing is known of the rhythm
		{weekly, "milk", 3.4, false}, {weekly, "milk", 3.6, true},
		{hourly, "milk", .4, false}, {hourly, "milk", .6, true}, // half a day at least
		{once, "kettle", 15, false}, {weekly, "kettle", 500, false},
		{once, "lamp", 15, true}, // too few to know
	} {
		o := s.offered(t, c.who(c.id), c.after, c.id)
		require.Equal(t, c.offered, o != nil, "%s after %g days", c.id, c.after)
	}
	s.cfg.DueShare = 0
	require.NotNil(t, s.offered(t, once("kettle"), 0, "kettle"))
}

// A habit tells by how much of the customer's own orders it speaks.
func TestRepeatSaysBecauseOfWhat(t *testing.T) {
	s := newShop()
	s.sold(20, []string{"milk"}, []string{"milk"}, []string{"milk"}, []string{"Z"})
	s.sold(20, []string{"Z"})
	c := s.shopper().bought(0, "milk").bought(10, "milk").bought(20, "milk").bought(30, "Z")
	o := s.offered(t, c, 60, "milk")
	require.Len(t, o.Because, 1)
	b := o.Because[0]
	require.Equal(t, []string{"milk"}, b.ItemIDs)
	require.Empty(t, b.Kind, "the customer's own orders")
	require.InDelta(t, .6, b.Support, 1e-9, "60 of 100 orders")
	require.InDelta(t, .75, b.Confidence, 1e-9, "three of the customer's four")
	require.InDelta(t, 1.25, b.Lift, 1e-9)
	require.Zero(t, o.Value, "the price is unknown")

	// An order that was sent back says nothing.
	c.do(31, event.Event{Type: event.OrderRefunded, ID: "r", OrderID: s.lastOrder()})
	require.InDelta(t, 1, s.offered(t, c, 60, "milk").Because[0].Confidence, 1e-9)
}

// Who buys an item more often and of late is likelier to buy it again.
func TestRepeatsAreRankedByTheHabit(t *testing.T) {
	s := newShop()
	s.cfg.Rank = ByProbability
	s.sold(30, []string{"milk", "bread"}, []string{"milk", "bread"})
	c := s.shopper().bought(0, "milk", "bread").bought(10, "milk").bought(20, "milk")
	require.Equal(t, []string{"milk", "bread"}, idsOf(s.offers(c, 40, 5)))
	c.bought(40, "bread").bought(50, "bread").bought(60, "bread").bought(70, "bread")
	require.Equal(t, []string{"bread", "milk"}, idsOf(s.offers(c, 100, 5)))
}
