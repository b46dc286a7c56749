package nextbest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var rules = ledger.Rules{Lateness: time.Hour.Milliseconds(), Calendar: ledger.NewCalendar(time.UTC)}

// shop is a dictionary and counts, spoken to in ids.
type shop struct {
	counts *basket.Counts
	names  *basket.Dictionary
}

func newShop() *shop {
	return &shop{basket.New(basket.DefaultConfig()), basket.NewDictionary()}
}

func hashes(ids ...string) []uint64 {
	var hs []uint64
	for _, id := range ids {
		hs = append(hs, event.Hash(id))
	}
	slices.Sort(hs)
	return slices.Compact(hs)
}

// sold counts n orders of these items.
func (s *shop) sold(n int, ids ...string) {
	for _, id := range ids {
		s.names.Observe(&event.Item{ID: id}, 1)
	}
	for range n {
		s.counts.Add(hashes(ids...))
	}
}

func (s *shop) recommender() *Recommender {
	return New(DefaultConfig(), s.counts, s.names, &rules)
}

// customer is a ledger with one order for each list of items, at days 1, 2, …
func customer(orders ...[]string) *ledger.Ledger {
	l := &ledger.Ledger{}
	for i, ids := range orders {
		l.Orders = append(l.Orders, ledger.Order{
			Hash: uint64(i + 1), Placed: int64(i+1) * day, Amount: event.One, Items: hashes(ids...),
		})
	}
	return l
}

// pairShop sells A with B in 40 of 50 orders of A, among 1000.
func pairShop() *shop {
	s := newShop()
	s.sold(40, "A", "B")
	s.sold(10, "A")
	s.sold(60, "B")
	s.sold(890, "Z")
	return s
}

func TestCrossSellSaysBecauseOfWhat(t *testing.T) {
	r := pairShop().recommender()
	got := r.Offers(customer([]string{"A"}), day, 5, nil)
	require.Len(t, got, 1)
	o := got[0]
	require.Equal(t, "B", o.ItemID)
	require.Equal(t, CrossSell, o.Kind)
	require.InDelta(t, 50./60*(.8-.1), o.Score, 1e-12)
	require.Equal(t, []string{"A"}, o.Because[0].ItemIDs)
	require.InDelta(t, .04, o.Because[0].Support, 1e-12)
	require.InDelta(t, .8, o.Because[0].Confidence, 1e-12)
	require.InDelta(t, 8, o.Because[0].Lift, 1e-12)
}

func TestCrossSellIsNewToTheCustomer(t *testing.T) {
	r := pairShop().recommender()
	none := func(l *ledger.Ledger, why string) {
		t.Helper()
		require.Empty(t, r.Offers(l, day, 5, nil), why)
	}
	none(customer([]string{"A", "B"}), "it was bought")
	none(customer([]string{"A"}, []string{"B"}), "it was bought in another order")
	none(&ledger.Ledger{}, "nothing is known")

	l := customer([]string{"A"})
	l.Pending = []ledger.Order{{Hash: 1, Revised: 2, Items: hashes("B")}}
	none(l, "it was ordered and changed")

	l = customer([]string{"B"}, []string{"A"})
	l.Adjustments = []ledger.Adjustment{{Order: 1, Event: 1, Time: 2 * day, Kind: ledger.RefundedWholly}}
	none(l, "it was sent back")

	l = customer([]string{"A"})
	l.Cart = []ledger.CartLine{{Item: event.Hash("B"), Time: 2 * day}}
	none(l, "it lies in the cart")
	l.CartCleared = 3 * day
	require.Len(t, r.Offers(l, day, 5, nil), 1, "the cart was cleared since")
	l.CartCleared, l.Cart[0].Removed = 0, true
	require.Len(t, r.Offers(l, day, 5, nil), 1, "it was taken out of the cart")
}

