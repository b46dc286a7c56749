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
	c := r.found.at(ref)
	c.sums, c.best, c.second = [basket.NumKinds]float32{}, voice{}, voice{}
	if c.inCart || c.own < 0 && ordered(l, item) || c.own >= 0 && !r.isDue(&r.mem.own[c.own], ref) {
		return score.Offer{}, false
	}
	r.each(func(k basket.Kind, of basket.Ref, w float32) {
		if s := r.counts.Nearness(k, of, ref); s > 0 && of != ref {
			c.hear(voice{of: of, kind: k, value: w * float32(s)})
		}
	})
	r.total()
	p := pick{p: r.probability(c, m), id: id, entry: entry}
	for i := range r.found.list {
		if &r.found.list[i] == c {
			p.at = i
		}
	}
	return r.write(&p, nil)[0], true
}
