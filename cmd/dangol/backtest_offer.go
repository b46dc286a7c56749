package main

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/bench/quality"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/pipeline"
	"github.com/dangol-dev/dangol/engine/score"
)

var nan = math.NaN()

// offered is how long the lists are that are judged.
const offered = 20

// tally counts in how many orders each item is.
func tally(l *ledger.Ledger, r *ledger.Rules, counts map[uint64]int) {
	for s := l.Sales(r); s.Next(); {
		for _, item := range s.Items {
			counts[item]++
		}
	}
}

// ranked are the items of most counts first, equals by their number.
func ranked(counts map[uint64]int) []uint64 {
	return rankedBy(counts, nil)
}

// rankedBy is ranked, equals by their other counts.
func rankedBy(counts, others map[uint64]int) []uint64 {
	items := slices.Collect(maps.Keys(counts))
	slices.SortFunc(items, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(others[b], others[a]), cmp.Compare(a, b))
	})
	return items
}

// basket is the customer's first order after the cut, with what the engine
// offered before it and the customer's own favourites; false: there was none, or
// it names no item.
func (t *trial) basket(x *pipeline.Examined) (quality.Basket, bool) {
	l := t.after[x.Doc.CustomerID]
	if l == nil {
		return quality.Basket{}, false
	}
	next := l.Sales(&t.rules)
	if !next.Next() || len(next.Items) == 0 {
		return quality.Basket{}, false
	}
	own := map[uint64]int{}
	tally(x.Facts, &t.rules, own)
	b := quality.Basket{Bought: map[uint64]bool{}, Known: map[uint64]bool{}}
	for _, item := range next.Items {
		b.Bought[item] = true
	}
	for item := range own {
		b.Known[item] = true
	}
	// Long enough for lists of new items alone.
	b.Lists = [][]uint64{hashes(x.Offers(len(own) + 2*offered))}
	b.Own = own
	return b, true
}

// addSimple adds the lists of simpler ways: the customer's favourites, equals by
// how popular they are, and behind them the best sellers new to the customer; and
// the best sellers alone.
func addSimple(baskets []quality.Basket, counts map[uint64]int) {
	popular := ranked(counts)
	for i := range baskets {
		b := &baskets[i]
		favourites := rankedBy(b.Own, counts)
		mixed := favourites
		for _, item := range popular {
			if len(mixed) >= len(favourites)+offered {
				break
			}
			if !b.Known[item] {
				mixed = append(mixed, item)
			}
		}
		b.Lists = append(b.Lists[:1], mixed, popular[:min(len(popular), len(favourites)+offered)])
	}
}

func hashes(offers []score.Offer) []uint64 {
	items := make([]uint64, len(offers))
	for i := range offers {
		items[i] = event.Hash(offers[i].ItemID)
	}
	return items
}