func TestCartAndViewsAreEvidence(t *testing.T) {
	r := pairShop().recommender()
	full := r.Offers(customer([]string{"A"}), day, 1, nil)[0].Score

	cart := &ledger.Ledger{Cart: []ledger.CartLine{{Item: event.Hash("A"), Time: 1}}}
	require.InDelta(t, full, r.Offers(cart, day, 1, nil)[0].Score, 1e-12)

	view := &ledger.Ledger{Views: []ledger.ItemTime{{Item: event.Hash("A"), Time: 1}}}
	require.InDelta(t, full/2, r.Offers(view, day, 1, nil)[0].Score, 1e-12)
	r.cfg.ViewWeight = 0
	require.Empty(t, r.Offers(view, day, 1, nil))

	back := customer([]string{"A"})
	back.Adjustments = []ledger.Adjustment{{Order: 1, Event: 1, Time: 2 * day, Kind: ledger.Cancelled}}
	require.Empty(t, r.Offers(back, day, 1, nil), "what was not kept is no evidence")
}

func TestSeveralRulesJoinAndTheStrongestAreTold(t *testing.T) {
	s := newShop()
	for i, n := range []int{10, 20, 30, 40} {
		s.sold(n, strconv.Itoa(i), "B")
		s.sold(60-n, strconv.Itoa(i))
	}
	s.sold(2000, "Z")
	r := s.recommender()
	got := r.Offers(customer([]string{"0", "1", "2", "3"}), day, 5, nil)
	require.Len(t, got, 1)
	require.Len(t, got[0].Because, maxRules)
	miss := 1.0
	for i, n := range []int{40, 30, 20} {
		require.Equal(t, []string{strconv.Itoa(3 - i)}, got[0].Because[i].ItemIDs)
		miss *= 1 - 60./70*(float64(n)/60-100./2240)
	}
	require.InDelta(t, 1-miss, got[0].Score, 1e-12)
}

func TestEvidenceIsOfTheLatestOrders(t *testing.T) {
	s := newShop()
	var orders [][]string
	for i := range 40 {
		s.sold(5, fmt.Sprint("bought", i), fmt.Sprint("new", i))
		orders = append(orders, []string{fmt.Sprint("bought", i)})
	}
	got := s.recommender().Offers(customer(orders...), 100*day, 100, nil)
	var ids, want []string
	for _, o := range got {
		ids = append(ids, o.ItemID)
	}
	for i := 40 - maxSeeds; i < 40; i++ {
		want = append(want, fmt.Sprint("new", i))
	}
	slices.Sort(want)
	require.Equal(t, want, ids, "equal scores are in the order of the ids")
}

func TestRepeatIsDueByTheCustomersOwnGap(t *testing.T) {
	s := newShop()
	s.sold(100, "milk")
	s.sold(900, "Z")
	r := s.recommender()
	l := customer([]string{"milk"}, []string{"milk"}, []string{"milk"}, []string{"Z"})
	l.Orders[0].Placed, l.Orders[1].Placed, l.Orders[2].Placed = 10*day, 20*day, 40*day
	l.Orders[3].Placed = 41 * day
	at := func(d int64) float64 { // gaps of 10 and 20 days: the lower median is 10
		for _, o := range r.Offers(l, 40*day+d*day, 5, nil) {
			if o.ItemID == "milk" {
				require.Equal(t, Repeat, o.Kind)
				require.Equal(t, []string{"milk"}, o.Because[0].ItemIDs)
				require.InDelta(t, .1, o.Because[0].Support, 1e-12)
				require.InDelta(t, .75, o.Because[0].Confidence, 1e-12)
				require.InDelta(t, 7.5, o.Because[0].Lift, 1e-12)
				return o.Score
			}
		}
		return 0
	}
	require.Zero(t, at(7), "before three quarters of the gap")
	require.InDelta(t, .6*.8, at(8), 1e-12)
	require.InDelta(t, .6, at(10), 1e-12)
	require.InDelta(t, .6, at(20), 1e-12)
	require.InDelta(t, .3, at(40), 1e-12, "the habit has probably ended")
	l.Cart = []ledger.CartLine{{Item: event.Hash("milk"), Time: 50 * day}}
	require.Zero(t, at(10), "it lies in the cart")
}

