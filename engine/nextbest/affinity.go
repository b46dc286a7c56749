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
		if it == nil || it.Hidden || it.Unavailable || it.Consent != "" {
			continue
		}
		offers = append(offers, r.joined(it.ID, kind, rules))
	}
	slices.SortFunc(offers, byScore)
	offers = offers[:min(k*reranked, len(offers))]
	if kind == basket.SameOrder {
		r.joinPairs(set, found, offers)
		slices.SortFunc(offers, byScore)
	}
	return offers[:min(k, len(offers))], unknown
}

// byScore orders offers, equals by id.
func byScore(a, b score.Offer) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ItemID, b.ItemID))
}

const (
	perItem  = 100 // neighbours looked at of each item of a set
	joins    = 3   // rules, the strongest, that an offer rests on: rules of one set overlap
	reranked = 4   // times as many offers as asked for have their pair rules looked at
	paired   = 6   // items of the set, those that speak loudest, that are paired
)

// ruled is a rule with its left side.
type ruled struct {
	basket.Table2
	strength float64
	items    []uint64
}

// joinPairs adds to the offers' rules those with two items on the left side, each
// in the place of its two items' own where it is the stronger.
func (r *Recommender) joinPairs(set []uint64, found map[uint64][]ruled, offers []score.Offer) {
	for i := range offers {
		item, rules := event.Hash(offers[i].ItemID), found[event.Hash(offers[i].ItemID)]
		slices.SortStableFunc(rules, louder)
		single := rules[:min(paired, len(rules))]
		for x := range single {
			for y := range single[:x] {
				a, b := single[x].items[0], single[y].items[0]
				t := r.counts.TripleTable(a, b, item)
				if !r.counts.Sound(t) {
					continue
				}
				if s := t.Strength(r.counts.Prior()); s > max(single[x].strength, single[y].strength) {
					rules = append(rules, ruled{t, s, []uint64{a, b}})
				}
			}
		}
		offers[i] = r.joined(offers[i].ItemID, basket.SameOrder, rules)
	}
}

// louder orders rules, the strongest first.
func louder(a, b ruled) int { return cmp.Compare(b.strength, a.strength) }

// joined is the offer that rules make: the strongest joins of them, no item of the
// left side twice.
func (r *Recommender) joined(id string, kind basket.Kind, rules []ruled) score.Offer {
	slices.SortStableFunc(rules, louder)
	o, miss := score.Offer{ItemID: id, Kind: GoesWith}, 1.
	var used []uint64
	for i := range rules {
		v := &rules[i]
		if slices.ContainsFunc(v.items, func(h uint64) bool { return slices.Contains(used, h) }) {
			continue
		}
		used = append(used, v.items...)
		miss *= 1 - v.strength
		o.Because = r.because(o.Because, "", kind.String(), v.Table2)
		b := &o.Because[len(o.Because)-1]
		b.ItemIDs = b.ItemIDs[:0]
		for _, h := range v.items {
			b.ItemIDs = append(b.ItemIDs, r.names.Get(h).ID)
		}
		if len(o.Because) == joins {
			break
		}
	}
	o.Score = 1 - miss
	return o
}
