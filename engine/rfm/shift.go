package rfm

import (
	"cmp"
	"slices"
)

// Shift is how a population moves: a list of what is counted and what no more,
// which costs by the moves and not by the bins there are, as a Population would
// that is cleared each time. The zero Shift is none. One goroutine at a time.
type Shift struct {
	moves [sections][]entry
}

// Move tells that a customer contributed before and contributes after; one with
// Frequency 0, nothing.
func (s *Shift) Move(before, after Customer) {
	var x, y [sections]entry
	if before.Frequency > 0 {
		x = entries(before, -1)
	}
	if after.Frequency > 0 {
		y = entries(after, +1)
	}
	for i := range s.moves {
		if x[i].key == y[i].key && x[i].n+y[i].n == 0 && x[i].sum+y[i].sum == 0 {
			continue
		}
		if x[i].n != 0 {
			s.moves[i] = append(s.moves[i], x[i])
		}
		if y[i].n != 0 {
			s.moves[i] = append(s.moves[i], y[i])
		}
	}
}

// Reset forgets the moves and keeps their memory.
func (s *Shift) Reset() {
	for i := range s.moves {
		s.moves[i] = s.moves[i][:0]
	}
}

// Empty says whether the moves come to nothing.
func (s *Shift) Empty() bool {
	s.settle()
	for i := range s.moves {
		if len(s.moves[i]) > 0 {
			return false
		}
	}
	return true
}

// Append appends the bytes that Population.Decode reads. It does not allocate.
func (s *Shift) Append(dst []byte) []byte {
	s.settle()
	dst = append(dst, format)
	for section, moves := range s.moves {
		before := int64(-1)
		for i := range moves {
			dst, before = moves[i].append(dst, section, before), int64(moves[i].key)
		}
		dst = append(dst, 0)
	}
	return dst
}

// settle leaves one entry of each key, ascending, and none that is zero.
func (s *Shift) settle() {
	for i, moves := range s.moves {
		slices.SortFunc(moves, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
		n := 0
		for _, e := range moves {
			if n > 0 && moves[n-1].key == e.key {
				moves[n-1].n += e.n
				moves[n-1].sum += e.sum
				continue
			}
			if n > 0 && moves[n-1].n == 0 && moves[n-1].sum == 0 {
				n--
			}
			moves[n] = e
			n++
		}
		if n > 0 && moves[n-1].n == 0 && moves[n-1].sum == 0 {
			n--
		}
		s.moves[i] = moves[:n]
	}
}
