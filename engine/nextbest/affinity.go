package nextbest

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// GoesWith is the kind of an offer to nobody in particular: to whoever has the
// items asked about.
const GoesWith = "goes_with"

// hash is the hash of an item that the dictionary knows by that id.
func (r *Recommender) hash(id string) (uint64, bool) {
	h := event.Hash(id)
	it := r.names.Get(h)
	return h, it != nil && it.ID == id
}

// Affinities returns the k strongest neighbours of an item under a kind of
// evidence that hold (basket.Counts.Holds), strongest first. It is nil for an item
// never seen, and empty for one without neighbours. Many may ask at a time.
func (r *Recommender) Affinities(item string, kind basket.Kind, k int) []score.Affinity {
	h, ok := r.hash(item)
	if !ok {
		return nil
	}
	found := r.counts.Neighbours(kind, h, k, nil)
	out := make([]score.Affinity, 0, len(found))
	for i := range found {
		if it := r.names.Get(found[i].Item); it != nil {
			out = append(out, AffinityOf(it.ID, &found[i]))
		}
	}
	return out
}

// AffinityOf is a neighbour with its figures and its name.
func AffinityOf(id string, nb *basket.Neighbour) score.Affinity {
	return score.Affinity{
		ItemID: id, Count: nb.Count, Short: nb.Short, Support: nb.Support(), Confidence: nb.Confidence(), Lift: nb.Lift(),
		Leverage: nb.Leverage(), LLR: nb.LLR(), Strength: nb.Strength,
	}
}

// Together returns the k items that go best with all of a set of items, such as
// a cart. Their rules join as independent chances, 1 − Π(1 − strength); of a
// pair of the items whose triple with the third is counted, the pair's own rule
// joins too. Items of the set are not among them. The ids that nobody knows are
// returned as unknown.
func (r *Recommender) Together(ids []string, kind basket.Kind, k int) (offers []score.Offer, unknown []string) {
	var set []uint64
	for _, id := range ids {
		h, ok := r.hash(id)
		if !ok {
			unknown = append(unknown, id)
		} else if !slices.Contains(set, h) {
			set = append(set, h)
		}
	}
	found := map[uint64][]ruled{}
	for _, h := range set {
		for _, nb := range r.counts.Neighbours(kind, h, perItem, nil) {
			if !slices.Contains(set, nb.Item) {
				found[nb.Item] = append(found[nb.Item], ruled{nb.Table2, nb.Strength, []uint64{h}})
			}
		}
	}
	for item, rules := range found {
		it := r.names.Get(item)
		if it == nil || it.Hidden || it.Unavailable {
			continue
		}
		if kind == basket.SameOrder {
			rules = append(rules, r.pairRules(set, item)...)
		}
		offers = append(offers, r.joined(it.ID, kind, rules))
	}
	slices.SortFunc(offers, func(a, b score.Offer) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ItemID, b.ItemID))
	})
	return offers[:min(k, len(offers))], unknown
}

const (
	perItem = 100 // neighbours looked at of each item of a set
	maxTold = 3   // rules told of each offer
)

// ruled is a rule with its left side.
type ruled struct {
	basket.Table2
	strength float64
	items    []uint64
}

// pairRules are those with two items of the set on the left side.
func (r *Recommender) pairRules(set []uint64, item uint64) (rules []ruled) {
	for i, a := range set {
		for _, b := range set[i+1:] {
			if t := r.counts.TripleTable(a, b, item); t.Both >= 1 && t.A > 0 {
				if s := t.Strength(r.counts.Prior()); s > 0 {
					rules = append(rules, ruled{t, s, []uint64{a, b}})
				}
			}
		}
	}
	return rules
}

func (r *Recommender) joined(id string, kind basket.Kind, rules []ruled) score.Offer {
	slices.SortStableFunc(rules, func(a, b ruled) int { return cmp.Compare(b.strength, a.strength) })
	o, miss := score.Offer{ItemID: id, Kind: GoesWith}, 1.
	for i := range rules {
		v := &rules[i]
		miss *= 1 - v.strength
		if i < maxTold {
			o.Because = r.because(o.Because, "", kind.String(), v.Table2)
			b := &o.Because[len(o.Because)-1]
			b.ItemIDs = b.ItemIDs[:0]
			for _, h := range v.items {
				b.ItemIDs = append(b.ItemIDs, r.names.Get(h).ID)
			}
		}
	}
	o.Score = 1 - miss
	return o
}
