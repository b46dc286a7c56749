// Package nextbest ranks what to offer one customer next, each offer with the
// evidence that speaks for it.
//
// Two kinds of offers are made. A cross_sell is an item that the customer has
// never ordered and that goes with items ordered lately, looked at, or lying in
// the cart. A repeat is an item that the customer orders again and again and
// that is due. Both carry a score in [0, 1] on one scale, the share of orders:
// how much likelier than in anybody's order the item is because of what the
// customer bought, or how often it was in the customer's own orders.
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
)

// Bounds of the work for one customer.
const (
	maxSeeds  = 8  // distinct items whose neighbours are asked for; on Ta-Feng's baskets 8 foretell the next order better than 16, and as well as 4
	maxOrders = 32 // latest orders in which repeats are looked for
	maxRules  = 3  // rules an offer rests on
)

// Recommender makes offers from the counts. It keeps memory between calls, so
// it serves one goroutine; several may share the counts and the dictionary
// while nobody writes to them.
type Recommender struct {
	// Exact makes every offer a function of the ledger, the counts and the
	// time alone, by looking at all neighbours of an item instead of those at
	// hand (see basket.Counts.Neighbours). It takes longer: for answers to a
	// question, not for the way of an event.
	Exact bool

	cfg    Config
	counts *basket.Counts
	names  *basket.Dictionary
	rules  *ledger.Rules

	recent    []sale
	cart      []uint64
	seeds     []seed
	near      []basket.Near
	found     candidates
	purchases []purchase
	gaps      []int64
	top       []pick
}

// New returns a Recommender over counts and names, which stay the caller's, for
// ledgers of these rules.
func New(cfg Config, counts *basket.Counts, names *basket.Dictionary, rules *ledger.Rules) *Recommender {
	return &Recommender{cfg: cfg, counts: counts, names: names, rules: rules}
}

// pick is an offer before it is written out.
type pick struct {
	item  uint64
	id    string
	score float64
	cand  int // index of its candidate; −1 for a repeat
	again habit
}

// Offers writes the best k offers for a customer at a time in Unix
// milliseconds into out's memory and returns them, best first, equals by item
// id. Items that the dictionary cannot name are not offered. What out held before is overwritten, the rules of its offers
// included; with an out that was used before, Offers does not allocate.
func (r *Recommender) Offers(l *ledger.Ledger, now int64, k int, out []score.Offer) []score.Offer {
	r.top = r.top[:0]
	if k > 0 {
		r.remember(l)
		r.crossSell(l, k)
		r.repeat(now, k)
	}
	out = out[:0]
	for i := range r.top {
		out = r.write(&r.top[i], out)
	}
	return out
}

// sale is one order whose items count as bought.
type sale struct {
	placed int64
	items  []uint64
}

// remember finds what lies in the customer's cart, and the latest maxOrders
// baskets, the latest first.
func (r *Recommender) remember(l *ledger.Ledger) {
	r.cart = r.cart[:0]
	for i := range l.Cart {
		if c := &l.Cart[i]; !c.Removed && c.Time > l.CartCleared {
			r.cart = append(r.cart, c.Item)
		}
	}
	r.recent = r.recent[:0]
	n := 0
	for s := l.Sales(r.rules); s.Next(); {
		if !s.InBasket || len(s.Items) == 0 {
			continue
		}
		if len(r.recent) < maxOrders {
			r.recent = append(r.recent, sale{})
		}
		r.recent[n%maxOrders] = sale{s.Placed, s.Items}
		n++
	}
	if n > maxOrders { // the ring's end to where its end is
		n %= maxOrders
		slices.Reverse(r.recent[:n])
		slices.Reverse(r.recent[n:])
		return
	}
	slices.Reverse(r.recent)
}

// offer takes p among the best k, if it is one of them and has a name.
func (r *Recommender) offer(p pick, k int) {
	full := len(r.top) == k
	if p.score <= 0 || full && p.score < r.top[k-1].score {
		return
	}
	it, ok := r.names.Lookup(p.item)
	if !ok {
		return
	}
	p.id = it.ID
	at, _ := slices.BinarySearchFunc(r.top, p, better)
	if at == k {
		return
	}
	if full {
		r.top = r.top[:k-1]
	}
	r.top = slices.Insert(r.top, at, p)
}

// better orders offers: by score, equals by id.
func better(a, b pick) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return strings.Compare(a.id, b.id)
}

// write appends one offer to out, reusing the memory that lies behind its end.
func (r *Recommender) write(p *pick, out []score.Offer) []score.Offer {
	out = grow(out)
	o := &out[len(out)-1]
	o.ItemID, o.Score, o.Because = p.id, p.score, o.Because[:0]
	if p.cand < 0 {
		o.Kind = Repeat
		o.Because = r.because(o.Because, p.id, r.again(p))
		return out
	}
	o.Kind = CrossSell
	c := &r.found.list[p.cand]
	for _, rl := range c.rules[:c.n] {
		if it, ok := r.names.Lookup(r.seeds[rl.seed].item); ok {
			o.Because = r.because(o.Because, it.ID, r.counts.Rule(r.seeds[rl.seed].ref, c.ref, rl.count))
		}
	}
	return out
}

func (r *Recommender) because(dst []score.Because, id string, nb basket.Neighbour) []score.Because {
	dst = grow(dst)
	b := &dst[len(dst)-1]
	*b = score.Because{
		ItemIDs: append(b.ItemIDs[:0], id),
		Support: nb.Support, Confidence: nb.Confidence, Lift: nb.Lift,
	}
	return dst
}

// grow makes s longer by one, over the memory behind its end where there is
// some, so that what the last element held can be reused.
func grow[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var zero T
	return append(s, zero)
}

// Affinities returns the k items that most raise each other's chances with an
// item, strongest first, equals by id: an exact answer, that takes time with
// the number of the item's pairs. It is nil for an item never seen, and empty
// for one without neighbours. Many may ask at a time.
func (r *Recommender) Affinities(item string, k int) []score.Affinity {
	h, ok := r.hash(item)
	if !ok {
		return nil
	}
	found := r.counts.Exact(h, k, nil)
	out := make([]score.Affinity, 0, len(found))
	for _, nb := range found {
		if it, ok := r.names.Lookup(nb.Item); ok {
			out = append(out, score.Affinity{
				ItemID: it.ID, Count: nb.Count, Support: nb.Support, Confidence: nb.Confidence, Lift: nb.Lift,
			})
		}
	}
	return out
}
