package nextbest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// An item's affinities are its neighbours that hold, with the figures of the
// counts and the names of the dictionary, by each kind of evidence apart.
func TestAffinities(t *testing.T) {
	s := pairShop()
	s.sold(30, []string{"A"}, []string{"C"})
	s.sold(30, []string{"Z"}, []string{"Z"})
	s.sold(2, []string{"A", "D"}) // too few
	r := s.recommender()
	for kind, want := range map[basket.Kind][]string{
		basket.SameOrder: {"B"}, basket.NextOrder: {"C"}, basket.SameCustomer: {"B", "C"}, basket.SameSession: nil,
	} {
		got := r.Affinities("A", kind, 9)
		require.NotNil(t, got)
		var ids []string
		for i, a := range got {
			require.True(t, s.counts.Holds(kind, event.Hash("A"), event.Hash(a.ItemID)))
			v := s.counts.Table2(kind, event.Hash("A"), event.Hash(a.ItemID))
			require.Equal(t, score.Affinity{
				ItemID: a.ItemID, Count: v.Both, Support: v.Support(), Confidence: v.Confidence(), Lift: v.Lift(),
				Leverage: v.Leverage(), LLR: v.LLR(), Strength: v.Strength(10),
			}, a)
			require.True(t, i == 0 || got[i-1].Strength >= a.Strength)
			ids = append(ids, a.ItemID)
		}
		require.ElementsMatch(t, want, ids, kind)
	}
	require.Len(t, r.Affinities("A", basket.SameCustomer, 1), 1)
	require.InDelta(t, 40., r.Affinities("A", basket.SameOrder, 1)[0].Count, 1e-9)
	require.Nil(t, r.Affinities("unknown", basket.SameOrder, 5))
	lonely := r.Affinities("Z", basket.SameOrder, 5)
	require.NotNil(t, lonely)
	require.Empty(t, lonely)
}

// What goes with a set joins the rules of its items as independent chances; what
// is of the set, or not to be had, is left out; who is unknown is named.
func TestTogether(t *testing.T) {
	s := newShop()
	s.sold(30, []string{"A", "C"})
	s.sold(30, []string{"B", "C"})
	s.sold(30, []string{"A", "D"})
	s.sold(20, []string{"A"})
	s.sold(20, []string{"B"})
	s.sold(500, []string{"Z"})
	r := s.recommender()
	strength := func(from, to string) float64 {
		return s.counts.Table2(basket.SameOrder, event.Hash(from), event.Hash(to)).Strength(10)
	}
	offers, unknown := r.Together([]string{"A", "nobody", "B", "A", "no"}, basket.SameOrder, 9)
	require.Equal(t, []string{"nobody", "no"}, unknown)
	require.Equal(t, []string{"C", "D"}, idsOf(offers))
	a, b := strength("A", "C"), strength("B", "C")
	require.InDelta(t, 1-(1-a)*(1-b), offers[0].Score, 1e-12)
	require.InDelta(t, strength("A", "D"), offers[1].Score, 1e-12)
	require.Equal(t, GoesWith, offers[0].Kind)
	require.Equal(t, []string{"B"}, offers[0].Because[0].ItemIDs, "the stronger first")
	require.Greater(t, b, a)
	require.Equal(t, []string{"A"}, offers[0].Because[1].ItemIDs)
	requireFigures(t, s, basket.SameOrder, "B", "C", offers[0].Because[0])
	requireFigures(t, s, basket.SameOrder, "A", "C", offers[0].Because[1])

	alone, _ := r.Together([]string{"A"}, basket.SameOrder, 1)
	require.Equal(t, []string{"D"}, idsOf(alone), "of two that go equally often with it, the rarer")
	none, unknown := r.Together([]string{"nobody"}, basket.SameOrder, 5)
	require.Empty(t, none)
	require.Equal(t, []string{"nobody"}, unknown)
	both, _ := r.Together([]string{"A", "C"}, basket.SameOrder, 5)
	require.Equal(t, []string{"B", "D"}, idsOf(both), "each is of the set no more")
	for why, state := range map[string]event.ItemState{
		"out of stock": {HasAvailable: true}, "hidden": {HasHidden: true, Hidden: true}, "a consent that nobody has given": {HasConsent: true, Consent: "alcohol"},
	} {
		s.names = basket.NewDictionary()
		s.knows("", 0, "A", "B", "C", "D")
		s.becomes("C", state)
		left, _ := s.recommender().Together([]string{"A", "B"}, basket.SameOrder, 5)
		require.Equal(t, []string{"D"}, idsOf(left), why)
	}
}

// What goes with two together, and with each alone hardly, is found by the pair's
// own rule.
func TestTogetherKnowsPairs(t *testing.T) {
	s := newShop()
	s.sold(30, []string{"A", "B", "C"})
	s.sold(100, []string{"A", "D"})
	s.sold(100, []string{"B", "D"})
	s.sold(100, []string{"C"})
	s.sold(800, []string{"Z"})
	r := s.recommender()
	offers, _ := r.Together([]string{"A", "B"}, basket.SameOrder, 5)
	at := slices.IndexFunc(offers, func(o score.Offer) bool { return o.ItemID == "C" })
	require.GreaterOrEqual(t, at, 0)
	o := offers[at]
	require.Len(t, o.Because, 1, "the pair's stands for both of its items'")
	require.ElementsMatch(t, []string{"A", "B"}, o.Because[0].ItemIDs)
	require.InDelta(t, 1., o.Because[0].Confidence, 1e-12, "always")
	pair := s.counts.TripleTable(event.Hash("A"), event.Hash("B"), event.Hash("C"))
	require.Equal(t, 30., pair.Both)
	require.InDelta(t, pair.Strength(10), o.Score, 1e-12)

	single, _ := r.Together([]string{"A"}, basket.SameOrder, 5)
	at = slices.IndexFunc(single, func(o score.Offer) bool { return o.ItemID == "C" })
	require.Less(t, single[at].Score, o.Score/2)
	customers, _ := r.Together([]string{"A", "B"}, basket.SameCustomer, 5)
	for _, o := range customers {
		for _, b := range o.Because {
			require.Len(t, b.ItemIDs, 1, "triples are of orders")
		}
	}
}

// A set's offers do not hang on the order in which its items are named, but for
// the last bits, and hold nothing of the set.
func TestTogetherIsOfTheSet(t *testing.T) {
	some := 0
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawn(t)
		for range 5 {
			s.sold(4, rapid.SliceOfNDistinct(rapid.SampledFrom(letters), 2, 4, rapid.ID).Draw(t, "sold"))
		}
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(letters), 1, 4, rapid.ID).Draw(t, "set")
		kind := basket.Kind(rapid.IntRange(0, basket.NumKinds-1).Draw(t, "kind"))
		r := s.recommender()
		want, _ := r.Together(set, kind, 20)
		got, _ := r.Together(rapid.Permutation(set).Draw(t, "otherwise"), kind, 20)
		require.ElementsMatch(t, idsOf(want), idsOf(got))
		for i, o := range got {
			require.NotContains(t, set, o.ItemID)
			require.InDelta(t, want[i].Score, o.Score, 1e-12)
			require.True(t, o.Score > 0 && o.Score <= 1)
			require.NotEmpty(t, o.Because)
			require.LessOrEqual(t, len(o.Because), joins)
		}
		some += len(got)
	})
	require.Positive(t, some)
}
