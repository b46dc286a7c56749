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
	"slices"
	"strings"

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
	found  candidates
	cols   [score.NumAgain]float64
	sums   voices // of all candidates new to the customer
	top    []pick
	barred bool // something was not offered that would have been
}

// New returns a Recommender over counts and names, which stay the caller's, for
// ledgers of these rules. trends gives the present ones; it is asked once a list.
func New(cfg Config, counts *basket.Counts, names *basket.Dictionary, trends func() *Trends, rules *ledger.Rules) *Recommender {
	return &Recommender{cfg: cfg, counts: counts, names: names, trends: trends, rules: rules}
}

// pick is a candidate that is ranked.
type pick struct {
	at    int     // of the candidate
	p     float64 // probability of being in the next order
	value float64 // what offers are ranked by
	id    string
	entry *basket.Item
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
	r.found.reset()
	if !r.mem.says() {
		return
	}
	r.own()
	r.neighbours()
	r.popular()
}

// popular makes candidates of the best sellers.
func (r *Recommender) popular() {
	for i, ref := range r.look.Popular {
		c := r.found.at(ref)
		c.popular, c.bestSeller = 1e-4*float32(mostPopular-i), i < bestSellers
	}
}

// rank fills top with the best k. Where too few are left because others may not be
// offered, more candidates are looked at.
func (r *Recommender) rank(l *ledger.Ledger, m *score.OfferModel, k int) {
	r.total()
	for most := max(maxRanked, k); ; most *= 8 {
		r.top, r.barred = r.top[:0], false
		for _, at := range r.found.promising(r.counts, most) {
			r.rankOne(l, m, at, k)
		}
		if len(r.top) >= k || !r.barred || most > full {
			break
		}
	}
	if r.cfg.PerCategory > 0 {
		r.diversify(k)
	}
	r.top = r.top[:min(len(r.top), k)]
}

func (r *Recommender) rankOne(l *ledger.Ledger, m *score.OfferModel, at, k int) {
	c := &r.found.list[at]
	if c.inCart || c.own >= 0 && !r.isDue(&r.mem.own[c.own], c.ref) {
		r.barred = r.barred || c.inCart
		return
	}
	v := pick{at: at, p: r.probability(c, m)}
	if v.value = v.p; r.cfg.Rank == ByValue {
		v.value *= r.look.price(c.ref)
	}
	r.consider(l, v, k)
}

// spare is how many more than asked for are ranked where some may have to give
// way to other categories.
const spare = 24

// consider takes v among the best, if it is one of them and may be offered.
func (r *Recommender) consider(l *ledger.Ledger, v pick, k int) {
	if r.cfg.PerCategory > 0 {
		k += spare
	}
	full := len(r.top) == k
	if v.value <= 0 || full && v.value < r.top[k-1].value {
		return
	}
	c := &r.found.list[v.at]
	item := r.counts.Item(c.ref)
	v.entry = r.names.Get(item)
	if v.entry == nil || !r.allowed(l, v.entry) || c.own < 0 && ordered(l, item) {
		r.barred = true
		return
	}
	v.id = v.entry.ID
	at, _ := slices.BinarySearchFunc(r.top, v, better)
	if at == k {
		return
	}
	if full {
		r.top = r.top[:k-1]
	}
	r.top = slices.Insert(r.top, at, v)
}

// better orders offers: by value, equals by id.
func better(a, b pick) int {
	switch {
	case a.value > b.value:
		return -1
	case a.value < b.value:
		return 1
	}
	return strings.Compare(a.id, b.id)
}

// allowed says whether the item may be offered to the customer.
func (r *Recommender) allowed(l *ledger.Ledger, it *basket.Item) bool {
	if it.Hidden || it.Unavailable {
		return false
	}
	if it.Consent == "" {
		return true
	}
	// A word on all channels is about messages; an item's consent is asked for by
	// its own name.
	for i := range l.Consents {
		if l.Consents[i].Channel == it.Consent {
			return l.Consents[i].Granted
		}
	}
	return false
}

// ordered says whether the item was ever ordered, kept or not.
func ordered(l *ledger.Ledger, item uint64) bool {
	for _, orders := range [2][]ledger.Order{l.Orders, l.Pending} {
		for i := range orders {
			if slices.Contains(orders[i].Items, item) {
				return true
			}
		}
	}
	return false
}

// diversify lets no category have more than its share of the first k.
func (r *Recommender) diversify(k int) {
	kept := r.top[:0]
	for i := range r.top {
		same := 0
		for j := range kept {
			if kept[j].entry.Category == r.top[i].entry.Category && kept[j].entry.Category != "" {
				same++
			}
		}
		if same < r.cfg.PerCategory && len(kept) < k {
			kept = append(kept, r.top[i])
		}
	}
	r.top = kept
}
