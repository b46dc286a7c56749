package nextbest

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

const day = 24 * 60 * 60 * 1000 // ms

// purchase is one item in one order.
type purchase struct {
	item uint64
	at   int64
}

// habit is what a repeat rests on.
type habit struct {
	times  int // purchases, a day or more apart
	orders int // orders that were looked at
}

// marks are a set of items, in which some are that do not belong: those that
// share a bit with one that does.
type marks [32]uint64

// mark takes an item in, and says whether it seemed to be there before.
func (m *marks) mark(item uint64) bool {
	word, bit := &m[item%32], uint64(1)<<(item>>5%64)
	was := *word&bit != 0
	*word |= bit
	return was
}

func (m *marks) has(item uint64) bool { return m[item%32]>>(item>>5%64)&1 != 0 }

// collect gathers the purchases of the items that were bought more than once,
// and of some others: most customers have none, and are done.
func (r *Recommender) collect() {
	r.purchases = r.purchases[:0]
	var once, twice marks
	any := false
	for i := range r.recent {
		for _, it := range r.recent[i].items {
			if once.mark(it) {
				twice.mark(it)
				any = true
			}
		}
	}
	if !any {
		return
	}
	for i := range r.recent {
		s := &r.recent[i]
		for _, it := range s.items {
			if twice.has(it) {
				r.purchases = append(r.purchases, purchase{item: it, at: s.placed})
			}
		}
	}
}

// repeat offers what the customer orders again and again and what is due. An
// item bought at least twice, a day or more apart, among the customer's latest
// orders has a usual gap: the median of its gaps (the lower one of two). It is
// due once Config.DueShare of that gap has passed since it was last bought. The
// score is the share of those orders that held it, one order more than there
// were (so that two out of two are no certainty), times the passed part of the
// gap: rising to 1 when the gap is over, falling again as 2·gap/passed beyond
// twice the gap, when the habit has probably ended. What already lies in the
// cart is not offered.
func (r *Recommender) repeat(now int64, k int) {
	orders := len(r.recent)
	if orders < 2 {
		return
	}
	r.collect()
	slices.SortFunc(r.purchases, func(a, b purchase) int {
		if a.item != b.item {
			return cmp.Compare(a.item, b.item)
		}
		return cmp.Compare(a.at, b.at)
	})
	for rest := r.purchases; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].item == rest[0].item {
			n++
		}
		if n > 1 && !slices.Contains(r.cart, rest[0].item) {
			r.offerAgain(rest[:n], orders, now, k)
		}
		rest = rest[n:]
	}
}

// offerAgain looks at one item's purchases, in the order of time.
func (r *Recommender) offerAgain(ps []purchase, orders int, now int64, k int) {
	r.gaps = r.gaps[:0]
	last := ps[0].at
	for _, p := range ps[1:] {
		if p.at-last >= day {
			r.gaps = append(r.gaps, p.at-last)
			last = p.at
		}
	}
	if len(r.gaps) == 0 {
		return
	}
	times := len(r.gaps) + 1
	slices.Sort(r.gaps)
	gap := r.gaps[(len(r.gaps)-1)/2]
	passed := float64(now-last) / float64(gap)
	if passed < r.cfg.DueShare {
		return
	}
	share := float64(times) / float64(orders+1)
	r.offer(pick{
		item: ps[0].item, score: share * min(passed, 1, 2/passed), cand: -1,
		again: habit{times: times, orders: orders},
	}, k)
}

// again is the rule behind a repeat: who bought the item buys it again. Support
// is the share of all orders that hold the item, confidence the share of the
// customer's own, lift how many times that is the former (0 while the item is
// in no counts).
func (r *Recommender) again(p *pick) basket.Neighbour {
	nb := basket.Neighbour{Confidence: float64(p.again.times) / float64(p.again.orders)}
	if n := r.counts.Count(p.item); n > 0 && r.counts.Orders() > 0 {
		nb.Support = float64(n) / float64(r.counts.Orders())
		nb.Lift = nb.Confidence / nb.Support
	}
	return nb
}
