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
	started := base
	x := s.f.history.Repeats
	if x > 0 {
		started = s.churnAt(0)
		s.text = s.historyText(s.text[:0], base)
	} else {
		s.text = s.text[:0]
	}
	split := len(s.text)
	s.text = s.silenceText(s.text, base)
	text := string(s.text) // one allocation for both
	if x > 0 {
		out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: started - base, Text: text[:split]})
	}
	out.Reasons = append(out.Reasons, Reason{Score: churnReason, Effect: p - started, Text: text[split:]})
}

// historyText: "5 purchase days, usually 21 days apart; a first-time buyer starts at 0.71".
func (s *Scorer) historyText(b []byte, base float64) []byte {
	x := s.f.history.Repeats
	b = strconv.AppendInt(b, int64(x)+1, 10)
	b = append(b, " purchase days, on average "...)
	b = appendDays(b, s.f.history.Sum/float64(x))
	b = append(b, " apart; "...)
	return appendBase(b, base)
}

// silenceText: "35 days since the last order; usual gap 21".
func (s *Scorer) silenceText(b []byte, base float64) []byte {
	b = appendDays(b, math.Floor(s.gap))
	if x := s.f.history.Repeats; x > 0 {
		b = append(b, " since the last order; usual gap "...)
		return appendRounded(b, s.f.history.Sum/float64(x))
	}
	return appendBase(append(b, " since the only order; "...), base)
}

func appendBase(b []byte, base float64) []byte {
	return strconv.AppendFloat(append(b, "a first-time buyer starts at "...), base, 'f', 2, 64)
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
