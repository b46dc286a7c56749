// Package nextbest ranks what to offer one customer next, each offer with the
// evidence that speaks for it.
//
// A cross_sell is an item that the customer has never ordered, an up_sell one
// that is dearer than an item of its category that the customer has, and that
// those who had it move on to. A repeat is an item that the customer has had and
// that is due. For each candidate it is foretold how likely it is in the
// customer's next order (score.OfferModel), from what goes with what the customer
// has (basket.Counts, by four kinds of evidence), how popular it is, and what the
// customer is used to. Offers are ranked by that, times the price.
//
// What an offer costs does not grow with the catalogue: neighbours of at most
// maxSeeds items are looked at, basket.MaxNear of each and kind.
package nextbest

import (
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// Kinds of offers, as they stand in a document.
const (
	CrossSell = "cross_sell"
	Repeat    = "repeat"
	UpSell    = "up_sell"
)

// Bounds of the work for one customer.
const (
	maxOrders   = 32 // latest orders that are looked at
	maxOwn      = 64 // distinct items remembered of them
	maxSeeds    = 10 // of what the customer has, the items whose neighbours are asked for
	maxLatest   = 8  // of the latest order and the cart
	maxViews    = 4  // of what was looked at
	bestSellers = 6  // that are always looked at
	maxRanked   = 16 // new items whose probability is computed

	mostWords = maxSeeds + 2*maxLatest + 2*maxLatest + maxViews // see each
)

// Recommender makes offers from the counts. It keeps memory between calls, so
// it serves one goroutine; several may share the counts, the dictionary and the
// trends while nobody writes to them.
type Recommender struct {
	cfg    Config
	counts *basket.Counts
	names  *basket.Dictionary
	trends func() *Trends
	rules  *ledger.Rules

	now    int64
	look   *Trends
	mem    memory
	words  []word
	voices []voice
	found  candidates
	cols   [score.NumAgain]float64
	after  []uint32 // categories of what was looked at last or, where nothing was, of the latest order
	sums   voices   // of all candidates new to the customer
	units  voices   // what a unit of each is in the mixture
	picks  []pick
	top    []pick
	barred bool // something was not offered that would have been
	study  study
}

// New returns a Recommender over counts and names, which stay the caller's, for
// ledgers of these rules. trends gives the present ones; it is asked once a list.
func New(cfg Config, counts *basket.Counts, names *basket.Dictionary, trends func() *Trends, rules *ledger.Rules) *Recommender {
	return &Recommender{cfg: cfg, counts: counts, names: names, trends: trends, rules: rules, words: make([]word, 0, mostWords)}
}

// Offers writes the best k offers for a customer at a time in Unix
// milliseconds into out's memory and returns them, best first, equals by item
// id. Items that the dictionary cannot name, that are hidden, out of stock, or
// need a consent that the customer has not given are not offered, nor is what
// lies in the cart. What out held before is overwritten, the rules of its offers
// included; with an out that was used before, Offers does not allocate. A customer
// who has bought nothing, has nothing in the cart and has looked at nothing is
// offered nothing.
func (r *Recommender) Offers(l *ledger.Ledger, m *score.OfferModel, now int64, k int, out []score.Offer) []score.Offer {
	out = out[:0]
	if k <= 0 || r.refused(l) {
		return out
	}
	if r.gather(l, now, true); !r.mem.says() {
		return out
	}
	r.rank(l, m, k)
	for i := range r.top {
		out = r.write(&r.top[i], out)
	}
	return out
}

// refused says whether the customer does not want to be offered anything.
func (r *Recommender) refused(l *ledger.Ledger) bool {
	if r.cfg.Consent == "" {
		return false
	}
	granted, known := l.Consented(r.cfg.Consent)
	return known && !granted
}

// gather finds the candidates and what speaks for each.
func (r *Recommender) gather(l *ledger.Ledger, now int64, cart bool) {
	r.now, r.look = now, r.trends()
	r.mem.read(l, r.rules, r.counts)
	if !cart {
		r.mem.cart = r.mem.cart[:0]
	}
	r.follow()
	r.found.reset()
	if !r.mem.says() {
		return
	}
	r.own()
	r.neighbours()
	r.popular()
}
