package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
)

// Settle gives doc, the one computed last, what depends on its past: Version,
// the band that is kept at a limit, the previous segment.
func (s *Scorer) Settle(prev *Emission, doc *Scores) {
	doc.Version = prev.Version
	if doc.RFM != nil {
		doc.RFM.PreviousSegment = prev.PreviousSegment
		if prev.Segment != doc.RFM.Segment {
			doc.RFM.PreviousSegment = prev.Segment
		}
	}
	if doc.Churn != nil {
		doc.Churn.Band = s.cfg.band(doc.Churn.Probability, prev.Band).String()
	}
}

// Diff settles doc, the one computed last, against what was last emitted, and
// appends to dst the transitions that a consumer acts on, in the order of the
// document. The Emission is what is to be kept now, but for its next crossing.
// Where there are deltas, its version and doc's are prev's plus one; where
// there are none, nothing is to be emitted, and what was emitted stands.
//
// A delta's Old is none where nothing was known, and for the offers and the
// permitted channels, of which only a hash is kept. The lists of the deltas are
// the Scorer's and the document's: they hold until either is used again. It
// does not allocate, but for dst and a list longer than any before.
func (s *Scorer) Diff(prev *Emission, doc *Scores, dst []Delta) (Emission, []Delta) {
	s.Settle(prev, doc)
	em := s.emission(prev, doc)
	d := differ{dst: dst, known: prev.Stage != 0, ids: s.ids[:0]}
	d.rfm(prev, &em)
	s.diffChurn(&d, prev, &em, doc)
	d.value(prev, &em)
	d.journey(prev, &em)
	d.lists(prev, &em, doc)
	s.ids = d.ids
	if len(d.dst) == len(dst) {
		kept := *prev
		kept.AsOf = em.AsOf
		kept.Buyer, kept.LastDay, kept.Frequency, kept.Monetary = em.Buyer, em.LastDay, em.Frequency, em.Monetary
		return kept, d.dst
	}
	em.Version = prev.Version + 1
	doc.Version = em.Version
	return em, d.dst
}

// emission is what doc leaves to be kept if it is emitted.
func (s *Scorer) emission(prev *Emission, doc *Scores) Emission {
	em := Emission{
		Version: prev.Version, AsOf: doc.AsOf,
		Stage: s.place.Stage, Level: uint8(doc.Journey.Level),
		Orders: uint32(doc.Value.HistoricOrders), Value: doc.Value.HistoricCLV,
		Permitted: hashStrings(doc.Contact.Permitted),
	}
	if r := doc.RFM; r != nil {
		em.Segment, em.PreviousSegment = r.Segment, r.PreviousSegment
		em.R, em.F, em.M = r.R, r.F, r.M
		em.Buyer, em.LastDay, em.Frequency, em.Monetary = true, r.lastDay, uint32(r.Frequency), r.Monetary
	}
	if c := doc.Churn; c != nil {
		em.Band = s.cfg.band(c.Probability, prev.Band)
		em.Probability = millionths(c.Probability)
		em.Overdue = s.isOverdue()
		em.Percent = uint8(math.Floor(c.OverduePercentile * 100))
	}
	if s.keepOffers {
		em.Offered, em.Offers = prev.Offered, prev.Offers
		return em
	}
	em.Offered = uint8(min(len(doc.NextBest), MaxOffers))
	for i := range doc.NextBest[:em.Offered] {
		o := &doc.NextBest[i]
		em.Offers[i] = uint32(event.Hash(o.ItemID)) ^ uint32(event.Hash(o.Kind))
	}
	return em
}

// differ collects deltas.
type differ struct {
	dst   []Delta
	known bool // the customer was somebody before
	ids   []string
}

func (d *differ) add(field string, before, now Side) {
	d.dst = append(d.dst, Delta{Field: field, Old: before, New: now})
}

// groups are all groups as they are written, by their stored number.
var groups [125]string

func init() {
	for i := range groups {
		groups[i] = string([]byte{byte('1' + i/25), byte('1' + i/5%5), byte('1' + i%5)})
	}
}

