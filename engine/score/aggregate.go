package score

import (
	"maps"

	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/rfm"
)

// Aggregate is the live population: sums over customers' Emissions. It is
// linear and exact: adding, taking away and merging in any order give the same
// as building it from the Emissions that remain. One goroutine at a time.
type Aggregate struct {
	tally
	measures rfm.Population
}

// NewAggregate returns the population of nobody.
func NewAggregate() *Aggregate { return &Aggregate{tally: newTally()} }

// Add counts a customer. An Emission without a stage is nobody's: never scored,
// or erased.
func (a *Aggregate) Add(em *Emission) {
	a.tally.count(em, 1)
	a.measures.Add(em.customer())
}

// Remove takes a customer away, as it was added.
func (a *Aggregate) Remove(em *Emission) {
	a.tally.count(em, -1)
	a.measures.Remove(em.customer())
}

// Merge adds all customers of o.
func (a *Aggregate) Merge(o *Aggregate) {
	a.tally.merge(&o.tally)
	a.measures.Merge(&o.measures)
}

// Buyers is the number of customers with an order.
func (a *Aggregate) Buyers() int { return a.buyers }

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
	maps.Copy(p.Segments, a.segments)
	for i := range a.stages {
		if n := a.stages[i]; n != 0 {
			p.Stages[journey.Stage(i).String()] = n
		}
		if n := a.bands[i]; n != 0 {
			p.Bands[Band(i).String()] += n
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
