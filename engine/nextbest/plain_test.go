package nextbest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// onPaper works out offers as one would on paper: every item of the catalogue is
// asked what speaks for it.
type onPaper struct {
	s      *shop
	orders [][]uint64 // the latest first
	placed []int64
	now    int64
	cart   map[uint64]bool
	views  []uint64 // since the latest order, distinct, the latest first, four at most
}

func paper(s *shop, c shopper, now int64) *onPaper {
	p := &onPaper{s: s, now: now, cart: map[uint64]bool{}}
	for w := c.Sales(&rules); w.Next(); {
		if w.InBasket {
			p.orders, p.placed = append([][]uint64{w.Items}, p.orders...), append([]int64{w.Placed}, p.placed...)
		}
	}
	for _, line := range c.Cart {
		if !line.Removed && line.Time > c.CartCleared {
			p.cart[line.Item] = true
		}
	}
	for i := len(c.Views) - 1; i >= 0; i-- {
		v := c.Views[i]
		known := s.counts.Ref(v.Item) != 0
		if known && !slices.Contains(p.views, v.Item) && len(p.views) < 4 && (len(p.orders) == 0 || v.Time > p.placed[0]) {
			p.views = append(p.views, v.Item)
		}
	}
	return p
}

// had are the items bought, the latest first, and how many orders ago.
func (p *onPaper) had() (items []uint64, ages []int) {
	for age, order := range p.orders {
		for _, it := range order {
			if !slices.Contains(items, it) {
				items, ages = append(items, it), append(ages, age)
			}
		}
	}
	return items, ages
}

// says is what one thing that the customer has says for an item.
type says struct {
	kind basket.Kind
	of   uint64
	much float32
}

func (p *onPaper) all(item uint64) (voices []says) {
	c := p.s.counts
	say := func(k basket.Kind, of uint64, w float64) {
		if n := c.Nearness(k, c.Ref(of), c.Ref(item)); n > 0 && of != item {
			voices = append(voices, says{k, of, float32(w) * float32(n)})
		}
	}
	items, ages := p.had()
	for i, it := range items[:min(maxSeeds, len(items))] {
		w := math.Pow(.6, float64(ages[i]))
		say(basket.SameCustomer, it, w)
		if ages[i] == 0 {
			say(basket.NextOrder, it, 1)
			say(basket.SameOrder, it, w)
		}
	}
	for it := range p.cart {
		say(basket.SameOrder, it, 1)
		say(basket.SameCustomer, it, 1)
	}
	for i, it := range p.views {
		say(basket.SameSession, it, math.Pow(.4, float64(i)))
	}
	return voices
}

// category of an item that is in some order or was looked at.
func (p *onPaper) category(item uint64) string {
	if p.s.counts.Ref(item) == 0 {
		return ""
	}
	it, _ := p.s.names.Lookup(item)
	return it.Category
}

// step is the mean log step from the category of what was last looked at, or of
// the latest order's items.
func (p *onPaper) step(item uint64) float64 {
	if p.category(item) == "" {
		return 0
	}
	from := p.views
	if len(from) > 0 {
		from = from[:1]
	} else if len(p.orders) > 0 {
		from = p.orders[0]
	}
	sum := 0.
	for _, it := range from {
		if p.category(it) != "" {
			sum += p.follows(p.category(it), p.category(item))
		}
	}
	return sum / float64(max(len(from), 1))
}

func (p *onPaper) follows(a, b string) float64 {
	c := p.s.counts
	both, left, right, all, names := 0., 0., 0., 0., map[string]bool{}
	for _, x := range letters {
		names[p.category(event.Hash(x))] = true
		for _, y := range letters {
			n, cx, cy := c.Pair(basket.NextOrder, event.Hash(x), event.Hash(y)), p.category(event.Hash(x)), p.category(event.Hash(y))
			if cx == "" || cy == "" {
				continue
			}
			all += n
			if cx == a {
				left += n
			}
			if cy == b {
				right += n
			}
			if cx == a && cy == b {
				both += n
			}
		}
	}
	if delete(names, ""); len(names) < 2 || all == 0 {
		return 0
	}
	return math.Log((both + 30) / (left*right/all + 30))
}

// gap is the mean time between the days on which an item was bought; 0: it was
// once.
func (p *onPaper) gap(item uint64) (gap float64, last int64, orders, age int) {
	age = -1
	var first int64
	n := 0
	for i, order := range p.orders {
		if !slices.Contains(order, item) {
			continue
		}
		orders++
		if n == 0 {
			last, first, n, age = p.placed[i], p.placed[i], 1, i
		} else if first-p.placed[i] >= day {
			first, n = p.placed[i], n+1
		}
	}
	if n > 1 {
		gap = float64(last-first) / float64(n-1)
	}
	return gap, last, orders, age
}

