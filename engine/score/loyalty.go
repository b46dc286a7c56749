package score

import (
	"math"
	"slices"
	"strconv"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// Catalogue knows the categories of items.
type Catalogue interface {
	// Category is a number that stands for the category of the item with this
	// hash, the same for the same category; false where it has none.
	Category(item uint64) (uint64, bool)
}

// The problem with loyalty: whoever orders often is often called loyal, and may
// only be there for the coupons. How often and how lately is what rfm and churn
// say, so it does not count here. The score is how the customer buys: the mean
// of what is known of the components below, each in 0 to 1, with these weights.
const (
	// Paying the full price is the plainest sign: such a customer does not wait
	// for an offer and is not lost to the next one.
	weightFullPrice = 0.30
	// A coupon is looked for on purpose, which tells more than a discount that
	// everybody was given; but both are often the same orders.
	weightCouponFree = 0.20
	// Who buys from several categories trusts the shop and not one article.
	// 1 − 1/n: the second category says the most.
	weightBreadth = 0.15
	// A referral puts the customer's own name to the shop; few make one, so that
	// its absence must not weigh much. 1 − 2⁻ⁿ.
	weightReferrals = 0.15
	// What the customer says of the shop. Most say nothing; then it is left out.
	weightSatisfaction = 0.20
)

// unknown is a component that nothing is known of.
const unknown = -1

// loyaltyReason is Reason.Score of the terms of loyalty.score.
const loyaltyReason = "loyalty.score"

// neutral is the score that the reasons start from.
const neutral = 0.5

// satisfaction is what surveys and complaints say.
type satisfaction struct {
	score float64 // 0 to 1; unknown
	rated int     // the latest answer; unknown where there is none
	open  bool    // a complaint is
}

// fillLoyalty says how a buyer buys, and appends the terms of the score to the
// reasons: they add up to its difference from neutral. It reads every retained
// order again; orders that are kept as sums only no longer tell how they were
// bought.
func (s *Scorer) fillLoyalty(l *ledger.Ledger, out *Scores) {
	n := s.f.retained
	categories := s.categories(l)
	said := satisfied(l)
	lo := &out.parts.loyalty
	*lo = Loyalty{CategoryBreadth: categories, Referrals: s.f.referrals, Satisfaction: said.score}
	terms := loyaltyTerms{out: out.Reasons}
	if n > 0 {
		lo.FullPriceShare = float64(s.f.fullPrice) / float64(n)
		lo.CouponFreeShare = float64(n-s.f.coupons) / float64(n)
		terms.add(weightFullPrice, lo.FullPriceShare, Phrase{kind: fullPriceOrders, orders: s.f.fullPrice, gap: float64(n)})
		terms.add(weightCouponFree, lo.CouponFreeShare, Phrase{kind: couponOrders, orders: s.f.coupons, gap: float64(n)})
	}
	if categories > 0 {
		terms.add(weightBreadth, 1-1/float64(categories), Phrase{kind: categoriesBought, orders: categories})
	}
	terms.add(weightReferrals, 1-math.Exp2(-float64(s.f.referrals)), Phrase{kind: referralsMade, orders: s.f.referrals})
	if said.score != unknown {
		terms.add(weightSatisfaction, said.score, said.phrase())
	}
	lo.Score = terms.close(len(out.Reasons))
	out.Loyalty, out.Reasons = lo, terms.out
}

// loyaltyTerms is a weighted mean in the making.
type loyaltyTerms struct {
	out         []Reason
	sum, weight float64
}

// add takes a component that is known.
func (t *loyaltyTerms) add(weight, component float64, text Phrase) {
	t.sum += weight * component
	t.weight += weight
	t.out = append(t.out, Reason{Score: loyaltyReason, Effect: weight * (component - neutral), Text: text})
}

// close is the mean; it scales the effects of the reasons from the given one on
// to its difference from neutral.
func (t *loyaltyTerms) close(from int) float64 {
	for i := range t.out[from:] {
		t.out[from+i].Effect /= t.weight
	}
	return t.sum / t.weight
}

// categories counts those of what was bought and not given back.
func (s *Scorer) categories(l *ledger.Ledger) int {
	if s.Catalogue == nil {
		return 0
	}
	var room [64]uint64 // few buy from more; those cost an allocation
	seen := room[:0]
	for sale := l.Sales(&s.rules); sale.Next(); {
		if !sale.InBasket {
			continue
		}
		for _, item := range sale.Items {
			if c, ok := s.Catalogue.Category(item); ok && !slices.Contains(seen, c) {
				seen = append(seen, c)
			}
		}
	}
	return len(seen)
}

// satisfied joins the latest survey with the complaints. An open complaint
// halves what the survey says, for it is not known which of the two came from
// the worse day; without a survey it is all that is known.
func satisfied(l *ledger.Ledger) satisfaction {
	said := satisfaction{score: unknown, rated: unknown}
	said.open = l.Count(ledger.Complaint) > l.Count(ledger.Resolved)
	if l.SurveyTime > 0 {
		said.rated = min(max(int(l.SurveyRating), 0), 10)
		said.score = float64(said.rated) / 10
	}
	switch {
	case said.open && said.rated == unknown:
		said.score = 0
	case said.open:
		said.score /= 2
	}
	return said
}

// phrase puts what is known into words.
func (s *satisfaction) phrase() Phrase {
	switch {
	case s.rated == unknown:
		return Words("a complaint is open")
	case s.open:
		return Phrase{kind: ratedWithComplaint, orders: s.rated}
	}
	return Phrase{kind: rated, orders: s.rated}
}

// The kinds of phrases about loyalty; orders is the count, gap the whole.
const (
	fullPriceOrders    phraseKind = 16 + iota // 5 of 8 orders at full price
	couponOrders                              // 2 of 8 orders with a coupon
	categoriesBought                          // orders from 4 categories
	referralsMade                             // 1 referral
	rated                                     // rated 9 of 10
	ratedWithComplaint                        // rated 9 of 10; a complaint is open
)

// appendLoyalty is Append for these kinds.
func (p *Phrase) appendLoyalty(dst []byte) []byte {
	n := int64(p.orders)
	switch p.kind {
	case fullPriceOrders:
		return append(appendOf(dst, n, int64(p.gap)), " at full price"...)
	case couponOrders:
		return append(appendOf(dst, n, int64(p.gap)), " with a coupon"...)
	case categoriesBought:
		dst = strconv.AppendInt(append(dst, "orders from "...), n, 10)
		if n == 1 {
			return append(dst, " category"...)
		}
		return append(dst, " categories"...)
	case referralsMade:
		if n == 0 {
			return append(dst, "no referral"...)
		}
		return appendPlural(append(strconv.AppendInt(dst, n, 10), " referral"...), n)
	}
	dst = append(strconv.AppendInt(append(dst, "rated "...), n, 10), " of 10"...)
	if p.kind == ratedWithComplaint {
		dst = append(dst, "; a complaint is open"...)
	}
	return dst
}

// appendOf writes "5 of 8 orders", "1 of 1 order".
func appendOf(dst []byte, n, of int64) []byte {
	dst = append(strconv.AppendInt(dst, n, 10), " of "...)
	return appendPlural(append(strconv.AppendInt(dst, of, 10), " order"...), of)
}

func appendPlural(dst []byte, n int64) []byte {
	if n != 1 {
		dst = append(dst, 's')
	}
	return dst
}
