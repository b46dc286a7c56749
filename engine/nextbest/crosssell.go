package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// seed is an item whose neighbours are asked for.
type seed struct {
	item   uint64
	weight float64
}

// rule is one seed's word for a candidate.
type rule struct {
	seed     int
	strength float64 // weighted
	nb       basket.Neighbour
}

// candidate is an item that some seed speaks for, with its strongest rules,
// strongest first.
type candidate struct {
	item   uint64
	barred bool
	n      int
	rules  [maxRules]rule
}

// score joins the rules as independent chances: 1 − Π(1 − strength). Rules of
// one customer overlap, which is why no more than maxRules are joined.
func (c *candidate) score() float64 {
	miss := 1.0
	for _, r := range c.rules[:c.n] {
		miss *= 1 - r.strength
	}
	return 1 - miss
}

// add keeps a rule if it is among the strongest; of equals the earlier seed's.
func (c *candidate) add(r rule) {
	i := c.n
	if i == maxRules {
		if i--; r.strength <= c.rules[i].strength {
			return
		}
	} else {
		c.n++
	}
	for ; i > 0 && r.strength > c.rules[i-1].strength; i-- {
		c.rules[i] = c.rules[i-1]
	}
	c.rules[i] = r
}

// candidates finds a candidate by its item: open addressing over a table that
// stays in the processor's cache and is three times as long as the most
// candidates there can be, maxSeeds·basket.MaxNeighbours.
type candidates struct {
	list  []candidate
	table [512]uint16 // index in list, plus one
}

func (t *candidates) reset() {
	t.list = t.list[:0]
	clear(t.table[:])
}

// find returns the candidate of an item, or nil and where it belongs.
func (t *candidates) find(item uint64) (c *candidate, at int) {
	at = int(item % uint64(len(t.table)))
	for {
		i := t.table[at]
		if i == 0 {
			return nil, at
		}
		if c := &t.list[i-1]; c.item == item {
			return c, at
		}
		at = (at + 1) % len(t.table)
	}
}

// bar keeps items from being offered.
func (t *candidates) bar(items ...uint64) {
	for _, it := range items {
		if c, _ := t.find(it); c != nil {
			c.barred = true
		}
	}
}

// crossSell offers what the neighbours of the customer's latest items are, but
// for what was ever ordered, kept or not, or already lies in the cart.
func (r *Recommender) crossSell(l *ledger.Ledger, k int) {
	r.plant(l)
	r.found.reset()
	for s := range r.seeds {
		r.neighbours = r.ask(r.seeds[s].item, r.neighbours[:0])
		for _, nb := range r.neighbours {
			c, at := r.found.find(nb.Item)
			if c == nil {
				r.found.list = append(r.found.list, candidate{item: nb.Item})
				r.found.table[at] = uint16(len(r.found.list))
				c = &r.found.list[len(r.found.list)-1]
			}
			c.add(rule{seed: s, strength: nb.Strength * r.seeds[s].weight, nb: nb})
		}
	}
	if len(r.found.list) == 0 {
		return
	}
	for i := range l.Orders {
		r.found.bar(l.Orders[i].Items...)
	}
	for i := range l.Pending {
		r.found.bar(l.Pending[i].Items...)
	}
	r.found.bar(r.cart...)
	for i := range r.found.list {
		if c := &r.found.list[i]; !c.barred {
			r.offer(pick{item: c.item, score: c.score(), cand: i}, k)
		}
	}
}

// ask is how an item's neighbours are come by.
func (r *Recommender) ask(item uint64, dst []basket.Neighbour) []basket.Neighbour {
	if r.Exact {
		return r.counts.Exact(item, basket.MaxNeighbours, dst)
	}
	return r.counts.Neighbours(item, basket.MaxNeighbours, dst)
}

// plant chooses the seeds: what lies in the cart, then what was in the latest
// orders, then what was looked at last, up to maxSeeds. An item in the cart
// weighs as much as one that was ordered: it is the order that the counts speak
// of. The counts say nothing of items that were only looked at; they weigh what
// the configuration says.
func (r *Recommender) plant(l *ledger.Ledger) {
	r.seeds = r.seeds[:0]
	for _, it := range r.cart {
		r.plantOne(it, 1)
	}
	for i := 0; i < len(r.recent) && len(r.seeds) < maxSeeds; i++ {
		for _, it := range r.recent[i].items {
			r.plantOne(it, 1)
		}
	}
	if r.cfg.ViewWeight > 0 {
		for i := range l.Views {
			r.plantOne(l.Views[i].Item, r.cfg.ViewWeight)
		}
	}
}

func (r *Recommender) plantOne(item uint64, weight float64) {
	if len(r.seeds) < maxSeeds && !slices.ContainsFunc(r.seeds, func(s seed) bool { return s.item == item }) {
		r.seeds = append(r.seeds, seed{item, weight})
	}
}

// hash is the hash of an item that the dictionary knows by that id.
func (r *Recommender) hash(id string) (uint64, bool) {
	h := event.Hash(id)
	it, ok := r.names.Lookup(h)
	return h, ok && it.ID == id
}