func TestOrdersOfOneDayAreNoHabit(t *testing.T) {
	s := newShop()
	s.sold(5, "milk")
	l := customer([]string{"milk"}, []string{"milk"})
	l.Orders[1].Placed = l.Orders[0].Placed + day - 1
	require.Empty(t, s.recommender().Offers(l, 100*day, 5, nil))
	l.Orders[1].Placed++
	require.Len(t, s.recommender().Offers(l, 2*day+day, 5, nil), 1)
}

func TestTheNamelessIsNotOffered(t *testing.T) {
	s := pairShop()
	s.counts.Add(hashes("A")) // known
	for range 50 {
		s.counts.Add(hashes("A", "nameless"))
	}
	for _, o := range s.recommender().Offers(customer([]string{"A"}), day, 5, nil) {
		require.Equal(t, "B", o.ItemID)
	}
}

func TestAffinities(t *testing.T) {
	r := pairShop().recommender()
	require.Equal(t, []score.Affinity{{ItemID: "B", Count: 40, Support: .04, Confidence: .8, Lift: 8}}, round(r.Affinities("A", 5)))
	require.Nil(t, r.Affinities("unknown", 5))
	lonely := r.Affinities("Z", 5)
	require.NotNil(t, lonely)
	require.Empty(t, lonely)
}

func round(as []score.Affinity) []score.Affinity {
	for i := range as {
		as[i].Lift = math.Round(as[i].Lift*1e9) / 1e9
	}
	return as
}

// drawn is a shop, and a customer in it, at random.
func drawn(t *rapid.T) (*shop, *ledger.Ledger) {
	s := newShop()
	id := rapid.SampledFrom([]string{"A", "B", "C", "D", "E", "F", "G", "H"})
	ids := rapid.SliceOfNDistinct(id, 1, 4, rapid.ID)
	for range rapid.IntRange(0, 20).Draw(t, "sorts") {
		s.sold(rapid.IntRange(1, 9).Draw(t, "times"), ids.Draw(t, "sold")...)
	}
	l := customer(rapid.SliceOfN(ids, 0, 5).Draw(t, "orders")...)
	for _, v := range rapid.SliceOfNDistinct(id, 0, 3, rapid.ID).Draw(t, "views") {
		l.Views = append(l.Views, ledger.ItemTime{Item: event.Hash(v), Time: 1})
	}
	for _, v := range rapid.SliceOfNDistinct(id, 0, 3, rapid.ID).Draw(t, "cart") {
		l.Cart = append(l.Cart, ledger.CartLine{Item: event.Hash(v), Time: 1, Removed: rapid.Bool().Draw(t, "removed")})
	}
	return s, l
}

