package quality

import "math"

// Basket is one customer's next order, and what was offered before it.
type Basket struct {
	Bought map[uint64]bool // items
	Known  map[uint64]bool // items ordered before the cut
	Own    map[uint64]int  // and in how many orders
	Lists  [][]uint64      // of each recommender, best first
}

// JudgeOffers fills the report's NextBest: for each of the recommenders named,
// how many of the next order's items were offered, over all of them, over those
// new to the customer, and over repeats. Measures are means over the customers
// whose next order has such items.
func (r *Report) JudgeOffers(names []string, baskets []Basket) {
	if len(baskets) == 0 {
		return
	}
	n := &NextBest{Users: len(baskets)}
	for k, name := range names {
		rec := Recommender{Name: name}
		for _, part := range []struct {
			into *Hits
			want func(b *Basket, item uint64) bool
		}{
			{&rec.All, func(*Basket, uint64) bool { return true }},
			{&rec.New, func(b *Basket, item uint64) bool { return !b.Known[item] }},
			{&rec.Repeat, func(b *Basket, item uint64) bool { return b.Known[item] }},
		} {
			*part.into = hits(baskets, k, part.want)
		}
		n.Models = append(n.Models, rec)
	}
	r.NextBest = n
}

func hits(baskets []Basket, k int, want func(*Basket, uint64) bool) (h Hits) {
	users := 0.0
	for i := range baskets {
		b := &baskets[i]
		target := 0
		for item := range b.Bought {
			if want(b, item) {
				target++
			}
		}
		if target == 0 {
			continue
		}
		users++
		var list []uint64
		for _, item := range b.Lists[k] {
			if want(b, item) {
				list = append(list, item)
			}
		}
		recall, ndcg, hit := listHits(b, list, target, 10)
		h.Recall10, h.NDCG10, h.PHR10 = h.Recall10+recall, h.NDCG10+ndcg, h.PHR10+hit
		recall, ndcg, hit = listHits(b, list, target, 20)
		h.Recall20, h.NDCG20, h.PHR20 = h.Recall20+recall, h.NDCG20+ndcg, h.PHR20+hit
	}
	for _, v := range []*float64{&h.Recall10, &h.NDCG10, &h.PHR10, &h.Recall20, &h.NDCG20, &h.PHR20} {
		*v /= math.Max(users, 1)
	}
	return h
}

func listHits(b *Basket, list []uint64, target, k int) (recall, ndcg, hit float64) {
	gain, ideal, n := 0.0, 0.0, 0
	for i, item := range list[:min(k, len(list))] {
		if b.Bought[item] {
			n++
			gain += 1 / math.Log2(float64(i+2))
		}
	}
	for i := range min(k, target) {
		ideal += 1 / math.Log2(float64(i+2))
	}
	if n > 0 {
		hit = 1
	}
	return float64(n) / float64(target), gain / ideal, hit
}
