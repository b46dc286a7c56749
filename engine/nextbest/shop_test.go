package nextbest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

var rules = ledger.Rules{Lateness: 24 * 3_600_000, Calendar: ledger.NewCalendar(time.UTC)}

// opened is the day 0 of the shops here.
const opened = 1_700_000_000_000

func days(d float64) int64 { return opened + int64(d*day) }

// shop is what a recommender is made of, spoken to in ids.
type shop struct {
	cfg    Config
	counts *basket.Counts
	names  *basket.Dictionary
	source *basket.Source
	orders int
	model  *score.OfferModel
}

// newShop is one whose counts do not fade, with the defaults otherwise.
func newShop() *shop {
	cfg := basket.DefaultConfig()
	cfg.HalfLife = 0
	return &shop{
		cfg: DefaultConfig(), counts: basket.New(cfg), names: basket.NewDictionary(),
		source: basket.NewSource(cfg, &rules), model: score.BuiltInOffers(),
	}
}

// shopper is a customer of the shop.
type shopper struct {
	*ledger.Ledger
	shop *shop
}

func (s *shop) shopper() shopper { return shopper{&ledger.Ledger{}, s} }

func items(ids ...string) (is []event.Item) {
	for _, id := range ids {
		is = append(is, event.Item{ID: id, Quantity: event.One})
	}
	return is
}

// do applies an event of a day to the customer.
func (c shopper) do(d float64, e event.Event) shopper {
	e.Time = days(d)
	c.Apply(&e, &rules)
	for i := range e.Items {
		c.shop.names.Observe(&e.Items[i], e.Time)
	}
	return c
}

// bought is an order, whose id is the shop's latest number.
func (c shopper) bought(d float64, ids ...string) shopper {
	c.shop.orders++
	return c.do(d, event.Event{Type: event.OrderCompleted, OrderID: strconv.Itoa(c.shop.orders), Amount: event.One, HasAmount: true, Items: items(ids...)})
}

// lastOrder is the id of the latest order.
func (s *shop) lastOrder() string { return strconv.Itoa(s.orders) }

func (c shopper) looked(d float64, ids ...string) shopper {
	return c.do(d, event.Event{Type: event.ProductViewed, Items: items(ids...)})
}

func (c shopper) carted(d float64, ids ...string) shopper {
	return c.do(d, event.Event{Type: event.ProductAdded, Items: items(ids...)})
}

// counted takes the customer's baskets and views into the counts.
func (c shopper) counted() { c.shop.source.Each(c.Ledger, c.shop.counts.Apply) }

// sold counts n customers who bought these baskets, ten days one after the other.
func (s *shop) sold(n int, baskets ...[]string) {
	for range n {
		c := s.shopper()
		for i, b := range baskets {
			c.bought(10*float64(i), b...)
		}
		c.counted()
	}
}

// knows tells the dictionary of items of a category and a price.
func (s *shop) knows(category string, price int64, ids ...string) {
	for _, id := range ids {
		s.names.Observe(&event.Item{ID: id, Category: category, Price: event.Micro(price) * event.One}, days(0))
	}
}

// becomes is an item_updated.
func (s *shop) becomes(id string, state event.ItemState) {
	s.names.Update(&event.Event{Type: event.ItemUpdated, Time: days(1), State: state, Items: items(id)}, 0)
}

// recommender looks at the shop as it is.
func (s *shop) recommender() *Recommender {
	s.counts.Settle()
	trends := NewTrends(s.counts, s.names)
	return New(s.cfg, s.counts, s.names, func() *Trends { return trends }, &rules)
}

// offers are the best k at a day.
func (s *shop) offers(c shopper, d float64, k int) []score.Offer {
	return s.recommender().Offers(c.Ledger, s.model, days(d), k, nil)
}

// offered is the offer of one item among all at a day; nil: it is not offered.
// What Offer says of the item is the same.
func (s *shop) offered(t *testing.T, c shopper, d float64, id string) *score.Offer {
	t.Helper()
	all := s.offers(c, d, 1000)
	i := slices.IndexFunc(all, func(o score.Offer) bool { return o.ItemID == id })
	one, ok := s.recommender().Offer(c.Ledger, s.model, days(d), id)
	require.Equal(t, i >= 0, ok, "Offers and Offer disagree on %s", id)
	if i < 0 {
		return nil
	}
	require.Equal(t, all[i], one)
	return &all[i]
}

func idsOf(offers []score.Offer) (ids []string) {
	for i := range offers {
		ids = append(ids, offers[i].ItemID)
	}
	return ids
}

// pairShop sells A with B to forty, each of the two alone to some, and Z to many.
func pairShop() *shop {
	s := newShop()
	s.sold(40, []string{"A", "B"})
	s.sold(10, []string{"A"})
	s.sold(60, []string{"B"})
	s.sold(300, []string{"Z"})
	return s
}

var letters = []string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"}

// drawn is a shop of ten items at random, and a customer in it.
func drawn(t *rapid.T) (*shop, shopper) {
	s := newShop()
	for _, id := range letters {
		s.knows(rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "category"), rapid.SampledFrom([]int64{0, 1, 5, 6, 20}).Draw(t, "price"), id)
	}
	id := rapid.SampledFrom(letters)
	some := rapid.SliceOfNDistinct(id, 1, 4, rapid.ID)
	live := func(label string, most int) shopper {
		c := s.shopper()
		for i, b := range rapid.SliceOfN(some, 0, most).Draw(t, label) {
			c.bought(float64(i)*rapid.SampledFrom([]float64{.3, 1, 7}).Draw(t, "gap"), b...)
			if rapid.IntRange(0, 9).Draw(t, "back") == 0 {
				c.do(float64(i)*7+1, event.Event{Type: event.OrderCancelled, ID: strconv.Itoa(s.orders), OrderID: strconv.Itoa(s.orders)})
			}
		}
		for _, v := range rapid.SliceOfN(id, 0, 5).Draw(t, label+" looks") {
			c.looked(rapid.Float64Range(0, 30).Draw(t, "looked"), v)
		}
		return c
	}
	for range rapid.IntRange(1, 8).Draw(t, "sorts") {
		c := live("others", 4)
		for range rapid.IntRange(1, 9).Draw(t, "times") {
			c.counted()
		}
	}
	c := live("own", 6)
	for _, v := range rapid.SliceOfNDistinct(id, 0, 3, rapid.ID).Draw(t, "cart") {
		c.carted(rapid.Float64Range(0, 60).Draw(t, "added"), v)
	}
	s.becomes(id.Draw(t, "gone"), event.ItemState{HasAvailable: true, Available: rapid.Bool().Draw(t, "available")})
	s.becomes(id.Draw(t, "hidden"), event.ItemState{HasHidden: true, Hidden: rapid.Bool().Draw(t, "is")})
	s.cfg.Rank = rapid.SampledFrom([]string{ByValue, ByProbability}).Draw(t, "rank")
	s.cfg.DueShare = rapid.SampledFrom([]float64{0, .5, 1}).Draw(t, "due share")
	return s, c
}

// byRank orders offers as a list does.
func byRank(a, b score.Offer, value func(score.Offer) float64) int {
	return cmp.Or(cmp.Compare(value(b), value(a)), cmp.Compare(a.ItemID, b.ItemID))
}

func (c shopper) String() string {
	return fmt.Sprintf("%d orders, %d views, %d in the cart", len(c.Orders), len(c.Views), len(c.Cart))
}
