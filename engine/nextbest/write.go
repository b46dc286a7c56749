package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/score"
)

// write appends one offer to out, reusing the memory that lies behind its end.
func (r *Recommender) write(p *pick, out []score.Offer) []score.Offer {
	out = grow(out)
	o := &out[len(out)-1]
	c := &r.found.list[p.at]
	o.ItemID, o.Score, o.Value, o.Because = p.entry.ID, p.p, p.p*p.entry.Price.Float(), o.Because[:0]
	if c.own > 0 {
		o.Kind = Repeat
		o.Because = r.because(o.Because, p.entry.ID, "", r.habit(c))
		return out
	}
	o.Kind = CrossSell
	for _, w := range r.loudest(c) {
		if w == nil {
			break
		}
		it, t := r.names.Get(r.counts.Item(w.of)), r.counts.Between(w.kind, w.of, c.ref)
		if it != nil && t.Lift() > 1 { // else it is offered for being popular
			o.Because = r.because(o.Because, it.ID, w.kind.String(), t)
		}
	}
	if from := r.upSold(c); from != nil {
		o.Kind = UpSell
	}
	return out
}

// dearer is by how much an item must cost more to be a step up.
const dearer = 1.1

// upSold is the item of the candidate's category that the customer has and that
// its buyers move on from to the dearer candidate; nil: there is none.
func (r *Recommender) upSold(c *candidate) *owned {
	category, price := r.look.category(c.ref), r.look.known(c.ref)
	if category == 0 || price == 0 {
		return nil
	}
	for i := range r.mem.own {
		o := &r.mem.own[i]
		if was := r.look.known(o.ref); was == 0 || price < dearer*was || r.look.category(o.ref) != category {
			continue
		}
		if on, back := r.counts.Direction(o.ref, c.ref); on > back && on >= 1 {
			return o
		}
	}
	return nil
}

// habit is the rule behind a repeat: who bought the item buys it again. Its
// baskets are the customer's own orders; its support and lift those of all.
func (r *Recommender) habit(c *candidate) basket.Table2 {
	o := &r.mem.own[c.own-1]
	own := float64(o.orders) / float64(len(r.mem.sales))
	n := r.counts.Orders()
	b := r.counts.Share(c.ref) * n
	return basket.Table2{Both: b, A: b / max(own, 1e-9), B: b, N: n}
}

// because appends a rule.
func (r *Recommender) because(dst []score.Because, id, kind string, t basket.Table2) []score.Because {
	dst = grow(dst)
	b := &dst[len(dst)-1]
	ids := append(b.ItemIDs[:0], id)
	*b = score.Because{ItemIDs: ids, Kind: kind}
	if t.N > 0 && t.A > 0 && t.B > 0 {
		b.Support, b.Confidence, b.Lift = t.Support(), t.Confidence(), t.Lift()
	}
	return dst
}

// grow makes s longer by one, over the memory behind its end where there is
// some, so that what the last element held can be reused.
func grow[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	return slices.Grow(s, 1)[:len(s)+1]
}