// group is r, f and m as three digits.
func group(em *Emission) Side {
	if em.R == 0 {
		return Side{}
	}
	return OfText(groups[em.group()])
}

// orNone is none for no name.
func orNone(s string) Side {
	if s == "" {
		return Side{}
	}
	return OfText(s)
}

func (d *differ) rfm(prev, em *Emission) {
	if prev.Buyer || em.Buyer {
		if prev.Buyer != em.Buyer || prev.Frequency != em.Frequency {
			d.add("rfm.frequency", count(prev.Buyer, prev.Frequency), count(em.Buyer, em.Frequency))
		}
		if prev.Buyer != em.Buyer || prev.Monetary != em.Monetary {
			d.add("rfm.monetary", money(prev.Buyer, prev.Monetary), money(em.Buyer, em.Monetary))
		}
	}
	if prev.R != em.R || prev.F != em.F || prev.M != em.M {
		d.add("rfm.group", group(prev), group(em))
	}
	if prev.Segment != em.Segment {
		d.add("rfm.segment", orNone(prev.Segment), orNone(em.Segment))
	}
}

func count(known bool, n uint32) Side {
	if !known {
		return Side{}
	}
	return OfCount(int(n))
}

func money(known bool, m event.Micro) Side {
	if !known {
		return Side{}
	}
	return OfMoney(m)
}

// diffChurn finds the transitions of the churn part.
func (s *Scorer) diffChurn(d *differ, prev, em *Emission, doc *Scores) {
	had, has := prev.Band != NoBand, em.Band != NoBand
	var old, now, oldPercentile, percentile Side
	if had {
		old, oldPercentile = OfNumber(float64(prev.Probability)/1e6), OfNumber(float64(prev.Percent)/100)
	}
	moved := had != has
	if has {
		now, percentile = OfNumber(doc.Churn.Probability), OfNumber(doc.Churn.OverduePercentile)
		if lo, hi := s.cfg.stepRange(prev.Probability); had && !(doc.Churn.Probability > lo && doc.Churn.Probability < hi) {
			moved = true
		}
	}
	if moved {
		d.add("churn.probability", old, now)
	}
	if prev.Band != em.Band {
		d.add("churn.band", orNone(prev.Band.String()), orNone(em.Band.String()))
	}
	if prev.Overdue != em.Overdue {
		d.add("churn.overdue_percentile", oldPercentile, percentile)
	}
}

func (d *differ) value(prev, em *Emission) {
	if prev.Value != em.Value {
		d.add("value.historic_clv", money(d.known, prev.Value), OfMoney(em.Value))
	}
	if prev.Orders != em.Orders {
		d.add("value.historic_number_of_orders", count(d.known, prev.Orders), OfCount(int(em.Orders)))
	}
}

func (d *differ) journey(prev, em *Emission) {
	if prev.Stage != em.Stage {
		d.add("journey.stage", stageName(prev.Stage), stageName(em.Stage))
	}
	if prev.Level != em.Level {
		d.add("journey.level", count(d.known, uint32(prev.Level)), OfCount(int(em.Level)))
	}
}

func stageName(s journey.Stage) Side {
	if s == 0 {
		return Side{}
	}
	return OfText(s.String())
}

func (d *differ) lists(prev, em *Emission, doc *Scores) {
	if prev.Offered != em.Offered || prev.Offers != em.Offers {
		for i := range doc.NextBest {
			d.ids = append(d.ids, doc.NextBest[i].ItemID)
		}
		d.add("next_best", Side{}, OfList(d.ids))
	}
	if prev.Permitted != em.Permitted {
		d.add("contact.permitted", Side{}, OfList(doc.Contact.Permitted))
	}
}

// hashStrings is 0 for none.
func hashStrings(ss []string) uint32 {
	h := uint64(0)
	for _, s := range ss {
		h = h*0x9e3779b97f4a7c15 + event.Hash(s) | 1
	}
	return uint32(h ^ h>>32)
}
