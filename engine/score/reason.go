package score

import (
	"math"
	"strconv"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/event"
)

// churnReason is Reason.Score of the terms of churn.probability.
const churnReason = "churn.probability"

// reference is the average customer, from whom the reasons start. Its terms add
// up to the log-odds of its average.
type reference struct {
	average   float64 // churn probability
	odds      float64 // log-odds of that, before they are bent
	history   float64 // what the history's term is measured from
	silence   float64
	corrected [len(reasonGroups)]float64 // by group
	text      string
}

// reasonGroups are the learned terms that are told together.
var reasonGroups = [...]struct {
	kind    phraseKind
	columns []int
}{
	{habit, []int{xOnce, xSilence, xOrders, xTenure, xOverdue, xPercentile, xUsual, xTrend, xFresh, xDecayed, xSlow}},
	{spending, []int{xSpend}},
	{browsing, []int{xVisits, xVisited, xCart}},
	{messages, []int{xEngaged}},
	{complaining, []int{xComplaint}},
}

// newReference is that of a model; fresh is the rhythm's churn probability of a
// first-time buyer at the moment of the order, the base while nothing is known
// of a population.
func newReference(l *Learned, fresh float64) reference {
	if l.At == 0 {
		odds := churn.LogOdds(fresh)
		return reference{
			average: fresh, odds: odds, history: odds,
			text: "a first-time buyer starts at " + strconv.FormatFloat(fresh, 'f', 2, 64),
		}
	}
	odds := churn.LogOdds(l.Average)
	if l.Churn != nil {
		odds = l.Churn.Bend.Back(odds)
	}
	r := reference{
		average: l.Average, odds: odds, silence: l.Means.Silence,
		text: "the average customer is at " + strconv.FormatFloat(l.Average, 'f', 2, 64),
	}
	// The average of probabilities is not the probability of averages: what is
	// left over belongs to the history, the term that everybody has.
	r.history = r.odds - r.silence
	if l.Churn != nil {
		r.history -= l.Churn.Bias
		for g := range reasonGroups {
			for _, i := range reasonGroups[g].columns {
				r.corrected[g] += l.Churn.Weights[i] * l.Means.Features[i]
			}
			r.history -= r.corrected[g]
		}
	}
	return r
}

// negligibleEffect is below what a reason is worth telling, unless it is the
// first of its score.
const negligibleEffect = 0.0005

// fillReasons splits the churn probability into terms that add up to its
// difference from the average customer's: what the customer's own gaps say,
// what the present silence does, and what was learned beyond. A term's effect is
// its difference in log-odds from the average customer's, times what one unit of
// log-odds is worth between the two probabilities.
func (s *Scorer) fillReasons(out *Scores) {
	m, p := s.models, out.Churn.Probability
	base := &m.base
	odds, bent := s.here.sum, 1.0
	if c := m.learned.Churn; c != nil {
		_, bent, _ = c.Bend.At(odds)
	} else {
		odds = churn.LogOdds(p)
	}
	worth := p * (1 - p) * bent
	if d := odds - base.odds; math.Abs(d) > 1e-9 {
		worth = (p - base.average) / d
	}
	begun := s.here.rhythm
	if s.gap > 0 {
		begun = 1 - s.q.OrderWithin(0, s.horizon())
	}
	begunOdds := churn.LogOdds(begun)
	x := s.f.history.Repeats
	say := Phrase{text: base.text, orders: x + 1, gap: out.Churn.AverageGapDays, days: float64(max(s.today-s.f.day, 0))}
	own := (begunOdds - base.history) * worth
	silence := (churn.LogOdds(s.here.rhythm) - begunOdds - base.silence) * worth
	from, told := len(out.Reasons), own+silence
	if x == 0 {
		say.kind = sinceOnly
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: told, Text: say})
	} else {
		say.kind = history
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: own, Text: say})
		say.kind = sinceLast
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: silence, Text: say})
	}
	if m.learned.Churn != nil {
		told += s.learnedReasons(out, worth, say)
	}
	out.Reasons[from].Effect += p - base.average - told // rounding, and what is not worth telling
}

