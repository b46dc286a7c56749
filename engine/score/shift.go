package score

import "github.com/dangol-dev/dangol/engine/rfm"

// Shift is how an Aggregate moves: what some customers contributed and
// contribute now, added up. It costs by its moves, not by the size of the
// population. Its bytes may be added to any Aggregate, with those of others in any
// order. One goroutine at a time.
type Shift struct {
	tally    tally
	measures rfm.Shift
}

// NewShift returns the Shift of nobody.
func NewShift() *Shift { return &Shift{tally: newTally()} }

// Move tells that a customer's Emission was before and is after. The zero Emission
// is nobody's, see Aggregate.Add. It does not allocate once its memory has grown.
func (s *Shift) Move(before, after *Emission) {
	if !talliesAs(before, after) {
		s.tally.count(before, -1)
		s.tally.count(after, +1)
	}
	s.measures.Move(before.customer(), after.customer())
}

// talliesAs says whether both are counted alike by a tally.
func talliesAs(a, b *Emission) bool {
	return a.Stage == b.Stage && a.Level == b.Level && a.Buyer == b.Buyer && a.Band == b.Band &&
		a.Segment == b.Segment && a.PreviousSegment == b.PreviousSegment
}

// Reset forgets the moves and keeps their memory.
func (s *Shift) Reset() {
	s.tally.reset()
	s.measures.Reset()
}

// Empty says whether the moves come to nothing.
func (s *Shift) Empty() bool { return s.tally.empty() && s.measures.Empty() }

// Append appends the bytes that Aggregate.Decode reads.
func (s *Shift) Append(dst []byte) []byte { return s.measures.Append(s.tally.append(dst)) }
