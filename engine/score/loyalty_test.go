package score

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// shelf is a Catalogue: item names by category.
type shelf map[uint64]uint64

func (s shelf) Category(item uint64) (uint64, bool) {
	c, ok := s[item]
	return c, ok
}

func newShelf(categories ...string) shelf {
	s := shelf{}
	for i, ids := range categories {
		for _, id := range ids {
			s[event.Hash(string(id))] = uint64(i)
		}
	}
	return s
}

// buy orders one item, at a discount and with a coupon where they are said.
func (s *shop) buy(at int64, item string, discount event.Micro, coupon string) {
	s.apply(event.Event{
		Type: event.OrderCompleted, Time: at, OrderID: fmt.Sprintf("b%d", s.n), Coupon: coupon,
		Items: []event.Item{{ID: item, Quantity: event.One}}, Amount: 10 * event.One, HasAmount: true, Discount: discount,
	})
}

// loyalty computes the part and its reasons.
func loyalty(t require.TestingT, s *shop, catalogue Catalogue) (*Loyalty, []Reason) {
	sc, m := newTestScorer(t, nil)
	sc.Catalogue = catalogue
	var doc Scores
	sc.Compute("c", &s.l, m, s.l.Last+day, &doc)
	var reasons []Reason
	for _, r := range doc.Reasons {
		if r.Score == "loyalty.score" {
			reasons = append(reasons, r)
		}
	}
	return doc.Loyalty, reasons
}

func texts(reasons []Reason) []string {
	var words []string
	for _, r := range reasons {
		words = append(words, r.Text.String())
	}
	return words
}

// Eight orders of one customer, by hand.
func TestLoyaltyOfACustomer(t *testing.T) {
	s := newShop()
	for i, item := range []string{"A", "B", "C", "D", "E", "A", "B", "C"} {
		discount, coupon := event.Micro(0), ""
		if i < 3 {
			discount = event.One
		}
		if i < 2 {
			coupon = "SAVE"
		}
		s.buy(epoch+int64(i)*10*day, item, discount, coupon)
	}
	s.apply(event.Event{Type: event.ReferralMade, Time: epoch + 80*day})
	s.apply(event.Event{Type: event.SurveyAnswered, Time: epoch + 81*day, Rating: 9})
	got, reasons := loyalty(t, s, newShelf("A", "B", "C", "D", "")) // E is in no category
	want := .3*5/8 + .2*6/8 + .15*3/4 + .15/2 + .2*.9
	require.InDelta(t, want, got.Score, 1e-12)
	require.Equal(t, Loyalty{
		Score: got.Score, FullPriceShare: 5. / 8, CouponFreeShare: 6. / 8, CategoryBreadth: 4, Referrals: 1, Satisfaction: .9,
	}, *got)
	require.Equal(t, []string{
		"5 of 8 orders at full price", "2 of 8 orders with a coupon", "orders from 4 categories", "1 referral", "rated 9 of 10",
	}, texts(reasons))
	require.InDelta(t, .3*(5./8-.5), reasons[0].Effect, 1e-12)

	s.apply(event.Event{Type: event.ComplaintRaised, Time: epoch + 82*day})
	got, reasons = loyalty(t, s, nil)
	require.Equal(t, .45, got.Satisfaction)
	require.Zero(t, got.CategoryBreadth)
	require.InDelta(t, (.3*5/8+.2*6/8+.15/2+.2*.45)/.85, got.Score, 1e-12, "breadth is left out")
	require.Equal(t, "rated 9 of 10; a complaint is open", texts(reasons)[3])

	s.apply(event.Event{Type: event.ComplaintResolved, Time: epoch + 83*day})
	got, _ = loyalty(t, s, nil)
	require.Equal(t, .9, got.Satisfaction)
}