// learnedReasons appends the learned terms that are worth telling and returns
// the sum of their effects.
func (s *Scorer) learnedReasons(out *Scores, worth float64, say Phrase) (told float64) {
	model, base := s.models.learned.Churn, &s.models.base
	x := &s.columns
	say.text = ""
	for g := range reasonGroups {
		term := -base.corrected[g]
		for _, i := range reasonGroups[g].columns {
			term += model.Weights[i] * clamp(x[i], model.Lo[i], model.Hi[i])
		}
		effect := term * worth
		if math.Abs(effect) < negligibleEffect {
			continue
		}
		say.kind = reasonGroups[g].kind
		switch say.kind {
		case spending:
			say.money = event.MicroOf(s.f.spend)
		case browsing:
			say.on, say.more = x[xVisits] >= 0.5, x[xCart] >= 0.5
		case messages:
			say.on = x[xEngaged] >= 0.5
		case complaining:
			say.on = x[xComplaint] > 0
		}
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: effect, Text: say})
		told += effect
	}
	return told
}

// Phrase is a text that is put into words when it is written: most documents
// are computed without being written.
type Phrase struct {
	kind   phraseKind
	text   string
	orders int
	gap    float64
	days   float64
	money  event.Micro
	on     bool // what the kind is about is so
	more   bool // and a cart was filled
}

type phraseKind uint8

const (
	plain       phraseKind = iota // the text
	history                       // 5 purchase days, on average 21 days apart; <text>
	sinceLast                     // 35 days since the last order; usual gap 21
	sinceOnly                     // 35 days since the only order; <text>
	habit                         // how customers with such a history went on
	spending                      // 35.20 a purchase day
	browsing                      // seen within the last two weeks, with something in the cart
	messages                      // opened a message within the last five weeks
	complaining                   // a complaint is open
)

// Words is a phrase of these very words.
func Words(s string) Phrase { return Phrase{text: s} }

// Append appends the words to dst. They hold no character that JSON escapes,
// unless they come from Words.
func (p *Phrase) Append(dst []byte) []byte {
	switch p.kind {
	case history:
		dst = strconv.AppendInt(dst, int64(p.orders), 10)
		dst = append(dst, " purchase days, on average "...)
		dst = append(appendDays(dst, p.gap), " apart; "...)
	case sinceLast:
		dst = append(appendDays(dst, p.days), " since the last order; usual gap "...)
		return appendRounded(dst, p.gap)
	case sinceOnly:
		dst = append(appendDays(dst, p.days), " since the only order; "...)
	case habit:
		dst = append(dst, "how customers with a like history went on"...)
	case spending:
		dst = append(p.money.Append(dst), " a purchase day on average"...)
	case browsing:
		dst = append(dst, choose(p.on, "seen", "not seen")...)
		dst = append(dst, " within the last two weeks, orders aside"...)
		dst = append(dst, choose(p.more, "; the cart was filled", "")...)
	case messages:
		dst = append(dst, choose(p.on, "opened a message", "opened no message")...)
		dst = append(dst, " within the last five weeks"...)
	case complaining:
		dst = append(dst, choose(p.on, "a complaint is open", "no complaint is open")...)
	}
	if p.kind >= fullPriceOrders {
		return p.appendLoyalty(dst)
	}
	return append(dst, p.text...)
}

// Plain is the text of Words, and whether the phrase comes from there.
func (p *Phrase) Plain() (string, bool) { return p.text, p.kind == plain }

// String is the words.
func (p Phrase) String() string { return string(p.Append(nil)) }

func choose(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}

// appendDays writes "1 day", "21 days", "3.5 days".
func appendDays(b []byte, d float64) []byte {
	b = append(appendRounded(b, d), " day"...)
	if math.Round(d*10) != 10 {
		b = append(b, 's')
	}
	return b
}

// appendRounded writes a number of days: whole from 10 on, else with a tenth
// where there is one.
func appendRounded(b []byte, d float64) []byte {
	tenths := int64(math.Round(d * 10))
	if d >= 10 || tenths%10 == 0 {
		return strconv.AppendInt(b, int64(math.Round(d)), 10)
	}
	b = append(strconv.AppendInt(b, tenths/10, 10), '.')
	return strconv.AppendInt(b, tenths%10, 10)
}
