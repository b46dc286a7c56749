package nextbest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// What lies in the cart, cannot be had, is not to be shown, or was ordered before
// is not offered as something new, by a list or singly, whatever speaks for it.
func TestNeverOffered(t *testing.T) {
	available := func(yes bool) event.ItemState { return event.ItemState{HasAvailable: true, Available: yes} }
	hidden := func(yes bool) event.ItemState { return event.ItemState{HasHidden: true, Hidden: yes} }
	consent := func(channel string, yes bool) event.Event {
		return event.Event{Type: event.ConsentUpdated, Channel: channel, Granted: yes}
	}
	for _, c := range []struct {
		why     string
		offered bool
		in      func(s *shop, c shopper)
	}{
		{"new to who has A", true, func(*shop, shopper) {}},
		{"in the cart", false, func(_ *shop, c shopper) { c.carted(2, "B") }},
		{"taken out of the cart", true, func(_ *shop, c shopper) {
			c.carted(2, "B").do(3, event.Event{Type: event.ProductRemoved, Items: items("B")})
		}},
		{"the cart was bought since", true, func(_ *shop, c shopper) { c.carted(2, "B").bought(3, "A") }},
		{"hidden", false, func(s *shop, _ shopper) { s.becomes("B", hidden(true)) }},
		{"shown", true, func(s *shop, _ shopper) { s.becomes("B", hidden(false)) }},
		{"out of stock", false, func(s *shop, _ shopper) { s.becomes("B", available(false)) }},
		{"in stock", true, func(s *shop, _ shopper) { s.becomes("B", available(true)) }},
		{"ordered and sent back", false, func(s *shop, c shopper) {
			c.bought(2, "B").do(3, event.Event{Type: event.OrderRefunded, ID: "r", OrderID: s.lastOrder()})
		}},
		{"ordered and cancelled", false, func(s *shop, c shopper) {
			c.bought(2, "B").do(2, event.Event{Type: event.OrderCancelled, ID: "r", OrderID: s.lastOrder()})
		}},
		{"ordered in an order that was changed since", false, func(s *shop, c shopper) {
			c.bought(2, "A").do(2.5, event.Event{Type: event.OrderUpdated, ID: "u", OrderID: s.lastOrder(), Items: items("B")}).
				do(3, event.Event{Type: event.OrderUpdated, ID: "v", OrderID: s.lastOrder(), Items: items("A")})
		}},
		{"bought just now, by one in whose shop it is bought again", false, func(s *shop, c shopper) {
			s.sold(30, []string{"B"}, []string{"B"})
			c.bought(100-1e-6, "B")
		}},
		{"needs a consent that nobody spoke of", false, needing},
		{"needs a consent that was refused", false, func(s *shop, c shopper) { needing(s, c); c.do(2, consent("alcohol", false)) }},
		{"needs a consent of another name", false, func(s *shop, c shopper) { needing(s, c); c.do(2, consent("email", true)) }},
		{"needs a consent by its own name", false, func(s *shop, c shopper) { needing(s, c); c.do(2, consent("", true)) }},
		{"needs a consent that was given", true, func(s *shop, c shopper) { needing(s, c); c.do(2, consent("alcohol", true)) }},
		{"needs a consent that was withdrawn", false, func(s *shop, c shopper) {
			needing(s, c)
			c.do(2, consent("alcohol", true)).do(3, consent("alcohol", false))
		}},
	} {
		s := pairShop()
		who := s.shopper().bought(0, "A")
		c.in(s, who)
		require.Equal(t, c.offered, s.offered(t, who, 100, "B") != nil, c.why)
	}
}

func needing(s *shop, _ shopper) {
	s.becomes("B", event.ItemState{HasConsent: true, Consent: "alcohol"})
}

// Who withdrew the consent that offers need is offered nothing at all.
func TestWithdrawnConsent(t *testing.T) {
	s := pairShop()
	say := func(channel string, yes bool) event.Event {
		return event.Event{Type: event.ConsentUpdated, Channel: channel, Granted: yes}
	}
	c := s.shopper().bought(0, "A").do(1, say("offers", false))
	require.NotNil(t, s.offered(t, c, 100, "B"), "nobody asks for it")
	s.cfg.Consent = "offers"
	require.Empty(t, s.offers(c, 100, 5))
	require.Nil(t, s.offered(t, c, 100, "B"))
	require.NotNil(t, s.offered(t, c.do(2, say("offers", true)), 100, "B"), "given again")
	require.Nil(t, s.offered(t, c.do(3, say("", false)), 100, "B"), "all were withdrawn")
	require.NotNil(t, s.offered(t, s.shopper().bought(0, "A"), 100, "B"), "never spoken of")
}

// Of whom nothing is known there is nothing to offer, and nothing that nobody can
// name.
func TestNothingKnown(t *testing.T) {
	s := pairShop()
	require.Empty(t, s.offers(s.shopper(), 100, 5))
	require.Empty(t, s.offers(s.shopper().bought(0, "A"), 100, 0))
	require.NotEmpty(t, s.offers(s.shopper().bought(0, "nobody else has it"), 100, 5), "the best sellers")
	require.NotEmpty(t, s.offers(s.shopper().looked(0, "A"), 100, 5))
	require.NotEmpty(t, s.offers(s.shopper().carted(0, "A"), 100, 5))
	nameless := newShop()
	nameless.sold(50, []string{"A", "B"})
	nameless.names = pairShop().names
	nameless.sold(50, []string{"A", "N"})
	nameless.names = pairShop().names // which knows no N
	c := nameless.shopper()
	c.Orders = append(c.Orders, nameless.shopper().bought(0, "A").Orders...)
	require.Equal(t, []string{"B"}, without(idsOf(nameless.offers(c, 100, 9)), "A"))
	_, ok := nameless.recommender().Offer(c.Ledger, nameless.model, days(100), "N")
	require.False(t, ok)
	_, ok = nameless.recommender().Offer(c.Ledger, nameless.model, days(100), "never heard of")
	require.False(t, ok)
}

func without(ids []string, id string) (rest []string) {
	for _, x := range ids {
		if x != id {
			rest = append(rest, x)
		}
	}
	return rest
}
