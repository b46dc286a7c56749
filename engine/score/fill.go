package score

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// fillRFM places the customer in the population.
func (s *Scorer) fillRFM(out *Scores) {
	f := &s.f
	recency := max(int(s.today-f.day), 0)
	cuts := s.cuts()
	r, fr, m := cuts.Score(recency, f.frequency, f.monetary)
	if cuts.Customers == 0 && f.frequency == 0 { // nobody has bought in the window
		r, fr, m = 1, 1, 1
	}
	out.RFM = &out.parts.rfm
	*out.RFM = RFM{
		RecencyDays: float64(recency), Frequency: f.frequency, Monetary: f.monetary,
		R: r, F: fr, M: m, Segment: s.table.Segment(r, fr), lastDay: f.day,
	}
}

// fillChurn says whether the customer orders again.
func (s *Scorer) fillChurn(out *Scores) {
	learned := s.models.learned
	b := &s.f.behaviour
	complains := b.complaint
	if !s.models.behaves || b.visited|b.carted|b.engaged == 0 || s.week > b.week+behaviourWeeks {
		b = nil
	}
	s.curve.set(s.q, s.horizon(), &learned.Fitted, &s.f.moments, b, complains)
	if b != nil {
		s.enter(&s.curve, s.week)
	}
	s.here = s.curve.look(max(s.now-s.f.last, 0), &s.columns)
	now, p := s.here.now.Survival, s.here.p
	out.Churn = &out.parts.churn
	*out.Churn = Churn{
		Probability: p, HorizonDays: s.cfg.HorizonDays,
		Band: s.cfg.band(p, NoBand).String(), PAlive: s.q.AliveAt(now), OverduePercentile: 1 - now,
		Model: RhythmAlone, Average: s.models.base.average,
	}
	if learned.Churn != nil {
		out.Churn.Model = LearnedModel
	}
	if s.f.history.Repeats > 0 {
		out.Churn.AverageGapDays = s.f.mean()
	}
	if s.overdue > 0 {
		out.Churn.BecomesOverdueAt = s.f.last + s.overdue
	}
}

// enter takes a curve into a calendar week and returns the silence at which it
// begins.
func (s *Scorer) enter(c *curve, week int32) int64 {
	c.week, c.monday = week, s.rules.Calendar.Start(ledger.Monday(week))-s.f.last
	return c.monday
}

// fillExpected names the day of the next order.
func (s *Scorer) fillExpected(out *Scores) {
	days := s.models.freshNext
	if s.gap != 0 || s.f.history.Repeats != 0 {
		days = s.q.NextGapAt(&s.here.now)
	}
	out.Churn.ExpectedNextOrder = within(s.f.last, days)
}

// nameable is how far ahead an expected order is still given a date, in days.
const nameable = 3653

// within is the instant so many days after last; 0 beyond ten years.
func within(last int64, days float64) int64 {
	if !(days < nameable) {
		return 0
	}
	return last + int64(days*rhythm.DayMS)
}

func (s *Scorer) fillHistoricValue(out *Scores) {
	f := &s.f
	out.Value = Value{HistoricCLV: f.net, HistoricOrders: f.orders}
	if f.orders > 0 {
		out.Value.AverageOrderValue = f.net / event.Micro(f.orders)
	}
}

// fillPredictedValue is the money to come: expected purchase days within the
// horizon times the expected spend of one, discounted. Where orders carry a
// cost, their share of margin is applied.
func (s *Scorer) fillPredictedValue(out *Scores) {
	f, v, cfg := &s.f, &out.Value, &s.cfg.Value
	days := float64(cfg.HorizonDays)
	orders := s.models.freshOrders
	if s.gap != 0 || f.history.Repeats != 0 {
		orders = s.q.OrdersAt(&s.here.now, days)
	}
	spend := s.models.learned.expectedSpend(f.history.Repeats+1, f.spend)
	v.HorizonDays, v.Basis = cfg.HorizonDays, Revenue
	v.PredictedOrders, v.ExpectedOrderValue = orders, event.MicroOf(spend)
	v.TotalCLV = v.HistoricCLV
	if f.margined {
		share := 0.0 // where all was given back, nothing says what would be left
		if f.costed > 0 {
			share = f.margin.Float() / f.costed.Float()
		}
		v.Basis, v.HistoricMargin = Margin, event.MicroOf(f.net.Float()*share)
		v.TotalCLV = v.HistoricMargin
		spend *= share
	}
	v.PredictedCLV = event.MicroOf(orders * spend * s.discount)
	v.TotalCLV = v.TotalCLV.Add(v.PredictedCLV)
}

func (s *Scorer) fillJourney(out *Scores) {
	f := &s.f
	jf := journey.Facts{
		Seen: f.seen, Folded: int(f.folded.Occasions), FoldedAt: f.foldedAt, Occasions: f.occasions,
		History: f.history, LastGap: f.lastGap, Referred: f.referred, Promoted: f.promoted,
	}
	s.place = s.cfg.Journey.Place(&jf, s.models.prior, s.q, &s.models.milestones, s.overdue, s.cfg.OverdueAt, s.now)
	out.Journey = Journey{
		Stage: s.place.Stage.String(), Level: s.place.Level,
		Since: s.place.Since, NextChangeAt: s.place.Next, SecondOrderDueBy: s.place.SecondOrderDueBy,
	}
}

// fillContact takes the most frequent hour, weekday and channel of the
// retained orders; among equals the earliest hour and weekday, and the channel
// used last.
func (s *Scorer) fillContact(l *ledger.Ledger, out *Scores) {
	f := &s.f
	out.Contact.BestHour = -1
	most := uint16(0)
	for h, n := range f.hours {
		if n > most {
			most, out.Contact.BestHour = n, h
		}
	}
	most = 0
	for d, n := range f.weekdays {
		if n > most {
			most, out.Contact.BestWeekday = n, d
		}
	}
	best := channelCount{}
	for _, c := range f.channels {
		if c.n > best.n || c.n == best.n && c.last > best.last {
			best = c
		}
	}
	out.Contact.Channel = best.name
	out.Contact.Permitted = s.permitted(l, out.Contact.Permitted)
}

// everyChannel stands for a consent that names no channel.
const everyChannel = "all"

// permitted lists the channels that the customer agreed to, of those that the
// consents and the orders name; where all are agreed to and none of them is
// withdrawn, "all" comes first.
func (s *Scorer) permitted(l *ledger.Ledger, dst []string) []string {
	if len(l.Consents) == 0 {
		return dst
	}
	all, _ := l.Consented("")
	from := len(dst)
	if all {
		dst = append(dst, everyChannel)
	}
	for i := range l.Consents {
		c := &l.Consents[i]
		if c.Channel == "" {
			continue
		}
		if ok, _ := l.Consented(c.Channel); ok {
			dst = append(dst, c.Channel)
		} else if all {
			dst = append(dst[:from], dst[from+1:]...)
			all = false
		}
	}
	for _, c := range s.f.channels {
		if ok, _ := l.Consented(c.name); ok && !slices.Contains(dst[from:], c.name) {
			dst = append(dst, c.name)
		}
	}
	return dst
}
