package score

import (
	"github.com/dangol-dev/dangol/engine/rfm"
)

// Aggregate is the live population: sums over customers' Emissions. It is
// linear and exact: adding, taking away and merging in any order give the same
// as building it from the Emissions that remain. One goroutine at a time.
type Aggregate struct {
	customers int
	buyers    int
	measures  rfm.Population
	segments  map[string]int
	stages    map[string]int
	bands     map[string]int
	levels    [4]int
	moves     map[move]int
}

// move is from one segment to another.
type move struct{ from, to string }

// NewAggregate returns the population of nobody.
func NewAggregate() *Aggregate {
	return &Aggregate{
		segments: map[string]int{}, stages: map[string]int{}, bands: map[string]int{}, moves: map[move]int{},
	}
}

// Add counts a customer. An Emission without a stage is nobody's: never scored,
// or erased.
func (a *Aggregate) Add(em *Emission) { a.count(em, 1) }

// Remove takes a customer away, as it was added.
func (a *Aggregate) Remove(em *Emission) { a.count(em, -1) }

func (a *Aggregate) count(em *Emission, n int) {
	if em.Stage == 0 {
		return
	}
	a.customers += n
	a.levels[min(int(em.Level), len(a.levels)-1)] += n
	step(a.stages, em.Stage.String(), n)
	if !em.Buyer {
		return
	}
	a.buyers += n
	step(a.segments, em.Segment, n)
	step(a.bands, em.Band.String(), n)
	if em.PreviousSegment != "" {
		step(a.moves, move{em.PreviousSegment, em.Segment}, n)
	}
	c := rfm.Customer{LastDay: em.LastDay, Frequency: int(em.Frequency), Monetary: em.Monetary}
	if n > 0 {
		a.measures.Add(c)
	} else {
		a.measures.Remove(c)
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

// Merge adds all customers of o.
func (a *Aggregate) Merge(o *Aggregate) {
	a.customers += o.customers
	a.buyers += o.buyers
	a.measures.Merge(&o.measures)
	for _, m := range [][2]map[string]int{{a.segments, o.segments}, {a.stages, o.stages}, {a.bands, o.bands}} {
		for k, n := range m[1] {
			step(m[0], k, n)
		}
	}
	for i, n := range o.levels {
		a.levels[i] += n
	}
	for k, n := range o.moves {
		step(a.moves, k, n)
	}
}

// Cuts are the live population's cut points as of a calendar day. Publish them
// where they Moved from the published ones.
func (a *Aggregate) Cuts(day int32) Cuts { return a.measures.Cuts(day) }

// Population is the document of all customers as of an instant, with the cut
// points that scores are given by.
func (a *Aggregate) Population(asOf int64, cuts Cuts) *Population {
	p := &Population{
		AsOf: asOf, Customers: a.customers, Buyers: a.buyers, Cuts: cuts,
		Segments: map[string]int{}, Stages: map[string]int{}, Bands: map[string]int{},
		Levels: a.levels, Profile: Profile(a.levels), Migrations: map[string]map[string]int{},
	}
	for _, m := range [][2]map[string]int{{p.Segments, a.segments}, {p.Stages, a.stages}, {p.Bands, a.bands}} {
		for k, n := range m[1] {
			m[0][k] = n
		}
	}
	for k, n := range a.moves {
		to := p.Migrations[k.from]
		if to == nil {
			to = map[string]int{}
			p.Migrations[k.from] = to
		}
		to[k.to] = n
	}
	return p
}