// Offers by the plain way: every item that the dictionary knows is asked
// whether it is to be offered.
func plainly(s *shop, l *ledger.Ledger, now int64) map[string]float64 {
	n := float64(s.counts.Orders())
	bought, kept, cart := map[uint64]int{}, map[uint64]float64{}, map[uint64]bool{}
	last, gaps := map[uint64]int64{}, map[uint64][]int64{}
	for _, o := range l.Orders {
		for _, it := range o.Items {
			if bought[it]++; bought[it] > 1 {
				gaps[it] = append(gaps[it], o.Placed-last[it])
			}
			last[it], kept[it] = o.Placed, 1
		}
	}
	for _, v := range l.Views {
		if kept[v.Item] == 0 {
			kept[v.Item] = .5
		}
	}
	for _, c := range l.Cart {
		if !c.Removed {
			cart[c.Item], kept[c.Item] = true, 1
		}
	}
	out := map[string]float64{}
	for _, id := range []string{"A", "B", "C", "D", "E", "F", "G", "H"} {
		b := event.Hash(id)
		if _, known := s.names.Lookup(b); !known || cart[b] {
			continue
		}
		if bought[b] > 1 {
			slices.Sort(gaps[b])
			passed := float64(now-last[b]) / float64(gaps[b][(len(gaps[b])-1)/2])
			if passed >= .75 {
				out[id] = float64(bought[b]) / float64(len(l.Orders)+1) * min(1, passed, 2/passed)
			}
		}
		if bought[b] > 0 {
			continue
		}
		var strengths []float64
		for a, weight := range kept {
			ab, na, nb := float64(s.counts.Pair(a, b)), float64(s.counts.Count(a)), float64(s.counts.Count(b))
			if a != b && ab >= 3 && ab*n > na*nb {
				strengths = append(strengths, -weight*na/(na+10)*(ab/na-nb/n))
			}
		}
		slices.Sort(strengths)
		miss := 1.0
		for _, x := range strengths[:min(3, len(strengths))] {
			miss *= 1 + x
		}
		if miss < 1 {
			out[id] = 1 - miss
		}
	}
	return out
}

func TestOffersMatchThePlainWay(t *testing.T) {
	some := 0
	rapid.Check(t, func(t *rapid.T) {
		s, l := drawn(t)
		now := rapid.Int64Range(1, 20).Draw(t, "now") * day
		want := plainly(s, l, now)
		r := s.recommender()
		got := r.Offers(l, now, 100, []score.Offer{})
		require.Len(t, got, len(want))
		for i, o := range got {
			require.InDelta(t, want[o.ItemID], o.Score, 1e-9)
			require.True(t, o.Score > 0 && o.Score <= 1)
			require.NotEmpty(t, o.Because)
			if i > 0 {
				before := got[i-1]
				require.True(t, before.Score > o.Score || before.Score == o.Score && before.ItemID < o.ItemID)
			}
		}
		some += len(got)
		k := rapid.IntRange(0, 3).Draw(t, "k")
		require.Equal(t, len(got[:min(k, len(got))]), len(r.Offers(l, now, k, nil)))
		r.Exact = true
		require.Equal(t, got[:min(k, len(got))], append([]score.Offer{}, r.Offers(l, now, k, nil)...))
	})
	require.Positive(t, some)
}

func TestOffersAreWrittenIntoOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, l := drawn(t)
		other, m := drawn(t)
		used := other.recommender().Offers(m, 9*day, 5, nil)
		want := s.recommender().Offers(l, 9*day, 5, nil)
		require.Equal(t, append([]score.Offer{}, want...), append([]score.Offer{}, s.recommender().Offers(l, 9*day, 5, used)...))
	})
}

func TestOffersDoNotAllocate(t *testing.T) {
	r := pairShop().recommender()
	l := customer([]string{"A"}, []string{"Z"}, []string{"Z", "A"})
	out := r.Offers(l, 50*day, 5, nil)
	require.NotEmpty(t, out)
	require.Zero(t, testing.AllocsPerRun(100, func() { out = r.Offers(l, 50*day, 5, out) }))
}

func TestConfigNamesEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := Config{ViewWeight: math.NaN(), DueShare: 0}
	require.EqualError(t, bad.Validate(), "view_weight: NaN is outside 0 to 1\ndue_share: 0 is not above 0 and at most 10")
}

func BenchmarkOffers(b *testing.B) {
	s := newShop()
	var orders [][]string
	for i := range 2000 {
		ids := []string{}
		for k := range 5 {
			ids = append(ids, strconv.Itoa((i*i+k*k*7+i*k)%500))
		}
		s.sold(5, ids...)
		if i%200 == 0 {
			orders = append(orders, ids)
		}
	}
	l := customer(orders...)
	r := s.recommender()
	out := r.Offers(l, 50*day, 5, nil)
	b.ReportAllocs()
	for b.Loop() {
		out = r.Offers(l, 50*day, 5, out)
	}
}
