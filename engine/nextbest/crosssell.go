package nextbest

import (
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// seed is an item whose neighbours are asked for.
type seed struct {
	item   uint64
	weight float64
	ref    basket.Ref
}

// rule is one seed's word for a candidate. Its figures are looked up when it is
// told, which few are.
type rule struct {
	strength float64 // weighted
	seed     int32
	count    int32 // orders that hold both
}

// candidate is an item that some seed speaks for, with its strongest rules,
// strongest first. It fills a line of the processor's cache.
type candidate struct {
	item   uint64
	rules  [maxRules]rule
	ref    basket.Ref
	n      uint8
	barred bool
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
	i := int(c.n)
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
	if len(t.list) > 0 {
		t.list = t.list[:0]
		clear(t.table[:])
	}
}

// speak adds a seed's word for its neighbour.
func (t *candidates) speak(nb *basket.Near, seed int, weight float64) {
	c, at := t.find(nb.Item)
	if c == nil {
		t.list = append(t.list, candidate{item: nb.Item, ref: nb.To})
		t.table[at] = uint16(len(t.list))
		c = &t.list[len(t.list)-1]
	}
	c.add(rule{strength: nb.Strength * weight, seed: int32(seed), count: nb.Count})
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
	for i := range r.seeds {
		s := &r.seeds[i]
		r.near = r.ask(s.item, r.near[:0])
		for k := range r.near {
			s.ref = r.near[k].Of
			r.found.speak(&r.near[k], i, s.weight)
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
		c := &r.found.list[i]
		if c.barred {
			continue
		}
		if v := c.score(); len(r.top) < k || v >= r.top[k-1].score {
			r.offer(pick{item: c.item, score: v, cand: i}, k)
		}
	}
}

// ask is how an item's neighbours are come by.
func (r *Recommender) ask(item uint64, dst []basket.Near) []basket.Near {
	if !r.Exact {
		return r.counts.Near(item, dst)
	}
	of := r.counts.Ref(item)
	for _, nb := range r.counts.Exact(item, basket.MaxNeighbours, nil) {
		dst = append(dst, basket.Near{
			Item: nb.Item, Strength: nb.Strength, Of: of, To: r.counts.Ref(nb.Item), Count: int32(nb.Count),
		})
	}
	return dst
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
	if len(r.seeds) == maxSeeds {
		return
	}
	for i := range r.seeds {
		if r.seeds[i].item == item {
			return
		}
	}
	r.seeds = append(r.seeds, seed{item: item, weight: weight})
}

// hash is the hash of an item that the dictionary knows by that id.
func (r *Recommender) hash(id string) (uint64, bool) {
	h := event.Hash(id)
	it, ok := r.names.Lookup(h)
	return h, ok && it.ID == id
}
