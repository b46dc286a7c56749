package main

import (
	"cmp"
	"context"
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

// popular are the items in most orders before the cut, best first.
func (t *trial) popular(ctx context.Context) ([]uint64, error) {
	counts := map[uint64]int{}
	err := t.history.core.Examine(ctx, t.cut, func(x *pipeline.Examined) error {
		tally(x.Facts, &t.rules, counts)
		return nil
	})
	return ranked(counts), err
}

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
	items := make([]uint64, 0, len(counts))
	for item := range counts {
		items = append(items, item)
	}
	slices.SortFunc(items, func(a, b uint64) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return items
}

// basket is the customer's first order after the cut, with what the engine and
// the baselines offered before it; false: there was none, or it names no item.
func (t *trial) basket(x *pipeline.Examined, popular []uint64) (quality.Basket, bool) {
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
	favourites := ranked(own)
	mixed := slices.Clone(favourites)
	for _, item := range popular {
		if len(mixed) >= len(favourites)+offered {
			break
		}
		if own[item] == 0 {
			mixed = append(mixed, item)
		}
	}
	b.Lists = [][]uint64{hashes(x.Offers(offered)), mixed, popular[:min(len(popular), len(own)+offered)]}
	return b, true
}

func hashes(offers []score.Offer) []uint64 {
	items := make([]uint64, len(offers))
	for i := range offers {
		items[i] = event.Hash(offers[i].ItemID)
	}
	return items
}
