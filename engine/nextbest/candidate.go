package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

// candidate is an item that something speaks for.
type candidate struct {
	ref        basket.Ref
	own        int32 // in memory.own; −1: the customer never bought it
	inCart     bool
	looked     bool
	bestSeller bool
	popular    float32 // little, more for what is more popular: where nothing else speaks
	share      float32 // of all orders
	promise    float32 // rough measure of what speaks for it
	sums       [basket.NumKinds]float32
	best       voice // what speaks for it most
	second     voice
}

// voice is what one item of the customer's says for a candidate.
type voice struct {
	of    basket.Ref
	kind  basket.Kind
	value float32
}

// hear adds a voice.
func (c *candidate) hear(v voice) {
	c.sums[v.kind] += v.value
	switch {
	case v.value > c.best.value:
		if c.best.of != v.of {
			c.second = c.best
		}
		c.best = v
	case v.value > c.second.value && v.of != c.best.of:
		c.second = v
	}
}

// candidates finds a candidate by its item: open addressing over a table that
// stays in the processor's cache and is longer than there can be candidates.
type candidates struct {
	list  []candidate
	table [2048]uint16 // index in list, plus one
	order []int
}

func (t *candidates) reset() {
	if len(t.list) > 0 {
		t.list = t.list[:0]
		clear(t.table[:])
	}
}

// full is how many candidates are taken in at most.
const full = 1500

// at returns the candidate of an item, a new one where it is none yet, or a
// spare one that nobody looks at where there is no room.
func (t *candidates) at(ref basket.Ref) *candidate {
	i := uint32(ref) * 0x9e3779b1 >> 21
	for t.table[i] != 0 {
		if c := &t.list[t.table[i]-1]; c.ref == ref {
			return c
		}
		i = (i + 1) % uint32(len(t.table))
	}
	if len(t.list) >= full {
		return &candidate{}
	}
	t.list = append(t.list, candidate{ref: ref, own: -1})
	t.table[i] = uint16(len(t.list))
	return &t.list[len(t.list)-1]
}

// promising are the candidates worth a closer look: all that the customer has
// had, then the most others that most speaks for, in the order of that, equals by
// item, then the best sellers that are not among them.
func (t *candidates) promising(counts *basket.Counts, most int) []int {
	t.order = t.order[:0]
	for i := range t.list {
		if t.list[i].own >= 0 {
			t.order = append(t.order, i)
		}
	}
	own := len(t.order)
	for i := range t.list {
		c := &t.list[i]
		if c.own >= 0 {
			continue
		}
		c.promise = c.sums[basket.SameCustomer] + c.sums[basket.SameOrder] + c.sums[basket.NextOrder] + c.sums[basket.SameSession] + c.popular
		if c.looked {
			c.promise += 1e6
		}
		if len(t.order) < own+most {
			t.order = append(t.order, i)
		} else if last := len(t.order) - 1; most > 0 && t.better(i, t.order[last], counts) {
			t.order[last] = i
		} else {
			continue
		}
		for at := len(t.order) - 1; at > own && t.better(t.order[at], t.order[at-1], counts); at-- {
			t.order[at], t.order[at-1] = t.order[at-1], t.order[at]
		}
	}
	for i := range t.list {
		if c := &t.list[i]; c.bestSeller && c.own < 0 && !slices.Contains(t.order[own:], i) {
			t.order = append(t.order, i)
		}
	}
	return t.order
}

// better orders candidates by their promise, equals by item.
func (t *candidates) better(a, b int, counts *basket.Counts) bool {
	x, y := &t.list[a], &t.list[b]
	if x.promise != y.promise {
		return x.promise > y.promise
	}
	return counts.Item(x.ref) < counts.Item(y.ref)
}

// own makes candidates of what the customer has had, what lies in the cart, and
// what was looked at.
func (r *Recommender) own() {
	m := &r.mem
	for i := range m.own {
		if m.own[i].ref != 0 {
			r.found.at(m.own[i].ref).own = int32(i)
		}
	}
	for _, ref := range m.cart {
		if ref != 0 {
			r.found.at(ref).inCart = true
		}
	}
	for _, ref := range m.views {
		r.found.at(ref).looked = true
	}
}

// each calls ask with everything that the customer has and that speaks for
// others, and how much its word counts.
func (r *Recommender) each(ask func(k basket.Kind, of basket.Ref, w float32)) {
	m := &r.mem
	for i := range m.own[:min(len(m.own), maxSeeds)] {
		o := &m.own[i]
		w := float32(o.weight())
		ask(basket.SameCustomer, o.ref, w)
		if o.age == 0 && i < maxLatest {
			ask(basket.NextOrder, o.ref, 1)
			ask(basket.SameOrder, o.ref, w)
		}
	}
	for _, ref := range m.cart[:min(len(m.cart), maxLatest)] {
		ask(basket.SameOrder, ref, 1)
		ask(basket.SameCustomer, ref, 1)
	}
	w := float32(1)
	for _, ref := range m.views {
		ask(basket.SameSession, ref, w)
		w *= viewFade
	}
}

// viewFade is how much less a view says than the one after it.
const viewFade = .4

// neighbours lets what the customer has speak for what is near it.
func (r *Recommender) neighbours() {
	r.each(func(k basket.Kind, of basket.Ref, w float32) {
		if of == 0 {
			return
		}
		var near [basket.MaxNear]basket.Near
		for _, n := range near[:r.counts.Near(k, of, &near)] {
			if n.To != of {
				r.found.at(n.To).hear(voice{of: of, kind: k, value: w * n.Strength})
			}
		}
	})
}
