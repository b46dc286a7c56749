package score

import (
	"cmp"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Learner fits everything that can be learned to a sample of customers as of an
// instant. It needs their present facts only: what a customer was like at an
// earlier instant, and whether an order followed, is read off the list of
// facts. So the outcome is a function of the facts of the sample, and any order
// of arrival that leaves the same facts leaves the same models.
//
// One goroutine.
type Learner struct {
	cfg     *Config
	rules   *ledger.Rules
	at      int64
	shots   []int64 // the snapshots' instants, latest first
	members []member

	then, before ledger.Ledger
	f            facts
}

// member is a customer of the sample.
type member struct {
	hash   uint64
	now    shot
	labels []label
}

// NewLearner returns a Learner of a valid Config as of an instant (Unix ms).
func NewLearner(cfg *Config, rules *ledger.Rules, at int64) *Learner {
	return &Learner{cfg: cfg, rules: rules, at: at, shots: snapshotsBefore(at, cfg.HorizonDays, rules.Calendar)}
}

// Add takes a customer of the sample by the hash of the id; the ledger is not
// kept. Labels are taken of the first mostLabelled customers: whoever adds more
// adds them in the order of their hashes.
func (n *Learner) Add(hash uint64, l *ledger.Ledger) {
	l.Before(n.at, n.rules, &n.then)
	m := member{hash: hash}
	if !n.look(&n.then, n.at, &m.now) {
		return
	}
	if len(n.members) < mostLabelled {
		m.labels = n.observe()
	}
	n.members = append(n.members, m)
}

// Learn fits everything, beginning at what was learned before. Where the fit of
// the rhythm or the spend is refused, what prev has stands; where that of the
// churn model is, the rhythm answers alone. Refused says why. prev is not changed.
func (n *Learner) Learn(prev *Learned) *Learned {
	slices.SortFunc(n.members, func(a, b member) int { return cmp.Compare(a.hash, b.hash) })
	l := &Learned{
		Version: prev.Version + 1, At: n.at, HorizonDays: n.cfg.HorizonDays, Customers: len(n.members),
		Fitted: prev.Fitted,
	}
	n.fitRhythm(prev, l)
	n.fitSpend(prev, l)
	q := answererOf(&l.Fitted, n.cfg)
	n.fitChurn(q, l)
	n.average(q, l)
	n.judgePast(prev, l)
	return l
}

func (n *Learner) fitRhythm(prev, l *Learned) {
	obs := make([]rhythm.Observation, len(n.members))
	for i := range n.members {
		s := &n.members[i].now
		obs[i] = rhythm.Observation{History: s.history, Silence: s.silence}
	}
	fit, err := rhythm.FitPrior(obs, prev.Rhythm, rhythm.FitOptions{})
	if err != nil {
		l.refuse("rhythm", err)
		l.LogLikelihood = prev.LogLikelihood
	} else {
		l.Rhythm, l.LogLikelihood = fit.Params, fit.LogLikelihood
	}
	// A baseline is shown as it is, also where it is no knowledge.
	if fit, _ := rhythm.FitPrior(obs, prev.Alone, rhythm.FitOptions{K: 1}); valid(fit.Params) {
		l.Alone = fit.Params
	}
}

func valid(p rhythm.Params) bool {
	_, err := rhythm.NewPrior(p)
	return err == nil
}

func (l *Learned) refuse(what string, err error) {
	l.Refused = append(l.Refused, what+": "+err.Error())
}

func (n *Learner) fitSpend(prev, l *Learned) {
	var obs []clv.Observation
	for i := range n.members {
		if s := &n.members[i].now; s.spend > 0 {
			obs = append(obs, clv.Observation{Orders: s.occasion, Mean: s.spend})
		}
	}
	fit, err := clv.FitSpend(obs, prev.Spend)
	if err != nil {
		l.refuse("spend", err)
		if (l.Spend == clv.Params{}) && fit.Mean > 0 {
			l.MeanSpend = fit.Mean
		}
		return
	}
	l.Spend, l.MeanSpend = fit.Params, fit.Params.Mean()
}

// fitChurn learns the correction from the labels, and the baselines beside it.
func (n *Learner) fitChurn(q *answerer, l *Learned) {
	n.fitBaselines(l)
	l.Churn, l.Labels = nil, 0
	out, err := n.gate(q)
	if err != nil {
		l.refuse("churn", err)
		return
	}
	rows := without(n.rows(q, 0, len(n.shots), n.at), out)
	model, err := churn.Fit(rows, nil, churn.Options{MinLabels: n.cfg.Learn.MinLabels})
	if err != nil {
		l.refuse("churn", err)
		return
	}
	whole, first := rows[:0:0], n.firstResolved(n.at)
	for i := range rows {
		if int(rows[i].Snapshot) >= first {
			whole = append(whole, rows[i])
		}
	}
	model = model.Calibrate(whole, churn.Options{MinLabels: n.cfg.Learn.MinLabels})
	n.steady(model, rows, q)
	l.Churn, l.Labels = model, model.Rows
}

// fitBaselines fits what a single feature tells, to the resolved labels; without
// them they stay without a word.
func (n *Learner) fitBaselines(l *Learned) {
	var silence, orders []float64
	var churned []bool
	first := n.firstResolved(n.at)
	for i := range n.members {
		for j := range n.members[i].labels {
			b := &n.members[i].labels[j]
			if b.snapshot < first {
				continue
			}
			silence, orders = append(silence, math.Log1p(b.silence)), append(orders, math.Log(float64(b.occasion)))
			churned = append(churned, b.next-n.shots[b.snapshot] > n.spanMS())
		}
	}
	l.Recency, _ = churn.FitBaseline(silence, churned)
	l.Frequency, _ = churn.FitBaseline(orders, churned)
}

// average is where the population stands under l.
func (n *Learner) average(q *answerer, l *Learned) {
	l.Means.Features = make([]float64, numFeatures)
	if len(n.members) == 0 {
		return
	}
	share := 1 / float64(len(n.members))
	for i := range n.members {
		s := &n.members[i].now
		x, offset := q.row(s, q.horizon)
		begun := churn.LogOdds(1 - q.post.OrderWithin(0, q.horizon))
		l.Average += share * l.Churn.Probability(offset, x)
		l.Means.Silence += share * (offset - begun)
		for c := range x {
			if l.Churn != nil {
				x[c] = clamp(x[c], l.Churn.Lo[c], l.Churn.Hi[c])
			}
			l.Means.Features[c] += share * x[c]
		}
	}
}

// answerer computes a model's rows.
type answerer struct {
	fitted  *Fitted
	prior   *rhythm.Prior
	post    rhythm.Posterior
	horizon float64
}

func answererOf(f *Fitted, cfg *Config) *answerer {
	prior, err := rhythm.NewPrior(f.Rhythm)
	if err != nil {
		panic("score: a fitted prior is none: " + err.Error()) // the fit has checked it
	}
	return &answerer{fitted: f, prior: prior, horizon: float64(cfg.HorizonDays)}
}

// row is what the churn model looks at: the columns, and the rhythm's word on the
// next span days, in log-odds.
func (q *answerer) row(s *shot, span float64) ([]float64, float64) {
	q.prior.Posterior(s.history, &q.post)
	var x, slope [numFeatures]float64
	x = s.behaved
	s.moments.constant(q.fitted, &x)
	now := q.post.At(s.silence)
	s.moments.moving(&now, decayOf(q.horizon), &x, &slope)
	return slices.Clone(x[:]), againstOrder(q.post.OrderBetween(now.Survival, q.post.Survival(now.Gap+span)))
}

// HashOf is the hash by which a customer is chosen for the sample.
func HashOf(id string) uint64 { return event.Hash(id) * 0x9e3779b97f4a7c15 }
