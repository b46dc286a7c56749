package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Rivals foretell by simpler means, for comparison: what people would use
// instead, fitted to the same customers.
type Rivals struct {
	learner *Learner
	learned *Learned
	alone   *rhythm.Prior
	post    rhythm.Posterior
	shot    shot
}

// Rival is what they say of one customer.
type Rival struct {
	RankOnly bool // no labels gave Recency and Frequency their probabilities: only their order counts

	Recency, Frequency, MBGNBD float64 // churn probability
	MBGNBDOrders               float64 // purchase days expected within the horizon
	PaceOrders                 float64 // as many as at the pace so far
	MeanSpend                  float64 // of a purchase day so far, in currency units
}

// NewRivals returns those that were fitted along with l.
func NewRivals(cfg *Config, rules *ledger.Rules, l *Learned) *Rivals {
	return &Rivals{learner: NewLearner(cfg, rules, l.At), learned: l, alone: aloneOf(&l.Fitted)}
}

// Of is what they say at an instant of a customer with these facts; false: of
// one without an order, nothing.
func (r *Rivals) Of(l *ledger.Ledger, now int64) (Rival, bool) {
	s, horizon := &r.shot, float64(r.learner.cfg.HorizonDays)
	if !r.learner.look(l, now, s) {
		return Rival{}, false
	}
	r.alone.Posterior(s.history, &r.post)
	v := Rival{
		Recency:      r.learned.Recency.P(math.Log1p(s.silence)),
		Frequency:    r.learned.Frequency.P(math.Log(float64(s.occasion))),
		MBGNBD:       1 - r.post.OrderWithin(s.silence, horizon),
		MBGNBDOrders: r.post.Orders(s.silence, horizon),
		PaceOrders:   float64(s.occasion) / math.Max(s.history.Sum+s.silence, 1) * horizon,
		MeanSpend:    s.spend,
	}
	if r.learned.Recency.Weight == 0 {
		v.RankOnly = true
		v.Recency, v.Frequency = s.silence/(1+s.silence), 1/float64(s.occasion)
	}
	return v, true
}
