package quality

import (
	"fmt"
	"math"
	"strings"
)

// off is by which part of what came too much was foretold.
func (m *Forecast) off() float64 { return m.MeanPredicted/m.MeanActual - 1 }

// fit says how a total compares with what came: "6 % fewer".
func (m *Forecast) fit(less, more string) string {
	off := m.off()
	switch {
	case !finite(off):
		return ""
	case math.Abs(off) < 0.01:
		return "right to within 1 %"
	case off < 0:
		return percent(-off, 0) + " too " + less
	}
	return percent(off, 0) + " too " + more
}

// findForecasts compares orders and money with what came.
func (r *Report) findForecasts() []string {
	var out []string
	if r.Orders.known() {
		m := &r.Orders.Models[0]
		out = append(out, fmt.Sprintf("%s expected %s orders a customer %s; there were %s", m.Name, orders(m.MeanPredicted), r.Data.ahead(), orders(m.MeanActual))+
			r.Orders.say("few", "many", orders))
	}
	if r.Value.known() {
		m := &r.Value.Models[0]
		out = append(out, fmt.Sprintf("%s expected a customer to spend %s; it was %s", m.Name, r.money(m.MeanPredicted), r.money(m.MeanActual))+
			r.Value.say("little", "much", r.money))
	}
	return out
}

// say ends the sentence that names both means: how they compare, and how far
// off single customers were.
func (f *Forecasts) say(less, more string, write func(float64) string) string {
	m, s := &f.Models[0], ""
	if fit := m.fit(less, more); fit != "" {
		s += " (" + fit + ")"
	}
	if !finite(m.MAE) {
		return s + "."
	}
	s += fmt.Sprintf(". For a single customer it was off by %s on average", write(m.MAE))
	var by, closer []string
	for i := range f.Models[1:] {
		b := &f.Models[i+1]
		if !finite(b.MAE) {
			continue
		}
		by = append(by, fmt.Sprintf("%s %s", alone(b.Name), write(b.MAE)))
		if b.MAE < m.MAE {
			closer = append(closer, alone(b.Name))
		}
	}
	if by != nil {
		s += " (" + strings.Join(by, ", ") + ")"
	}
	if closer != nil {
		s += "; " + list(closer) + " came closer"
	}
	return s + "."
}

// furthest is the group that fared least as predicted, of those that are large
// enough to tell.
func furthest(groups []Group) (worst *Group, gap float64) {
	for i := range groups {
		g := &groups[i]
		if d := math.Abs(g.PredictedChurn - g.ActualChurn); g.Customers >= fewOfAClass && finite(d) && (worst == nil || d > gap) {
			worst, gap = g, d
		}
	}
	return worst, gap
}

// fine is a gap between predicted and actual churn of a group that no campaign
// would notice.
const fine = 0.05

func (r *Report) findGroups() []string {
	var out []string
	for _, c := range []struct {
		one, many string
		of        []Group
	}{{"segment", "segments", r.Segments}, {"stage", "stages", r.Stages}} {
		g, gap := furthest(c.of)
		switch {
		case g == nil:
		case gap < fine:
			out = append(out, fmt.Sprintf("All %s left as often as predicted, to within %s.", c.many, points(gap)))
		default:
			out = append(out, fmt.Sprintf("Of all %s, “%s” was furthest off: %s of its %s customers were expected to leave, %s did.",
				c.many, plain(g.Name), percent(g.PredictedChurn, 0), count(g.Customers), percent(g.ActualChurn, 0)))
		}
	}
	return out
}

func (r *Report) findOffers() []string {
	if r.NextBest == nil || r.NextBest.Users == 0 || len(r.NextBest.Models) == 0 {
		return nil
	}
	m := r.NextBest.Models
	if !finite(m[0].All.PHR10) {
		return nil
	}
	s := fmt.Sprintf("Of 100 customers who ordered again, %s bought at least one of the ten items that %s would have offered",
		ofHundred(m[0].All.PHR10), m[0].Name)
	var by, closer []string
	for i := range m[1:] {
		b := &m[i+1]
		if finite(b.All.PHR10) {
			by = append(by, fmt.Sprintf("%s with “%s”", ofHundred(b.All.PHR10), alone(b.Name)))
		}
		if b.All.PHR10 > m[0].All.PHR10 {
			closer = append(closer, "“"+alone(b.Name)+"”")
		}
	}
	if by != nil {
		s += ", " + list(by)
	}
	if closer != nil {
		s += "; " + list(closer) + " found more"
	}
	return []string{s + "."}
}
