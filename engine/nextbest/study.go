package nextbest

import (
	"cmp"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// study is an order beside what is known before it. It is memory between calls.
type study struct {
	bought     []basket.Ref
	ranked     []ranked
	list       []basket.Ref
	favourites []favourite
	examples   []Example
}

type ranked struct {
	ref basket.Ref
	p   float64
}

type favourite struct {
	ref    basket.Ref
	orders int32
}

// Study makes the list that would have been offered before an order of the items
// (hashes), judges it and the simpler ways beside it, and fills lesson. The
// ledger and the counts must not know the order. What lies in the cart is passed
// over, as if the list had been made before: it is the order itself, mostly.
func (r *Recommender) Study(l *ledger.Ledger, m *score.OfferModel, now int64, items []uint64, lesson *Lesson) {
	if r.gather(l, now, false); !r.mem.says() {
		r.popular()
	}
	s := &r.study
	s.bought, s.ranked, s.examples = s.bought[:0], s.ranked[:0], s.examples[:0]
	for _, it := range items {
		if ref := r.counts.Ref(it); ref == 0 || !slices.Contains(s.bought, ref) {
			s.bought = append(s.bought, ref)
		}
	}
	r.total(m)
	for _, at := range r.found.promising(r.counts, r.look.bestSellers(), maxRanked) {
		c := &r.found.list[at]
		s.ranked = append(s.ranked, ranked{c.ref, r.probability(c, m)})
		if len(r.mem.sales) > 0 { // of who has bought nothing, only popularity speaks
			r.keep(c, lesson.Order)
		}
	}
	slices.SortFunc(s.ranked, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.ref, b.ref)) })
	lesson.Sums, lesson.Examples = r.sums, append(lesson.Examples[:0], s.examples...)
	lesson.Verdict = Verdict{
		ByDangol: r.judge(s.likeliest()), ByFavourites: r.judge(r.favourites()), ByPopularity: r.judge(r.look.Popular),
	}
}

// keep makes an example of a candidate whose columns have just been computed, if
// it was bought or stands for others that were not.
func (r *Recommender) keep(c *candidate, order uint64) {
	e := Example{Again: c.own > 0, Bought: slices.Contains(r.study.bought, c.ref), Weight: 1}
	if !e.Bought {
		if (uint64(c.ref)*0x9e3779b97f4a7c15^order)*0xbf58476d1ce4e5b9>>62 != 0 {
			return
		}
		e.Weight = skipped
	}
	for i, v := range r.cols {
		e.X[i] = float32(v)
	}
	for i, w := range r.of(c) {
		e.Voices[i] = float32(w)
	}
	r.study.examples = append(r.study.examples, e)
}

// likeliest are the items as they were ranked.
func (s *study) likeliest() []basket.Ref {
	s.list = s.list[:0]
	for i := range s.ranked {
		s.list = append(s.list, s.ranked[i].ref)
	}
	return s.list
}

// favourites are what the customer bought most often, then the best sellers that
// it did not.
func (r *Recommender) favourites() []basket.Ref {
	s := &r.study
	s.list, s.favourites = s.list[:0], s.favourites[:0]
	for i := range r.mem.own {
		s.favourites = append(s.favourites, favourite{r.mem.own[i].ref, r.mem.own[i].orders})
	}
	slices.SortStableFunc(s.favourites, func(a, b favourite) int { return cmp.Compare(b.orders, a.orders) })
	for i := range s.favourites {
		s.list = append(s.list, s.favourites[i].ref)
	}
	for _, ref := range r.look.Popular {
		if !r.found.has(ref) {
			s.list = append(s.list, ref)
		}
	}
	return s.list
}

// part is that of an item.
func (r *Recommender) part(ref basket.Ref) int {
	if r.found.has(ref) {
		return OldItems
	}
	return NewItems
}

// judge looks at the order's items, of each part those, and at the first
// ListLength of the list.
func (r *Recommender) judge(list []basket.Ref) (hits [numParts]Hits) {
	var target, place, found [numParts]int
	for _, ref := range r.study.bought {
		target[AllItems]++
		target[r.part(ref)]++
	}
	for _, ref := range list {
		if min(place[NewItems], place[OldItems]) == ListLength {
			break
		}
		own, bought := r.part(ref), slices.Contains(r.study.bought, ref)
		for _, part := range [2]int{AllItems, own} {
			if place[part] == ListLength {
				continue
			}
			if bought {
				found[part]++
				hits[part].NDCG += gains[place[part]]
			}
			place[part]++
		}
	}
	for part := range hits {
		h := &hits[part]
		if target[part] == 0 {
			*h = Hits{}
			continue
		}
		h.Orders = 1
		h.NDCG /= ideal[min(target[part], ListLength)]
		h.Recall = float64(found[part]) / float64(target[part])
		if found[part] > 0 {
			h.Hit = 1
		}
	}
	return hits
}

// gains are what a hit counts at each place of a list, and ideal what so many come
// to at the first places.
var gains, ideal = func() (gains [ListLength]float64, ideal [ListLength + 1]float64) {
	for i := range gains {
		gains[i] = 1 / math.Log2(float64(i+2))
		ideal[i+1] = ideal[i] + gains[i]
	}
	return gains, ideal
}()
