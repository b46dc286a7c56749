package nextbest

import "github.com/dangol-dev/dangol/engine/basket"

// word is what one item of the customer's says for those near it.
type word struct {
	of     basket.Ref
	kind   basket.Kind
	weight float32
	near   []basket.Near // the counts' own, or in room
	room   [basket.MaxNear]basket.Near
}

// voice is what it says for one of them.
type voice struct {
	value  float32
	word   uint16
	before uint16 // the voice for the same candidate before it, plus one; 0: there is none
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

// listen collects the words of what the customer has.
func (r *Recommender) listen() {
	r.words, r.voices = r.words[:0], r.voices[:0]
	r.each(func(k basket.Kind, of basket.Ref, weight float32) {
		if of == 0 {
			return
		}
		r.words = grow(r.words)
		w := &r.words[len(r.words)-1]
		w.of, w.kind, w.weight = of, k, weight
	})
}

// neighbours lets what the customer has speak for what is near it.
func (r *Recommender) neighbours() {
	r.listen()
	for i := range r.words { // all before the first is heard: so memory is waited for side by side
		w := &r.words[i]
		w.near = r.counts.Near(w.kind, w.of, &w.room)
	}
	for i := range r.words {
		w := &r.words[i]
		for _, n := range w.near {
			if n.To != w.of {
				r.hear(i, &r.found.list[r.found.at(n.To)], n.Strength)
			}
		}
		w.near = nil // the counts may have to let go of it
	}
}

// hear lets the i-th word speak for a candidate that is so near.
func (r *Recommender) hear(i int, c *candidate, strength float32) {
	w := &r.words[i]
	v := w.weight * strength
	c.sums[w.kind] += v
	r.voices = append(r.voices, voice{value: v, word: uint16(i), before: c.latest})
	c.latest = uint16(len(r.voices))
}

// loudest are the words, of different items, that say most for a candidate, the
// first of equals; nil: there is none. Few candidates are offered, so they are
// asked for afterwards.
func (r *Recommender) loudest(c *candidate) (words [2]*word) {
	var most [2]float32
	for at := c.latest; at != 0; {
		v := &r.voices[at-1]
		w := &r.words[v.word]
		switch {
		case v.value >= most[0]:
			if words[0] != nil && words[0].of != w.of {
				words[1], most[1] = words[0], most[0]
			}
			words[0], most[0] = w, v.value
		case v.value >= most[1] && words[0].of != w.of:
			words[1], most[1] = w, v.value
		}
		at = v.before
	}
	return words
}
