package score

import (
	"math"

	"github.com/dangol-dev/dangol/engine/event"
)

// Delta is one field that changed.
type Delta struct {
	Field    string // path in the document: "churn.band"
	Old, New Side
}

// Side is one side of a Delta: the value as it stands in the document, or none.
// The zero Side is none. It is a plain value, so that a change is told without
// an allocation; a list is not copied, it stays whose it was.
type Side struct {
	kind SideKind
	bits uint64 // a number's
	text string
	list []string
}

// SideKind says what a Side holds.
type SideKind uint8

// The kinds of a Side.
const (
	NoSide     SideKind = iota
	TextSide            // a name
	NumberSide          // a float64
	CountSide           // an int
	MoneySide           // an event.Micro
	ListSide            // names in order
)

// OfText is a name.
func OfText(s string) Side { return Side{kind: TextSide, text: s} }

// OfNumber is a number.
func OfNumber(f float64) Side { return Side{kind: NumberSide, bits: math.Float64bits(f)} }

// OfCount is a whole number.
func OfCount(n int) Side { return Side{kind: CountSide, bits: uint64(n)} }

// OfMoney is an amount.
func OfMoney(m event.Micro) Side { return Side{kind: MoneySide, bits: uint64(m)} }

// OfList is a list of names; ss is kept.
func OfList(ss []string) Side { return Side{kind: ListSide, list: ss} }

// Kind says which of the methods below answers; the others are meaningless.
func (s *Side) Kind() SideKind { return s.kind }

// Text is the name.
func (s *Side) Text() string { return s.text }

// Number is the number.
func (s *Side) Number() float64 { return math.Float64frombits(s.bits) }

// Count is the whole number.
func (s *Side) Count() int { return int(s.bits) }

// Money is the amount.
func (s *Side) Money() event.Micro { return event.Micro(s.bits) }

// List are the names. They are the owner's: of the deltas of Diff, the
// Scorer's or the document's.
func (s *Side) List() []string { return s.list }

// Any is the value as a string, float64, int, event.Micro or []string that is
// not nil; nil for none.
func (s Side) Any() any {
	switch s.kind {
	case TextSide:
		return s.text
	case NumberSide:
		return s.Number()
	case CountSide:
		return s.Count()
	case MoneySide:
		return s.Money()
	case ListSide:
		return append([]string{}, s.list...)
	}
	return nil
}
