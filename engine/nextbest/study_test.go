package nextbest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// hitsOnPaper are recall and NDCG at ten of a list, for an order and the items of
// a part.
func hitsOnPaper(list, order []uint64, of func(uint64) bool) Hits {
	list = slices.DeleteFunc(slices.Clone(list), func(it uint64) bool { return !of(it) })
	order = slices.DeleteFunc(slices.Clone(order), func(it uint64) bool { return !of(it) })
	if len(order) == 0 {
		return Hits{}
	}
	h := Hits{Orders: 1}
	gain, ideal := 0., 0.
	for i := range 10 {
		discount := 1 / math.Log2(float64(i)+2)
		if i < len(order) {
			ideal += discount
		}
		if i < len(list) && slices.Contains(order, list[i]) {
			h.Recall += 1 / float64(len(order))
			gain += discount
			h.Hit = 1
		}
	}
	h.NDCG = gain / ideal
	return h
}

// The verdict on an order is what recall and NDCG of the lists come to: of what
// the engine holds likeliest, of the customer's favourites and then the best
// sellers, and of the best sellers.
func TestVerdictIsThatOnPaper(t *testing.T) {
	var sum Verdict
	rapid.Check(t, func(t *rapid.T) {
		s, c := drawn(t)
		c.counted()
		now := rapid.Float64Range(61, 100).Draw(t, "day")
		ids := rapid.SliceOfN(rapid.SampledFrom(append(letters, "unheard of", "nor of this")), 1, 25).Draw(t, "order")
		var order []uint64
		for _, id := range ids {
			if it := event.Hash(id); !slices.Contains(order, it) {
				order = append(order, it) // of which there are some that nobody could foretell
			}
		}
		p, r := paper(s, c, days(now)), s.recommender()
		clear(p.cart) // which is the order itself, mostly
		var popular []uint64
		for _, id := range letters {
			if it := event.Hash(id); s.counts.Share(s.counts.Ref(it)) > 0 {
				popular = append(popular, it)
			}
		}
		slices.SortFunc(popular, func(a, b uint64) int {
			return cmp.Or(cmp.Compare(s.counts.Share(s.counts.Ref(b)), s.counts.Share(s.counts.Ref(a))), cmp.Compare(a, b))
		})
		likely := p.candidates()
		own, _ := p.had()
		// Equals stand as they do there: by place.
		worth := map[uint64]float64{}
		for _, it := range likely {
			worth[it] = r.worth(c, s, days(now), it)
			require.InEpsilon(t, p.probability(it), worth[it], 1e-4)
		}
		slices.SortFunc(likely, func(a, b uint64) int {
			return cmp.Or(cmp.Compare(worth[b], worth[a]), cmp.Compare(s.counts.Ref(a), s.counts.Ref(b)))
		})
		favourites := slices.Clone(own)
		slices.SortStableFunc(favourites, func(a, b uint64) int {
			_, _, m, _ := p.gap(a)
			_, _, n, _ := p.gap(b)
			return cmp.Compare(n, m)
		})
		for _, it := range popular {
			if !slices.Contains(favourites, it) {
				favourites = append(favourites, it)
			}
		}
		var l Lesson
		l.Order = 7
		r.Study(c.Ledger, s.model, days(now), order, &l)
		for way, list := range [][]uint64{likely, favourites, popular} {
			for part, of := range []func(uint64) bool{
				func(uint64) bool { return true },
				func(it uint64) bool { return !slices.Contains(own, it) },
				func(it uint64) bool { return slices.Contains(own, it) },
			} {
				want, got := hitsOnPaper(list, order, of), l.Verdict[way][part]
				for _, v := range [][2]float64{{want.Orders, got.Orders}, {want.Recall, got.Recall}, {want.NDCG, got.NDCG}, {want.Hit, got.Hit}} {
					require.InDelta(t, v[0], v[1], 1e-9, "%s, %s items", JudgedNames[way], PartNames[part])
				}
			}
		}
		sum.Add(&l.Verdict)
	})
	for way := range sum {
		for part := range sum[way] {
			h := sum[way][part]
			require.Positive(t, h.Orders)
			require.Greater(t, h.Recall, .2*h.Orders)
			require.Less(t, h.NDCG, .99*h.Orders)
		}
	}
}