// orderGap is the mean time between the customer's orders, at least a day, and a
// month where there is one order.
func (p *onPaper) orderGap() float64 {
	n := len(p.placed)
	if n < 2 {
		return 30 * day
	}
	return max(day, float64(p.placed[0]-p.placed[n-1])/float64(n-1))
}

// columns are what the model looks at.
func (p *onPaper) columns(item uint64) (x []float64, again bool) {
	c := p.s.counts
	ref := c.Ref(item)
	looked := 0.
	if slices.Contains(p.views, item) {
		looked = 1
	}
	orders := math.Log(1 + float64(len(p.orders)))
	share := math.Log(c.Share(ref) + 1e-6)
	gap, last, n, age := p.gap(item)
	if n > 0 {
		due := math.NaN()
		if gap > 0 {
			due = min(3, float64(p.now-last)/gap)
		}
		more, of := c.Again(ref)
		rate := (more + 1) / (of + 20)
		return []float64{
			math.Log((float64(n) + .1) / float64(len(p.orders)+1)), math.Log(1 + float64(age)), due,
			math.Log(rate / (1 - rate)), share, p.step(item), looked, orders,
		}, true
	}
	return []float64{math.Log(p.mixed(item) + 1e-5), p.step(item), looked, orders}, false
}

// voiced is how loudly each voice speaks for an item.
func (p *onPaper) voiced(item uint64) (v [score.NumVoices]float64) {
	for _, s := range p.all(item) {
		v[[]int{score.VoiceOrder, score.VoiceSession, score.VoiceNext, score.VoiceCustomer}[s.kind]] += float64(s.much)
	}
	v[score.VoicePopularity] = p.s.counts.Share(p.s.counts.Ref(item)) + 1e-6
	return v
}

// mixed is the mixture of the voices that speak at all, each as a share of what it
// says of all that is new to the customer.
func (p *onPaper) mixed(item uint64) float64 {
	var whole [score.NumVoices]float64
	for _, it := range p.candidates() {
		if !p.bought(it) && !p.cart[it] {
			for k, v := range p.voiced(it) {
				whole[k] += v
			}
		}
	}
	sum, shares := 0., 0.
	for k, v := range p.voiced(item) {
		if whole[k] > 0 {
			sum, shares = sum+p.s.model.Mix[k]*v/whole[k], shares+p.s.model.Mix[k]
		}
	}
	return sum / shares
}

// candidates are what was ever sold, and whatever something speaks for.
func (p *onPaper) candidates() (items []uint64) {
	for _, id := range letters {
		it := event.Hash(id)
		ref := p.s.counts.Ref(it)
		if ref != 0 && (p.s.counts.Share(ref) > 0 || len(p.all(it)) > 0 || slices.Contains(p.views, it) || p.bought(it) || p.cart[it]) {
			items = append(items, it)
		}
	}
	return items
}

func (p *onPaper) probability(item uint64) float64 {
	x, again := p.columns(item)
	m := p.s.model.New
	if again {
		m = p.s.model.Again
	}
	z := m.Bias
	for i, w := range m.Weights {
		if math.IsNaN(x[i]) {
			x[i] = m.Mean[i]
		}
		z += w * x[i]
	}
	return 1 / (1 + math.Exp(-z))
}

// mayBe says whether the item may be offered.
func (p *onPaper) mayBe(c shopper, item uint64) bool {
	it, known := p.s.names.Lookup(item)
	if !known || it.Hidden || it.Unavailable || p.cart[item] || len(p.orders)+len(p.cart)+len(p.views) == 0 {
		return false
	}
	gap, last, n, _ := p.gap(item)
	if n == 0 {
		for _, o := range c.Orders {
			if slices.Contains(o.Items, item) {
				return false // sent back
			}
		}
		return true
	}
	share := p.s.cfg.DueShare
	switch more, of := p.s.counts.Again(p.s.counts.Ref(item)); {
	case share == 0:
		return true
	case gap > 0:
		return float64(p.now-last) >= share*gap
	case more < .5 && of >= 20:
		return false // nobody buys it again
	default:
		return float64(p.now-last) >= share*p.orderGap()
	}
}

