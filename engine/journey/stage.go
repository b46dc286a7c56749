// Package journey says where a customer stands in the relation: a stage, a
// level, and since when. All three are functions of the facts, the rhythm
// model and the present instant; nothing about the way there is remembered.
package journey

import "fmt"

// Stage is where the customer stands. The numbers are stored; they are never
// reused. The first rule that holds decides:
//
//	prospect          no order (views, carts)
//	one purchase day, by the share of first gaps that have ended by now:
//	  new               less than new_until
//	  second_order_due  less than second_order_at
//	  at_risk           more
//	  dormant           at risk, and silent for dormant_days or P(alive) at most dormant_alive
//	several purchase days:
//	  dormant           at risk, and silent for dormant_days or P(alive) at most dormant_alive
//	  at_risk           overdue (overdue percentile at its threshold)
//	  reactivated       the last order ended a silence in which the customer had become dormant
//	  advocate          made a referral, or answered the NPS question with promoter_rating or more
//	  regular           at least regular_orders purchase days
//	  repeat            else
type Stage uint8

// The stages.
const (
	Prospect       Stage = 1
	New            Stage = 2
	SecondOrderDue Stage = 3
	Repeat         Stage = 4
	Regular        Stage = 5
	Advocate       Stage = 6
	AtRisk         Stage = 7
	Dormant        Stage = 8
	Reactivated    Stage = 9
)

var names = [...]string{
	Prospect: "prospect", New: "new", SecondOrderDue: "second_order_due", Repeat: "repeat", Regular: "regular",
	Advocate: "advocate", AtRisk: "at_risk", Dormant: "dormant", Reactivated: "reactivated",
}

// Stages returns every stage in the order of its number.
func Stages() []Stage {
	s := make([]Stage, 0, len(names)-1)
	for i := Prospect; int(i) < len(names); i++ {
		s = append(s, i)
	}
	return s
}

// String is the stage's name on the wire.
func (s Stage) String() string {
	if s == 0 || int(s) >= len(names) {
		return fmt.Sprintf("stage(%d)", uint8(s))
	}
	return names[s]
}
