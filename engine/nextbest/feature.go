package nextbest

import (
	"math"

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
	if c.own < 0 {
		return churn.Logistic(m.New.Logit(0, r.newColumns(c, m, r.cols[:])))
	}
	return churn.Logistic(m.Again.Logit(0, r.againColumns(c, r.cols[:])))
}

// voices are the distributions over the candidates that are new to the customer.
type voices [score.NumVoices]float64

// total adds up what each voice says of all candidates, so that of one it is a
// share.
func (r *Recommender) total() {
	r.sums = voices{}
	for i := range r.found.list {
		c := &r.found.list[i]
		if c.own >= 0 || c.inCart {
			continue
		}
		for k, v := range c.sums {
			r.sums[voiceOf[k]] += float64(v)
		}
		c.share = float32(r.look.share(c.ref, r.counts))
		r.sums[score.VoicePopularity] += float64(c.share)
	}
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

// voiceOf is the voice of a kind of evidence.
var voiceOf = [basket.NumKinds]int{
	basket.SameOrder: score.VoiceOrder, basket.SameSession: score.VoiceSession, basket.NextOrder: score.VoiceNext, basket.SameCustomer: score.VoiceCustomer,
}

// mix is the mixture of the voices under shares of them. A voice that says
// nothing of any candidate leaves its share to the others.
func (v *voices) mix(shares *[score.NumVoices]float64, sums *voices) float64 {
	sum, whole := 0., 0.
	for k, w := range shares {
		if sums[k] > 0 {
			sum, whole = sum+w*v[k], whole+w
		}
	}
	if whole == 0 {
		return 0
	}
	return sum / whole
}

// newColumns are those of an item new to the customer.
func (r *Recommender) newColumns(c *candidate, m *score.OfferModel, x []float64) []float64 {
	x = x[:score.NumNew]
	v := r.of(c)
	x[score.NewMix] = math.Ln2 * basket.Log2(v.mix(&m.Mix, &r.sums)+leastMix)
	x[score.NewCategory] = r.step(c.ref)
	x[score.NewLooked] = truth(c.looked)
	x[score.NewOrders] = r.mem.logOrders
	return x
}

// againColumns are those of an item that the customer has had.
func (r *Recommender) againColumns(c *candidate, x []float64) []float64 {
	x = x[:score.NumAgain]
	o := &r.mem.own[c.own]
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
	x[score.AgainLooked] = truth(c.looked)
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
	if gap == 0 {
		if again, of := r.counts.Again(ref); again < .5 && of >= 20 {
			return false
		}
		gap = r.mem.orderGap()
	}
	return float64(r.now-o.last) >= r.cfg.DueShare*gap
}

// step is how the item's category follows that of the latest item: looked at
// since the latest order, or in it.
func (r *Recommender) step(ref basket.Ref) float64 {
	to := r.look.category(ref)
	if to == 0 {
		return 0
	}
	if len(r.mem.views) > 0 {
		return r.look.step(r.look.category(r.mem.views[0]), to)
	}
	sum, n := 0., 0
	for i := range r.mem.own {
		o := &r.mem.own[i]
		if o.age > 0 {
			break
		}
		sum += r.look.step(r.look.category(o.ref), to)
		n++
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
