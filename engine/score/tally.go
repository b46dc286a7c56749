package score

import "github.com/dangol-dev/dangol/engine/rfm"

// tally counts customers by what was last said about them. It is linear. The zero
// tally is of nobody, but that its maps are to be made.
type tally struct {
	customers int
	buyers    int
	levels    [4]int
	stages    [256]int // by number
	bands     [256]int // by number
	segments  map[string]int
	moves     map[move]int
}

// move is from one segment to another.
type move struct{ from, to string }

func newTally() tally { return tally{segments: map[string]int{}, moves: map[move]int{}} }

// count counts a customer n times.
func (t *tally) count(em *Emission, n int) {
	if em.Stage == 0 {
		return
	}
	t.customers += n
	t.levels[min(int(em.Level), len(t.levels)-1)] += n
	t.stages[em.Stage] += n
	if !em.Buyer {
		return
	}
	t.buyers += n
	t.bands[em.Band] += n
	step(t.segments, em.Segment, n)
	if em.PreviousSegment != "" {
		step(t.moves, move{em.PreviousSegment, em.Segment}, n)
	}
}

// step moves a counter and keeps no zeros.
func step[K comparable](m map[K]int, key K, n int) {
	if v := m[key] + n; v != 0 {
		m[key] = v
	} else {
		delete(m, key)
	}
}

// merge adds what o counts.
func (t *tally) merge(o *tally) {
	t.customers += o.customers
	t.buyers += o.buyers
	for i, n := range o.levels {
		t.levels[i] += n
	}
	for i := range o.stages {
		t.stages[i] += o.stages[i]
		t.bands[i] += o.bands[i]
	}
	for k, n := range o.segments {
		step(t.segments, k, n)
	}
	for k, n := range o.moves {
		step(t.moves, k, n)
	}
}

func (t *tally) empty() bool {
	return t.customers == 0 && t.buyers == 0 && t.levels == [4]int{} && t.stages == [256]int{} && t.bands == [256]int{} &&
		len(t.segments) == 0 && len(t.moves) == 0
}

// sound says whether the parts add up.
func (t *tally) sound() bool {
	levels, stages, bands, segments := 0, 0, 0, 0
	for _, n := range t.levels {
		levels += n
	}
	for i := range t.stages {
		stages += t.stages[i]
		bands += t.bands[i]
	}
	for _, n := range t.segments {
		segments += n
	}
	return levels == t.customers && stages == t.customers && bands == t.buyers && segments == t.buyers
}

func (t *tally) reset() {
	segments, moves := t.segments, t.moves
	clear(segments)
	clear(moves)
	*t = tally{segments: segments, moves: moves}
}

// customer is what em contributes to the measures.
func (em *Emission) customer() rfm.Customer {
	if em.Stage == 0 || !em.Buyer {
		return rfm.Customer{}
	}
	return rfm.Customer{LastDay: em.LastDay, Frequency: int(em.Frequency), Monetary: em.Monetary}
}