// The list is that of the plain way, with its probabilities and its reasons.
func TestOffersAreThoseOnPaper(t *testing.T) {
	kinds := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s, c := drawn(t)
		now := rapid.Float64Range(31, 100).Draw(t, "day")
		r := s.recommender()
		p := paper(s, c, days(now))
		var want []score.Offer
		for _, id := range letters {
			item := event.Hash(id)
			if !p.mayBe(c, item) || !slices.Contains(p.candidates(), item) {
				continue
			}
			it, _ := s.names.Lookup(item)
			o := score.Offer{ItemID: id, Score: p.probability(item)}
			o.Value = o.Score * it.Price.Float()
			want = append(want, o)
		}
		got := r.Offers(c.Ledger, s.model, days(now), 1000, nil)
		value := func(o score.Offer) float64 {
			if s.cfg.Rank == ByProbability {
				return o.Score
			}
			return o.Score * r.trends().price(s.counts.Ref(event.Hash(o.ItemID)))
		}
		require.True(t, slices.IsSortedFunc(got, func(a, b score.Offer) int { return byRank(a, b, value) }))
		byID := slices.Clone(got)
		slices.SortFunc(byID, func(a, b score.Offer) int { return cmp.Compare(a.ItemID, b.ItemID) })
		require.Equal(t, idsOf(want), idsOf(byID), c)
		for i, o := range byID {
			require.InEpsilon(t, want[i].Score, o.Score, 1e-4, o.ItemID)
			require.InDelta(t, want[i].Value, o.Value, 1e-4*max(1, want[i].Value))
			require.Equal(t, p.bought(event.Hash(o.ItemID)), o.Kind == Repeat)
			requireBecause(t, p, &o)
			one, ok := r.Offer(c.Ledger, s.model, days(now), o.ItemID)
			require.True(t, ok)
			require.Equal(t, copied([]score.Offer{o}), copied([]score.Offer{one}))
			kinds[o.Kind]++
		}
		for _, id := range letters {
			if _, ok := r.Offer(c.Ledger, s.model, days(now), id); ok {
				require.True(t, p.mayBe(c, event.Hash(id)), id)
			}
		}
		k := rapid.IntRange(1, 4).Draw(t, "k")
		require.Equal(t, copied(got[:min(k, len(got))]), copied(r.Offers(c.Ledger, s.model, days(now), k, nil)))
	})
	for _, k := range []string{CrossSell, Repeat, UpSell} {
		require.True(t, kinds[k] > 0 || testing.Short(), k)
	}
}

func (p *onPaper) bought(item uint64) bool {
	_, _, n, _ := p.gap(item)
	return n > 0
}

// requireBecause wants a new item's reasons to be the loudest of what the customer
// has, each with the figures of the counts.
func requireBecause(t require.TestingT, p *onPaper, o *score.Offer) {
	if o.Kind == Repeat {
		require.Equal(t, []string{o.ItemID}, o.Because[0].ItemIDs)
		return
	}
	loudest := map[uint64]says{}
	for _, v := range p.all(event.Hash(o.ItemID)) {
		if v.much > loudest[v.of].much {
			loudest[v.of] = v
		}
	}
	loud := slices.Collect(maps.Values(loudest))
	slices.SortFunc(loud, func(a, b says) int { return cmp.Compare(b.much, a.much) })
	loud = loud[:min(2, len(loud))]
	evident := 0 // a voice that makes no difference is not told
	for _, v := range loud {
		if p.s.counts.Table2(v.kind, v.of, event.Hash(o.ItemID)).Lift() > 1 {
			evident++
		}
	}
	if tied := len(loudest) > 2; !tied {
		require.Len(t, o.Because, evident, o.ItemID)
	}
	require.LessOrEqual(t, len(o.Because), len(loud))
	var told []float32
	for _, b := range o.Because {
		require.Len(t, b.ItemIDs, 1)
		of := event.Hash(b.ItemIDs[0])
		k, err := basket.ParseKind(b.Kind)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(p.all(event.Hash(o.ItemID)), func(v says) bool { return v.of == of && v.kind == k }))
		requireFigures(t, p.s, k, b.ItemIDs[0], o.ItemID, b)
		require.Greater(t, b.Lift, 1.)
		told = append(told, loudest[of].much)
	}
	for _, much := range told {
		require.True(t, slices.ContainsFunc(loud, func(v says) bool { return v.much == much }), o.ItemID)
	}
	require.True(t, slices.IsSortedFunc(told, func(a, b float32) int { return cmp.Compare(b, a) }))
}
