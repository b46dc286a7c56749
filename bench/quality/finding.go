package quality

import "fmt"

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
	var by, tops, bottoms []string
	for i := range r.Churn[1:] {
		b := &r.Churn[i+1]
		if top, bottom, ok := b.ends(); ok {
			by, tops, bottoms = append(by, alone(b.Name)), append(tops, ofHundred(top.Rate)), append(bottoms, ofHundred(bottom.Rate))
		}
	}
	if by == nil {
		return out
	}
	return append(out, fmt.Sprintf("Ranked by %s, it was %s of 100 in the top tenth and %s in the bottom tenth%s.",
		list(by), list(tops), list(bottoms), respectively(by)))
}

func respectively(words []string) string {
	if len(words) < 2 {
		return ""
	}
	return ", in this order"
}

// findCalibration says whether the probabilities can be taken at their word.
func (r *Report) findCalibration() []string {
	j := &r.Churn[0]
	if j.RankOnly || !finite(j.ECE) {
		return nil
	}
	s := "Predicted probabilities were off by " + points(j.ECE) + " on average"
	if way := j.tendency(); way != "" {
		s += ", mostly too " + way
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
		is, more string
	}{
		{worse, "is worse than", " On this data the simpler score is the better one."},
		{behind, "is slightly worse than", " A difference that small can be chance."},
		{level, "ranks as well as", ""},
		{ahead, "is slightly better than", " A difference that small can be chance."},
		{better, "is better than", ""},
	} {
		them := of[c.verdict]
		if len(them) == 0 {
			continue
		}
		near := c.verdict != better && c.verdict != worse
		var theirs []string
		for _, b := range them {
			theirs = append(theirs, times(b.AUC, near))
		}
		out = append(out, fmt.Sprintf(
			"%s %s %s: of one customer who left and one who stayed, it called the right one riskier %s times in 100, against %s.%s",
			j.Name, c.is, list(names(them)), times(j.AUC, near), list(theirs), c.more))
	}
	return out
}

// findBrier compares probabilities, not only their order.
func (r *Report) findBrier() []string {
	j := &r.Churn[0]
	var out []string
	for i := range r.Churn[1:] {
		b := &r.Churn[i+1]
		if j.RankOnly || b.RankOnly || !finite(j.Brier) || !finite(b.Brier) {
			continue
		}
		mine, theirs := fixed(j.Brier, 4), fixed(b.Brier, 4)
		how := "closer to what happened than"
		if mine == theirs {
			how = "as close to what happened as"
		} else if j.Brier > b.Brier {
			how = "further from what happened than"
		}
		out = append(out, fmt.Sprintf("The probabilities of %s were %s those of %s: Brier score %s against %s (0 is perfect).",
			j.Name, how, alone(b.Name), mine, theirs))
	}
	return out
}
