package nextbest

import (
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// Offer is what one item would be offered to a customer for, whatever else there
// is to offer; false: it may not be offered, or the customer has it and it is not
// due.
func (r *Recommender) Offer(l *ledger.Ledger, m *score.OfferModel, now int64, id string) (score.Offer, bool) {
	item := event.Hash(id)
	ref, entry := r.counts.Ref(item), r.names.Get(item)
	if ref == 0 || entry == nil || r.refused(l) || !r.allowed(l, entry) {
		return score.Offer{}, false
	}
	if r.gather(l, now, true); !r.mem.says() {
		return score.Offer{}, false
	}
	at := r.found.at(ref)
	c := &r.found.list[at]
	if c.inCart || c.own == 0 && ordered(l, item) || c.own > 0 && !r.isDue(&r.mem.own[c.own-1], ref) {
		return score.Offer{}, false
	}
	r.hearFor(c)
	r.total(m)
	p := pick{at: at, p: r.probability(c, m), entry: entry}
	return r.write(&p, nil)[0], true
}

// hearFor lets all that the customer has speak for one item, whether that is at
// hand or not.
func (r *Recommender) hearFor(c *candidate) {
	c.sums, c.latest = [basket.NumKinds]float32{}, 0
	r.listen()
	for i := range r.words {
		w := &r.words[i]
		if s := r.counts.Nearness(w.kind, w.of, c.ref); s > 0 && w.of != c.ref {
			r.hear(i, c, float32(s))
		}
	}
}
