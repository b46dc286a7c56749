package score

import (
	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rfm"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Scorer computes documents. It keeps memory between calls: one goroutine at
// a time.
type Scorer struct {
	// Catalogue knows the items' categories, for the breadth of what a customer
	// buys; nil: nobody does.
	Catalogue Catalogue

	cfg      Config
	rules    ledger.Rules
	rec      Recommender
	table    rfm.Table
	fixed    *Cuts   // configured cut points; nil: live
	discount float64 // of the money to come

	// Of the customer computed last.
	f       facts
	now     int64
	today   int32
	models  *Models
	post    rhythm.Posterior
	q       *rhythm.Posterior    // &post, or the prior's own
	overdue int64                // silence in ms at which the customer is overdue; 0: never
	gap     float64              // open gap in days
	curve   curve                // of the churn probability; only of a buyer
	here    point                // on it, at that gap
	columns [numFeatures]float64 // there; only where a model was learned
	week    int32                // calendar week of now
	place   journey.Place

	ids        []string // of the offers, for a delta
	keepOffers bool     // those of the document have not been looked at
}

// NewScorer returns a Scorer for a valid Config, and the rules that the facts
// were applied by. rec makes the offers; nil:
// there are none.
func NewScorer(cfg Config, rules ledger.Rules, rec Recommender) *Scorer {
	s := &Scorer{cfg: cfg, rules: rules, rec: rec}
	table, err := cfg.RFM.Table()
	if err != nil {
		panic("score: NewScorer with a Config that Validate refuses: " + err.Error())
	}
	s.table, s.discount = table, clv.Discount(float64(cfg.Value.HorizonDays), cfg.Value.DiscountRate)
	if cuts, ok := cfg.RFM.FixedCuts(); ok {
		s.fixed = &cuts
	}
	return s
}

// Update brings everything about a customer up to now: it computes doc from
// the facts, compares it with prev, and fills next with what is to be kept,
// the next crossing included. The deltas are appended to dst; where there are
// none, nothing is to be emitted, but next is to be kept all the same. doc and
// next are overwritten; next may be prev.
func (s *Scorer) Update(id string, l *ledger.Ledger, m *Models, now int64, prev, next *Emission, doc *Scores, dst []Delta) []Delta {
	s.judge(id, l, m, now, doc)
	s.offer(l, doc)
	return s.tell(l, prev, next, doc, dst)
}

// Refresh is Update for when nothing has happened by which the offers would be
// others: they are looked at only where something else is said, and then as well.
func (s *Scorer) Refresh(id string, l *ledger.Ledger, m *Models, now int64, prev, next *Emission, doc *Scores, dst []Delta) []Delta {
	s.judge(id, l, m, now, doc)
	s.keepOffers = true
	em, deltas := s.Diff(prev, doc, dst)
	s.keepOffers = false
	if len(deltas) == len(dst) {
		em.Next, em.Timer = s.NextCrossing(&em)
		*next = em
		return dst
	}
	s.offer(l, doc)
	return s.tell(l, prev, next, doc, dst)
}

// tell compares doc, which has its offers, and completes it where it is told.
func (s *Scorer) tell(l *ledger.Ledger, prev, next *Emission, doc *Scores, dst []Delta) []Delta {
	n := len(dst)
	em, dst := s.Diff(prev, doc, dst)
	em.Next, em.Timer = s.NextCrossing(&em)
	*next = em
	if len(dst) > n {
		s.complete(l, doc)
		doc.NextChange = NextChange{em.Next, em.Timer}
	}
	return dst
}

// Compute fills out with everything that is true of the customer at now
// according to the facts. out is overwritten, its memory used again; it keeps
// strings of l and references none of the Scorer's memory. Band is by the
// plain limits, Version 0 and PreviousSegment empty; Diff or Settle give them
// their past.
func (s *Scorer) Compute(id string, l *ledger.Ledger, m *Models, now int64, out *Scores) {
	s.judge(id, l, m, now, out)
	s.offer(l, out)
	s.complete(l, out)
}

// Foresee fills doc's NextChange for an instant: what comes next after what
// Compute said, had it been emitted. Of a running engine's document the
// Emission knows.
func (s *Scorer) Foresee(doc *Scores) {
	em := s.emission(&Emission{}, doc)
	doc.NextChange.At, doc.NextChange.Timer = s.NextCrossing(&em)
}

// judge fills what Diff and NextCrossing look at.
func (s *Scorer) judge(id string, l *ledger.Ledger, m *Models, now int64, out *Scores) {
	s.models, s.now, s.today = m, now, s.rules.Calendar.Day(now)
	s.week = ledger.Week(s.today)
	s.f.read(l, &s.rules, s.today, s.cfg.RFM.WindowDays, decayOf(s.horizon()))
	if l.SurveyTime > 0 && int(l.SurveyRating) >= s.cfg.Journey.PromoterRating {
		s.f.promoted = l.SurveyTime
	}
	s.reset(id, out)
	s.rhythm()
	s.fillJourney(out)
	s.fillHistoricValue(out)
	s.fillContact(l, out)
	if s.f.last != 0 {
		s.fillRFM(out)
		s.fillChurn(out)
	}
	out.Evidence = Evidence{
		Orders: s.f.orders, RhythmModel: m.learned.Version, ChurnLabels: m.learned.Labels,
		BasketOrders: m.BasketOrders, RFMCustomers: max(s.cuts().Customers, 0),
	}
}

// offer fills the offers.
func (s *Scorer) offer(l *ledger.Ledger, out *Scores) {
	if s.rec != nil && s.cfg.Offers > 0 {
		out.NextBest = s.rec.Offers(l, s.models.learned.Offers, s.now, s.cfg.Offers, out.NextBest)
		out.NextBest = out.NextBest[:min(len(out.NextBest), s.cfg.Offers)]
	}
}

// complete fills what only a document that is written needs.
func (s *Scorer) complete(l *ledger.Ledger, out *Scores) {
	if s.f.last == 0 {
		return
	}
	s.fillExpected(out)
	s.fillReasons(out)
	s.fillPredictedValue(out)
	s.fillLoyalty(l, out)
}

// reset empties out and keeps its memory.
func (s *Scorer) reset(id string, out *Scores) {
	parts := out.parts
	if parts == nil {
		parts = new(docParts)
	}
	*out = Scores{
		CustomerID: id, AsOf: s.now, parts: parts,
		NextBest: out.NextBest[:0], Reasons: out.Reasons[:0],
		Contact: Contact{Permitted: out.Contact.Permitted[:0]},
	}
}

// cuts are the cut points in force.
func (s *Scorer) cuts() *Cuts {
	if s.fixed != nil {
		return s.fixed
	}
	return &s.models.Cuts
}

// rhythm prepares the posterior and the open gap.
func (s *Scorer) rhythm() {
	if s.f.last == 0 {
		return
	}
	s.gap = rhythm.Days(s.f.last, s.now)
	if s.f.history.Repeats == 0 {
		s.q, s.overdue = s.models.prior.Fresh(), s.models.freshOverdue
		return
	}
	s.models.prior.Posterior(s.f.history, &s.post)
	s.q = &s.post
	s.overdue = s.q.Reach(0, s.cfg.OverdueAt)
}

// horizon is the length of the churn horizon in days.
func (s *Scorer) horizon() float64 { return float64(s.cfg.HorizonDays) }

// isOverdue is whether the overdue percentile has reached its threshold.
func (s *Scorer) isOverdue() bool { return s.overdue > 0 && s.now-s.f.last >= s.overdue }
