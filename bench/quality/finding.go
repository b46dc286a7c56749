package quality

import (
	"fmt"
	"strings"
)

// Where a sample is small.
const (
	fewCustomers = 200
	fewOfAClass  = 30
)

// Findings says in plain words what the numbers of r mean, the most important
// first, also where a baseline wins or there is too little to say anything.
func Findings(r *Report) []string {
	out := findSample(&r.Data)
	if r.judged() {
		out = append(out, r.findTop()...)
		out = append(out, r.findCalibration()...)
		out = append(out, r.findVersus()...)
		out = append(out, r.findBrier()...)
	}
	out = append(out, r.findForecasts()...)
	out = append(out, r.findGroups()...)
	return append(out, r.findOffers()...)
}

// findings are those of the report, or else those that its numbers say.
func (r *Report) findings() []string {
	if r.Findings != nil {
		return r.Findings
	}
	return Findings(r)
}

// ahead says how far is looked.
func (d *Data) ahead() string {
	if d.HorizonDays == 1 {
		return "in the next day"
	}
	return "in the next " + count(d.HorizonDays) + " days"
}

// findSample warns of what is too small to tell.
func findSample(d *Data) []string {
	left, stayed := d.Churned, d.Buyers-d.Churned
	say := func(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
	switch {
	case d.Buyers == 0:
		return say("Nobody could be judged: no customer had ordered before the cut.")
	case left == 0:
		return say("All %s customers judged ordered again %s: where all fare alike, no ranking can be judged.", count(d.Buyers), d.ahead())
	case stayed == 0:
		return say("None of the %s customers judged ordered again %s: where all fare alike, no ranking can be judged.", count(d.Buyers), d.ahead())
	case left < fewOfAClass:
		return say("Only %s of the %s customers judged left: too few to trust more than the direction of what follows.", count(left), count(d.Buyers))
	case stayed < fewOfAClass:
		return say("Only %s of the %s customers judged stayed: too few to trust more than the direction of what follows.", count(stayed), count(d.Buyers))
	case d.Buyers < fewCustomers:
		return say("Only %s customers were judged: read every figure that follows with a wide margin.", count(d.Buyers))
	}
	return nil
}

// findTop says what the ranking is worth at its ends.
func (r *Report) findTop() []string {
	j := &r.Churn[0]
	top, bottom, ok := j.ends()
	if !ok || !finite(j.Base) {
		return nil
	}
	out := []string{fmt.Sprintf(
		"Of 100 customers that %s put in the top tenth by churn risk, %s did not order %s; on average %s of 100 did not, in the bottom tenth %s.",
		j.Name, ofHundred(top.Rate), r.Data.ahead(), ofHundred(j.Base), ofHundred(bottom.Rate))}
	var others []string
	for i := range r.Churn[1:] {
		b := &r.Churn[i+1]
		top, bottom, ok := b.ends()
		switch {
		case !ok:
		case others == nil:
			others = append(others, fmt.Sprintf("For comparison: ranked by %s, %s of 100 in the top tenth did not order, in the bottom tenth %s",
				alone(b.Name), ofHundred(top.Rate), ofHundred(bottom.Rate)))
		default:
			others = append(others, fmt.Sprintf("by %s, %s and %s", alone(b.Name), ofHundred(top.Rate), ofHundred(bottom.Rate)))
		}
	}
	if others == nil {
		return out
	}
	return append(out, strings.Join(others, "; ")+".")
}

// findCalibration says whether the probabilities can be taken at their word.
func (r *Report) findCalibration() []string {
	j := &r.Churn[0]
	if j.RankOnly || !finite(j.ECE) {
		return nil
	}
	s := "The predicted probabilities of leaving were off by " + points(j.ECE) + " on average"
	switch j.tendency() {
	case "low":
		s += ", mostly too low: more customers left than predicted"
	case "high":
		s += ", mostly too high: fewer customers left than predicted"
	}
	out := []string{s + "."}
	if k := j.skill(); finite(k) && k <= 0 {
		out = append(out, fmt.Sprintf("The same probability for everybody (%s) would have been closer to what happened: on this data the probabilities say nothing.",
			percent(j.Base, 0)))
	}
	return out
}

// findVersus compares with the baselines; where one wins, that comes first.
func (r *Report) findVersus() []string {
	var out []string
	j, of := &r.Churn[0], r.versus()
	for _, c := range []struct {
		verdict
		is        string
		one, many string // before the difference
		so        string
	}{
		{worse, "ranks worse than", "It is behind by", "It is behind by", "more than chance explains. On this data the simpler score is the better one"},
		{open, "ranks neither clearly better nor clearly worse than", "The difference is", "The differences are", "that may be chance"},
		{level, "ranks as well as", "The difference is", "The differences are", "too little to matter"},
		{better, "ranks better than", "It is ahead by", "It is ahead by", "more than chance explains"},
	} {
		them := of[c.verdict]
		if len(them) == 0 {
			continue
		}
		var theirs, leads []string
		for i, b := range them {
			theirs = append(theirs, times(b.AUC))
			leads = append(leads, b.Lead.say(c.verdict == worse, i == 0))
		}
		before := c.one
		if len(them) > 1 {
			before = c.many
		}
		out = append(out, fmt.Sprintf(
			"%s %s %s: given one customer who left and one who stayed, it called the one who left riskier %s times in 100, against %s. %s %s: %s.",
			j.Name, c.is, list(names(them)), times(j.AUC), list(theirs), before, list(leads), c.so))
	}
	return out
}

// say gives the lead, or by how much it is behind, with its interval, times in a
// hundred.
func (l *Lead) say(behind, first bool) string {
	auc, low, high, what := l.AUC, l.Low, l.High, ""
	if behind {
		auc, low, high = -auc, -high, -low
	}
	if first {
		what = "95 % interval "
	}
	return fmt.Sprintf("%s (%s%s to %s)", times(auc), what, times(low), times(high))
}

// findBrier compares probabilities, not only their order.
func (r *Report) findBrier() []string {
	var out []string
	j := &r.Churn[0]
	if j.RankOnly || !finite(j.Brier) {
		return nil
	}
	mine := fixed(j.Brier, 4)
	for _, c := range []struct {
		how   string
		holds func(b *Judged) bool
	}{
		{"further from what happened than", func(b *Judged) bool { return j.Brier > b.Brier && fixed(b.Brier, 4) != mine }},
		{"as close to what happened as", func(b *Judged) bool { return fixed(b.Brier, 4) == mine }},
		{"closer to what happened than", func(b *Judged) bool { return j.Brier < b.Brier && fixed(b.Brier, 4) != mine }},
	} {
		var by, theirs []string
		for i := range r.Churn[1:] {
			if b := &r.Churn[i+1]; !b.RankOnly && finite(b.Brier) && c.holds(b) {
				by, theirs = append(by, alone(b.Name)), append(theirs, fixed(b.Brier, 4))
			}
		}
		if by != nil {
			out = append(out, fmt.Sprintf("The probabilities of %s were %s those of %s: Brier score (mean squared error; 0 is perfect) %s against %s.",
				j.Name, c.how, list(by), mine, list(theirs)))
		}
	}
	return out
}