// Without a survey an open complaint is all that is known, and a settled one
// says nothing.
func TestComplaintWithoutSurvey(t *testing.T) {
	s := newShop()
	s.buy(epoch, "A", 0, "")
	s.apply(event.Event{Type: event.ComplaintRaised, Time: epoch + 1})
	got, reasons := loyalty(t, s, newShelf("A"))
	require.Zero(t, got.Satisfaction)
	require.InDelta(t, .3+.2, got.Score, 1e-12)
	require.Equal(t, []string{
		"1 of 1 order at full price", "0 of 1 order with a coupon", "orders from 1 category", "no referral", "a complaint is open",
	}, texts(reasons))
	s.apply(event.Event{Type: event.ComplaintResolved, Time: epoch + 2})
	got, _ = loyalty(t, s, nil)
	require.Equal(t, -1., got.Satisfaction)
}

// What was given back wholly was not bought.
func TestReturnedGoodsAreNoBreadth(t *testing.T) {
	s := newShop()
	s.buy(epoch, "A", 0, "")
	s.apply(event.Event{Type: event.OrderCompleted, Time: epoch + day, OrderID: "back", Amount: event.One, HasAmount: true, Items: []event.Item{{ID: "B", Quantity: event.One}}})
	s.apply(event.Event{Type: event.OrderRefunded, Time: epoch + 2*day, OrderID: "back"})
	got, _ := loyalty(t, s, newShelf("A", "B"))
	require.Equal(t, 1, got.CategoryBreadth)
}

// The score against the plain mean, in 0 to 1 and with reasons that add up.
func TestLoyaltyAddsUp(t *testing.T) {
	catalogue := newShelf("AB", "C", "D")
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		n, full, coupons, categories := rapid.IntRange(1, 8).Draw(t, "orders"), 0, 0, map[uint64]bool{}
		for i := range n {
			item := rapid.SampledFrom([]string{"A", "B", "C", "D", "X"}).Draw(t, "item")
			discount := event.Micro(rapid.Int64Range(0, 1).Draw(t, "discount"))
			coupon := rapid.SampledFrom([]string{"", "SAVE"}).Draw(t, "coupon")
			s.buy(epoch+int64(i)*day, item, discount, coupon)
			if discount == 0 {
				full++
			}
			if coupon != "" {
				coupons++
			}
			if c, ok := catalogue.Category(event.Hash(item)); ok {
				categories[c] = true
			}
		}
		referrals := rapid.IntRange(0, 3).Draw(t, "referrals")
		for i := range referrals {
			s.apply(event.Event{Type: event.ReferralMade, Time: epoch + int64(i)})
		}
		raised, resolved := rapid.IntRange(0, 2).Draw(t, "raised"), rapid.IntRange(0, 2).Draw(t, "resolved")
		for i := range raised {
			s.apply(event.Event{Type: event.ComplaintRaised, Time: epoch + int64(i)})
		}
		for i := range resolved {
			s.apply(event.Event{Type: event.ComplaintResolved, Time: epoch + int64(i)})
		}
		rating := rapid.IntRange(-1, 10).Draw(t, "rating")
		if rating >= 0 {
			s.apply(event.Event{Type: event.SurveyAnswered, Time: epoch + 1, Rating: int8(rating)})
		}
		sum, weight := 0., 0.
		mean := func(w, v float64) { sum, weight = sum+w*v, weight+w }
		mean(.3, float64(full)/float64(n))
		mean(.2, 1-float64(coupons)/float64(n))
		mean(.15, 1-math.Pow(2, -float64(referrals)))
		if len(categories) > 0 {
			mean(.15, 1-1/float64(len(categories)))
		}
		switch said := float64(rating) / 10; {
		case rating < 0 && raised > resolved:
			mean(.2, 0)
		case rating >= 0 && raised > resolved:
			mean(.2, said/2)
		case rating >= 0:
			mean(.2, said)
		}
		got, reasons := loyalty(t, s, catalogue)
		require.InDelta(t, sum/weight, got.Score, 1e-12)
		require.GreaterOrEqual(t, got.Score, 0.)
		require.LessOrEqual(t, got.Score, 1.)
		effects := 0.
		for _, r := range reasons {
			effects += r.Effect
		}
		require.InDelta(t, got.Score-.5, effects, 1e-12)
	})
}
