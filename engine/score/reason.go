package score

import (
	"math"
	"strconv"
)

// churnReason is Reason.Score of the terms of churn.probability.
const churnReason = "churn.probability"

// fillReasons splits the churn probability into terms that add up to its
// difference from that of a first-time buyer at the moment of the order: what
// the customer's own history makes of that, and what the present silence does.
func (s *Scorer) fillReasons(out *Scores) {
	base, p := s.models.freshChurn, out.Churn.Probability
	x := s.f.history.Repeats
	say := Phrase{text: s.models.freshText, orders: x + 1, gap: out.Churn.AverageGapDays, days: math.Floor(s.gap)}
	if x == 0 {
		say.kind = sinceOnly
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: p - base, Text: say})
		return
	}
	started := p
	if s.gap > 0 {
		started = s.churnAt(0)
	}
	say.kind = history
	out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: started - base, Text: say})
	say.kind = sinceLast
	out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: p - started, Text: say})
}

// freshText says what a first-time buyer's churn probability is.
func freshText(p float64) string {
	return "a first-time buyer starts at " + strconv.FormatFloat(p, 'f', 2, 64)
}

// Phrase is a text that is put into words when it is written: most documents
// are computed without being written.
type Phrase struct {
	kind   phraseKind
	text   string
	orders int
	gap    float64
	days   float64
}

type phraseKind uint8

const (
	plain     phraseKind = iota // the text
	history                     // 5 purchase days, on average 21 days apart; <text>
	sinceLast                   // 35 days since the last order; usual gap 21
	sinceOnly                   // 35 days since the only order; <text>
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
	}
	return append(dst, p.text...)
}

// Plain is the text of Words, and whether the phrase comes from there.
func (p *Phrase) Plain() (string, bool) { return p.text, p.kind == plain }

// String is the words.
func (p Phrase) String() string { return string(p.Append(nil)) }

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
