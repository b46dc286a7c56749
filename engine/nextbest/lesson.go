package nextbest

import (
	"cmp"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
)

// Judged are the ways to offer that are judged side by side.
const (
	ByDangol     = iota // what the engine offers, ranked by probability
	ByFavourites        // what the customer bought most often, then the best sellers
	ByPopularity        // the best sellers
	numJudged
)

// Parts of an order that are judged apart.
const (
	AllItems = iota
	NewItems // that the customer had never bought
	OldItems // that it had
	numParts
)

// JudgedNames and PartNames are what they are called.
var (
	JudgedNames = [numJudged]string{"dangol", "favourites", "popularity"}
	PartNames   = [numParts]string{"all", "new", "repeated"}
)

// ListLength is how many of a list's items are looked at.
const ListLength = 10

// Hits says how well lists foretold orders: sums over the orders that had items
// of the part.
type Hits struct {
	Orders float64
	Recall float64 // share of the order's items that are in the list
	NDCG   float64 // the same, the first places counting more; 1 for a perfect list
	Hit    float64 // 1 where any is
}

// Verdict is how the ways did, by way and part.
type Verdict [numJudged][numParts]Hits

// Add adds another verdict.
func (v *Verdict) Add(o *Verdict) {
	for w := range v {
		for p := range v[w] {
			a, b := &v[w][p], &o[w][p]
			a.Orders, a.Recall, a.NDCG, a.Hit = a.Orders+b.Orders, a.Recall+b.Recall, a.NDCG+b.NDCG, a.Hit+b.Hit
		}
	}
}

// Lesson is what one order teaches: the candidates as they were before it, and
// whether it held them.
type Lesson struct {
	Order    uint64 // its hash
	At       int64  // Unix ms
	Sums     voices // what each voice said of all candidates
	Examples []Example
	Verdict  Verdict
}

// Example is one candidate.
type Example struct {
	Again  bool // the customer had it
	Bought bool
	Weight float32                 // candidates that it stands for
	X      [score.NumAgain]float32 // its columns; the first of a new item is not known before the mixture is
	Voices [score.NumVoices]float32
}

// skipped is of how many candidates that were not bought one is kept.
const skipped = 4

// Study makes the list that would have been offered before an order of the items
// (hashes), judges it and the simpler ways beside it, and fills lesson. The
// ledger and the counts must not know the order. What lies in the cart is passed
// over, as if the list had been made before: it is the order itself, mostly.
func (r *Recommender) Study(l *ledger.Ledger, m *score.OfferModel, now int64, items []uint64, lesson *Lesson) {
	lesson.Examples, lesson.Verdict = lesson.Examples[:0], Verdict{}
	if r.gather(l, now, false); !r.mem.says() {
		r.popular()
	}
	var s study
	for _, it := range items {
		if ref := r.counts.Ref(it); !slices.Contains(s.bought, ref) || ref == 0 {
			s.bought = append(s.bought, ref)
		}
	}
	for i := range r.mem.own {
		if ref := r.mem.own[i].ref; ref != 0 {
			s.own = append(s.own, ref)
		}
	}
	r.total()
	lesson.Sums = r.sums
	for _, at := range r.found.promising(r.counts, maxRanked) {
		c := &r.found.list[at]
		p := r.probability(c, m)
		bought := slices.Contains(s.bought, c.ref)
		s.ranked = append(s.ranked, ranked{c.ref, p})
		if len(r.mem.sales) > 0 { // of who has bought nothing, only popularity speaks
			lesson.keep(c, bought, r.cols[:], r.of(c))
		}
	}
	slices.SortFunc(s.ranked, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.ref, b.ref)) })
	lists := [numJudged][]basket.Ref{ByDangol: refs(s.ranked), ByFavourites: r.favourites(), ByPopularity: r.look.Popular}
	for way, list := range lists {
		for part := range numParts {
			lesson.Verdict[way][part] = s.judge(list, part)
		}
	}
}

// keep makes an example of a candidate whose columns have just been computed.
func (s *Lesson) keep(c *candidate, bought bool, columns []float64, v voices) {
	e := Example{Again: c.own >= 0, Bought: bought, Weight: 1}
	if !bought {
		if (uint64(c.ref)*0x9e3779b97f4a7c15^s.Order)*0xbf58476d1ce4e5b9>>62 != 0 {
			return
		}
		e.Weight = skipped
	}
	for i, v := range columns[:len(e.X)] {
		e.X[i] = float32(v)
	}
	for i, w := range v {
		e.Voices[i] = float32(w)
	}
	s.Examples = append(s.Examples, e)
}

type ranked struct {
	ref basket.Ref
	p   float64
}

func refs(rs []ranked) []basket.Ref {
	out := make([]basket.Ref, len(rs))
	for i := range rs {
		out[i] = rs[i].ref
	}
	return out
}

// favourites are what the customer bought most often, then the best sellers that
// it did not.
func (r *Recommender) favourites() []basket.Ref {
	own := slices.Clone(r.mem.own)
	slices.SortStableFunc(own, func(a, b owned) int { return cmp.Compare(b.orders, a.orders) })
	var out []basket.Ref
	for i := range own {
		out = append(out, own[i].ref)
	}
	for _, ref := range r.look.Popular {
		if !slices.Contains(out[:len(own)], ref) {
			out = append(out, ref)
		}
	}
	return out
}

// study is an order beside what is known before it.
type study struct {
	bought, own []basket.Ref
	ranked      []ranked
}

// judge looks at the items of a part: those of the order, and the first
// ListLength of the list.
func (s *study) judge(list []basket.Ref, part int) (h Hits) {
	of := func(ref basket.Ref) bool {
		return part == AllItems || slices.Contains(s.own, ref) == (part == OldItems)
	}
	target := 0
	for _, ref := range s.bought {
		if of(ref) {
			target++
		}
	}
	if target == 0 {
		return h
	}
	h.Orders = 1
	place, found, ideal := 0, 0, 0.
	for _, ref := range list {
		if !of(ref) {
			continue
		}
		if place++; place > ListLength {
			break
		}
		if slices.Contains(s.bought, ref) {
			found++
			h.NDCG += 1 / math.Log2(float64(place+1))
		}
	}
	for i := range min(target, ListLength) {
		ideal += 1 / math.Log2(float64(i+2))
	}
	h.NDCG /= ideal
	h.Recall = float64(found) / float64(target)
	if found > 0 {
		h.Hit = 1
	}
	return h
}
