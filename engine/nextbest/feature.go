package nextbest

import (
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/score"
)

// Least values, so that a logarithm of nothing is a number.
const (
	leastMix   = 1e-5
	leastShare = 1e-6
)

// probability that the candidate is in the customer's next order.
func (r *Recommender) probability(c *candidate, m *score.OfferModel) float64 {
	if c.own == 0 {
		return churn.Logistic(m.New.Logit(0, r.newColumns(c, r.cols[:])))
	}
	return churn.Logistic(m.Again.Logit(0, r.againColumns(c, r.cols[:])))
}

// voices are the distributions over the candidates that are new to the customer.
type voices [score.NumVoices]float64

// total adds up what each voice says of all candidates, so that of one it is a
// share, and what speaks for each.
func (r *Recommender) total(m *score.OfferModel) {
	var customer, order, next, session, popularity float64
	for at := 1; at <= r.found.n; at++ {
		c := &r.found.list[at]
		if c.own > 0 {
			continue
		}
		c.promise += c.sums[basket.SameCustomer] + c.sums[basket.SameOrder] + c.sums[basket.NextOrder] + c.sums[basket.SameSession]
		if c.inCart {
			continue
		}
		c.share = float32(r.look.share(c.ref, r.counts))
		customer += float64(c.sums[basket.SameCustomer])
		order += float64(c.sums[basket.SameOrder])
		next += float64(c.sums[basket.NextOrder])
		session += float64(c.sums[basket.SameSession])
		popularity += float64(c.share)
	}
	r.sums = voices{
		score.VoiceCustomer: customer, score.VoiceOrder: order, score.VoiceNext: next, score.VoiceSession: session,
		score.VoicePopularity: popularity,
	}
	r.units = voices{}
	for k, w := range r.sums.heard(&m.Mix) {
		if w > 0 {
			r.units[k] = w / r.sums[k]
		}
	}
}

// heard are the shares in a mixture of the voices whose sums these are: one that
// says nothing of any candidate leaves its share to the others.
func (v *voices) heard(shares *[score.NumVoices]float64) (h voices) {
	whole := 0.
	for k, w := range shares {
		if v[k] > 0 {
			whole += w
		}
	}
	for k, w := range shares {
		if v[k] > 0 && w > 0 {
			h[k] = w / whole
		}
	}
	return h
}

// of is what each voice gives the candidate of its whole.
func (r *Recommender) of(c *candidate) (v voices) {
	for k, s := range c.sums {
		if s > 0 {
			v[voiceOf[k]] = float64(s) / r.sums[voiceOf[k]]
		}
	}
	v[score.VoicePopularity] = float64(c.share) / max(r.sums[score.VoicePopularity], leastShare)
	return v
}

// mix is the mixture of what the voices give the candidate.
func (r *Recommender) mix(c *candidate) float64 {
	sum := float64(c.share) * r.units[score.VoicePopularity]
	for k, s := range c.sums {
		sum += float64(s) * r.units[voiceOf[k]]
	}
	return sum
}

// voiceOf is the voice of a kind of evidence.
var voiceOf = [basket.NumKinds]int{
	basket.SameOrder: score.VoiceOrder, basket.SameSession: score.VoiceSession, basket.NextOrder: score.VoiceNext, basket.SameCustomer: score.VoiceCustomer,
}

// mix is the mixture of the voices under shares of them, where these are the sums
// of all candidates.
func (v *voices) mix(shares *[score.NumVoices]float64, sums *voices) (sum float64) {
	for k, w := range sums.heard(shares) {
		sum += w * v[k]
	}
	return sum
}

// newColumns are those of an item new to the customer.
func (r *Recommender) newColumns(c *candidate, x []float64) []float64 {
	x = x[:score.NumNew]
	x[score.NewMix] = math.Ln2 * basket.Log2(r.mix(c)+leastMix)
	x[score.NewCategory] = r.step(c.ref)
	x[score.NewLooked] = r.looked(c.ref)
	x[score.NewOrders] = r.mem.logOrders
	return x
}

// againColumns are those of an item that the customer has had.
func (r *Recommender) againColumns(c *candidate, x []float64) []float64 {
	x = x[:score.NumAgain]
	o := &r.mem.own[c.own-1]
	n := float64(len(r.mem.sales))
	x[score.AgainShare] = math.Log((float64(o.orders) + .1) / (n + 1))
	x[score.AgainAge] = math.Log1p(float64(o.age))
	x[score.AgainDue] = math.NaN()
	if gap := o.usualGap(); gap > 0 {
		x[score.AgainDue] = min(float64(r.now-o.last)/gap, 3)
	}
	x[score.AgainItem] = churn.LogOdds(r.repurchased(c.ref))
	x[score.AgainPopularity] = r.look.logShare(c.ref, r.counts)
	x[score.AgainCategory] = r.step(c.ref)
	x[score.AgainLooked] = r.looked(c.ref)
	x[score.AgainOrders] = r.mem.logOrders
	return x
}

// repurchased is the share of orders with the item that were followed by another
// with it, drawn towards a twentieth.
func (r *Recommender) repurchased(ref basket.Ref) float64 {
	again, of := r.counts.Again(ref)
	return (again + 1) / (of + 20)
}

// isDue says whether an item may be offered again: by the customer's own rhythm
// for it. Where it has none yet, as for what was bought once, the rhythm of the
// customer's orders stands for it, and others must buy it again.
func (r *Recommender) isDue(o *owned, ref basket.Ref) bool {
	if r.cfg.DueShare == 0 {
		return true
	}
	gap := o.usualGap()
	own := gap > 0
	if !own {
		gap = r.mem.orderGap()
	}
	if float64(r.now-o.last) < r.cfg.DueShare*gap {
		return false
	}
	if own {
		return true
	}
	again, of := r.counts.Again(ref)
	return again >= .5 || of < 20
}

// follow finds the categories that the next item's follows: that of the latest
// item looked at since the latest order or, where none was, of each item in it.
func (r *Recommender) follow() {
	r.after = r.after[:0]
	if len(r.mem.views) > 0 {
		r.after = append(r.after, r.look.category(r.mem.views[0]))
		return
	}
	for i := range r.mem.own {
		o := &r.mem.own[i]
		if o.age > 0 {
			return
		}
		r.after = append(r.after, r.look.category(o.ref))
	}
}

// step is how the item's category follows those.
func (r *Recommender) step(ref basket.Ref) float64 {
	to := r.look.category(ref)
	if to == 0 || len(r.after) == 0 {
		return 0
	}
	sum := 0.
	for _, from := range r.after {
		sum += r.look.step(from, to)
	}
	return sum / float64(len(r.after))
}

// looked is 1 for what was looked at since the latest order.
func (r *Recommender) looked(ref basket.Ref) float64 {
	if slices.Contains(r.mem.views, ref) {
		return 1
	}
	return 0
}
