package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// pick is a candidate that is ranked.
type pick struct {
	at    int          // of the candidate
	p     float64      // probability of being in the next order
	value float64      // what offers are ranked by
	entry *basket.Item // of those that are chosen
}

// rank fills top with the best k. Where too few are left because others may not be
// offered, more candidates are looked at.
func (r *Recommender) rank(l *ledger.Ledger, m *score.OfferModel, k int) {
	r.total(m)
	for most := max(maxRanked, k); ; most *= 8 {
		r.picks, r.top, r.barred = r.picks[:0], r.top[:0], false
		for _, at := range r.found.promising(r.counts, r.look.bestSellers(), most) {
			r.value(at, m)
		}
		r.choose(l, k)
		if len(r.top) >= k || !r.barred || most > full {
			break
		}
	}
	if r.cfg.PerCategory > 0 {
		r.diversify(k)
	}
	r.top = r.top[:min(len(r.top), k)]
}

// value makes a pick of a candidate that is worth something to offer now.
func (r *Recommender) value(at int, m *score.OfferModel) {
	c := &r.found.list[at]
	if c.inCart || c.own > 0 && !r.isDue(&r.mem.own[c.own-1], c.ref) {
		r.barred = r.barred || c.inCart
		return
	}
	v := pick{at: at, p: r.probability(c, m)}
	if v.value = v.p; r.cfg.Rank == ByValue {
		v.value *= r.look.price(c.ref)
	}
	if v.value > 0 {
		r.picks = append(r.picks, v)
	}
}

// spare is how many more than asked for are ranked where some may have to give
// way to other categories.
const spare = 24

// choose moves the best k picks to top. Whether one may be offered takes looking
// it up, so only the best are asked.
func (r *Recommender) choose(l *ledger.Ledger, k int) {
	if r.cfg.PerCategory > 0 {
		k += spare
	}
	for len(r.top) < k && len(r.picks) > 0 {
		at, last := r.best(), len(r.picks)-1
		v := r.picks[at]
		r.picks[at], r.picks = r.picks[last], r.picks[:last]
		c := &r.found.list[v.at]
		item := r.counts.Item(c.ref)
		v.entry = r.names.Get(item)
		if v.entry == nil || !r.allowed(l, v.entry) || c.own == 0 && ordered(l, item) {
			r.barred = true
			continue
		}
		r.top = append(r.top, v)
	}
}

// best is the pick of the greatest value, of equals the first by id.
func (r *Recommender) best() int {
	best := 0
	for i := range r.picks {
		v, most := r.picks[i].value, r.picks[best].value
		if v > most || v == most && i != best && r.id(i) < r.id(best) {
			best = i
		}
	}
	return best
}

// id is that of a pick's item; "": nobody knows.
func (r *Recommender) id(i int) string {
	if it := r.names.Get(r.counts.Item(r.found.list[r.picks[i].at].ref)); it != nil {
		return it.ID
	}
	return ""
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
