package quality

import (
	"fmt"
	"math"
)

// The headings state what is found; the plots below them show it.

func (r *Report) headVersus() string {
	j, of := &r.Churn[0], r.versus()
	rivals := len(r.Churn) - 1
	switch {
	case rivals == 0 || len(of[unclear]) == rivals:
		return "How well " + j.Name + " tells who leaves"
	case len(of[worse]) > 0:
		tell := " tells"
		if len(of[worse]) > 1 {
			tell = " tell"
		}
		return list(names(of[worse])) + tell + " who leaves better than " + j.Name + " does"
	case len(of[better]) == rivals:
		return j.Name + " tells who leaves better than every simpler score"
	case len(of[better]) > 0:
		return j.Name + " tells who leaves better than " + list(names(of[better])) + ", but not clearly better than " +
			list(append(names(of[level]), names(of[open])...))
	}
	return j.Name + " is not clearly better than simpler scores"
}

func headReliability(j *Judged) string {
	way := j.tendency()
	switch {
	case !finite(j.ECE):
		return "How far the probabilities can be trusted"
	case j.ECE <= 0.02:
		return "The probabilities can be taken at their word: they were off by " + points(j.ECE) + " on average"
	case j.ECE <= 0.05 && way == "":
		return "The probabilities are roughly right: they were off by " + points(j.ECE) + " on average"
	case j.ECE <= 0.05:
		return "The probabilities are a little too " + way + ": they were off by " + points(j.ECE) + " on average"
	case way == "":
		return "Rank by the probabilities, but do not take them at their word: they were off by " + points(j.ECE) + " on average"
	}
	return "Rank by the probabilities, but do not take them at their word: they were off by " + points(j.ECE) + " on average, mostly too " + way
}

func headGains(j *Judged) string {
	if !finite(j.Captured[1]) {
		return "How many of those who leave the riskiest hold"
	}
	return "The riskiest fifth of the customers held " + percent(j.Captured[1], 0) + " of all who left"
}

// leadGains says what was possible: where most leave, no ranking can look good
// in this plot.
func leadGains(j *Judged) string {
	if !(j.Base > 0) || !finite(j.Captured[1]) {
		return ""
	}
	s := fmt.Sprintf("Chosen blindly, a fifth of the customers would hold 20 %% of them; no ranking could have found more than %s, because %s of 100 customers left.",
		percent(math.Min(1, 0.2/j.Base), 0), ofHundred(j.Base))
	return s
}

func headTenths(j *Judged) string {
	top, bottom, ok := j.ends()
	if !ok {
		return "Churn by predicted risk"
	}
	return fmt.Sprintf("In the riskiest tenth %s of 100 customers left, in the safest %s", ofHundred(top.Rate), ofHundred(bottom.Rate))
}

func (r *Report) headAmounts() string {
	part := func(f *Forecasts, what, less, more string) string {
		if !f.known() {
			return ""
		}
		m := &f.Models[0]
		if fit := m.fit(less, more); fit != "" {
			return what + " " + fit
		}
		return ""
	}
	o := part(&r.Orders, "expected orders were", "few", "many")
	v := part(&r.Value, "expected spend was", "little", "much")
	switch {
	case o != "" && v != "":
		return capital(o) + ", " + v
	case o+v != "":
		return capital(o + v)
	}
	return "Expected orders and spend"
}

func (r *Report) headGroups() string {
	g, gap := furthest(append(append([]Group(nil), r.Segments...), r.Stages...))
	switch {
	case g == nil:
		return "How segments and stages fared"
	case gap < fine:
		return "Every segment and stage left about as often as predicted"
	}
	return fmt.Sprintf("Furthest off was “%s”: %s expected to leave, %s did", plain(g.Name), percent(g.PredictedChurn, 0), percent(g.ActualChurn, 0))
}

func (n *NextBest) headOffers() string {
	if len(n.Models) == 0 || !finite(n.Models[0].All.PHR10) {
		return "What was bought next"
	}
	return fmt.Sprintf("%s of 100 customers who ordered again bought at least one of their ten offers", ofHundred(n.Models[0].All.PHR10))
}

// capital makes the first letter of an ASCII sentence a capital one.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