// worth is the probability of an item as the recommender computes it, whether it
// may be offered or not.
func (r *Recommender) worth(c shopper, s *shop, now int64, item uint64) float64 {
	if r.gather(c.Ledger, now, false); !r.mem.says() {
		r.popular()
	}
	r.total(s.model)
	return r.probability(&r.found.list[r.found.at(s.counts.Ref(item))], s.model)
}

func hashesOf(ids []string) (hs []uint64) {
	for _, id := range ids {
		hs = append(hs, event.Hash(id))
	}
	return hs
}

// What is learned from: every candidate that was bought, and of the others some,
// each standing for several, chosen anew for each order; all of what the customer
// had, and the new ones that most speaks for. The columns are those that the
// probability is made of.
func TestExamples(t *testing.T) {
	s := newShop()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		var b []string
		for range 4 {
			b = append(b, strconv.Itoa(rng.IntN(80)))
		}
		s.sold(1, b)
	}
	c := s.shopper().bought(0, "0", "1", "2").bought(10, "3")
	r := s.recommender()
	order := hashesOf([]string{"3", "7", "9"})
	const lists = 400
	candidates := 0.
	bought, kept, weight := 0, 0, 0.
	var l Lesson
	for i := range uint64(lists) {
		l.Order = (i + 1) * 0x9e3779b97f4a7c15
		r.Study(c.Ledger, s.model, days(20), order, &l)
		candidates = float64(len(r.found.promising(s.counts, r.look.bestSellers(), maxRanked)))
		for _, e := range l.Examples {
			weight += float64(e.Weight)
			if e.Bought {
				require.EqualValues(t, 1, e.Weight)
				bought++
			} else {
				require.EqualValues(t, skipped, e.Weight)
				kept++
			}
			if e.Again {
				require.InDelta(t, math.Log(3), e.X[score.AgainOrders], 1e-6)
			} else {
				require.InDelta(t, math.Log(3), e.X[score.NewOrders], 1e-6)
			}
		}
	}
	require.Greater(t, candidates, 4.+maxRanked-1)
	require.InEpsilon(t, lists*candidates, weight, .06, "the candidates that they stand for")
	require.Zero(t, bought%lists, "always")
	require.GreaterOrEqual(t, bought, lists)
	require.Less(t, float64(kept), lists*candidates/3)

	for _, e := range l.Examples { // and they are the model's
		if !e.Bought || !e.Again {
			continue
		}
		x := make([]float64, score.NumAgain)
		for i := range x {
			x[i] = float64(e.X[i])
		}
		want := r.worth(c, s, days(20), event.Hash("3"))
		require.InEpsilon(t, want, 1/(1+math.Exp(-s.model.Again.Logit(0, x))), 1e-5)
	}
	r.Study(s.shopper().Ledger, s.model, days(20), order, &l)
	require.Empty(t, l.Examples, "of whom nothing is known")
	require.EqualValues(t, 1, l.Verdict[ByDangol][NewItems].Orders, "but the best sellers are judged")
}

// An order is judged by all of its items, also by those that were never sold
// before.
func TestOrdersAreJudgedWhole(t *testing.T) {
	s := newShop()
	s.sold(30, []string{"A"}, []string{"B"})
	c := s.shopper().bought(0, "A")
	var l Lesson
	s.recommender().Study(c.Ledger, s.model, days(20), hashesOf([]string{"B"}), &l)
	require.Equal(t, Hits{Orders: 1, Recall: 1, NDCG: 1, Hit: 1}, l.Verdict[ByDangol][NewItems])
	require.Equal(t, Hits{}, l.Verdict[ByDangol][OldItems])
	s.recommender().Study(c.Ledger, s.model, days(20), hashesOf([]string{"C", "A"}), &l)
	require.Equal(t, Hits{Orders: 1}, l.Verdict[ByDangol][NewItems], "what nobody has sold yet cannot be foretold")
	require.InDelta(t, .5, l.Verdict[ByDangol][AllItems].Recall, 1e-9)

	var large []string
	for i := range 15 {
		large = append(large, strconv.Itoa(i))
	}
	s = newShop()
	s.sold(5, large)
	s.recommender().Study(s.shopper().looked(0, "1").Ledger, s.model, days(20), hashesOf(large), &l)
	for way := range l.Verdict {
		h := l.Verdict[way][AllItems]
		require.InDelta(t, 10./15, h.Recall, 1e-9, "a list holds no more than ten")
		require.InDelta(t, 1, h.NDCG, 1e-9, "and could not be better")
	}
}
