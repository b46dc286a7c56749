package nextbest

import (
	"cmp"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Trends are what is true of the whole catalogue for a while: what is popular,
// what each item is, and which category follows which. They are made anew when
// enough has come; but for Price they do not change.
type Trends struct {
	Orders  float64      // counted when they were made
	made    int64        // Unix ms of the counts
	Popular []basket.Ref // most first
	items   []trait      // by place
	mean    float64      // price of what is bought, by orders; 0: no price is known
	kinds   int          // categories
	steps   []float32    // kinds × kinds, from and to; nil: none are known
}

// trait is what an item is.
type trait struct {
	category uint32  // a number for each; 0: none
	price    float32 // 0: unknown
	share    float32 // of all orders
	log      float32 // of the share
}

const (
	mostPopular   = 40
	mostCategory  = 2048 // categories of which steps are known
	stepPrior     = 30   // pairs that speak half as loudly of a step from category to category as very many would
	trendsGrow    = 1.25 // growth of the orders after which trends are made anew
	trendsLast    = 7 * day
	trendsAtLeast = 16
)

// NewTrends reads the counts and the dictionary. It takes time with the number
// of items and of pairs.
func NewTrends(c *basket.Counts, names *basket.Dictionary) *Trends {
	n := c.Items() + 1
	t := &Trends{Orders: c.Orders(), made: c.Now(), items: make([]trait, n)}
	index := map[uint64]uint32{}
	var sum, weight float64
	var top popular
	for r := basket.Ref(1); int(r) < n; r++ {
		share := c.Share(r)
		h, of := c.Item(r), &t.items[r]
		top.add(r, share, h)
		of.share, of.log = float32(share+leastShare), float32(math.Log(share+leastShare))
		if cat, ok := names.Category(h); ok {
			if index[cat] == 0 {
				index[cat] = uint32(len(index) + 1)
			}
			of.category = index[cat]
		}
		if it := names.Get(h); it != nil && it.Price > 0 {
			of.price = float32(it.Price.Float())
			sum, weight = sum+share*it.Price.Float(), weight+share
		}
	}
	t.Popular = top.refs
	if weight > 0 {
		t.mean = sum / weight
	}
	if t.kinds = len(index) + 1; t.kinds > 2 && t.kinds <= mostCategory {
		t.follow(c)
	}
	return t
}

// bestSellers are those that are always looked at.
func (t *Trends) bestSellers() []basket.Ref { return t.Popular[:min(bestSellers, len(t.Popular))] }

// Price takes in an item's new price. Nobody may read meanwhile.
func (t *Trends) Price(r basket.Ref, price float64) {
	if r != 0 && int(r) < len(t.items) {
		t.items[r].price = float32(price)
	}
}

// Old says whether the counts have outgrown the trends, or time has: decayed
// counts stop growing, what is popular does not stop changing.
func (t *Trends) Old(c *basket.Counts) bool {
	n := c.Orders()
	return n > t.Orders*trendsGrow+trendsAtLeast || n < t.Orders/trendsGrow-trendsAtLeast || c.Now()-t.made >= trendsLast
}

// popular are the items of the greatest shares, most first, equals by hash:
// their places hang on who came first.
type popular struct {
	refs []basket.Ref
	keys []popularity
}

type popularity struct {
	share float64
	item  uint64
}

func (p *popular) add(r basket.Ref, share float64, item uint64) {
	n, key := len(p.refs), popularity{share, item}
	more := func(a, b popularity) int { return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.item, b.item)) }
	if share <= 0 || n == mostPopular && more(key, p.keys[n-1]) > 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(p.keys, key, more)
	p.refs, p.keys = slices.Insert(p.refs, at, r), slices.Insert(p.keys, at, key)
	if n == mostPopular {
		p.refs, p.keys = p.refs[:n], p.keys[:n]
	}
}

// follow finds how many times as often one category follows another as chance
// would have it, drawn towards once where little is known.
func (t *Trends) follow(c *basket.Counts) {
	k := t.kinds
	pairs, left, right, total := make([]float64, k*k), make([]float64, k), make([]float64, k), 0.
	c.EachNext(func(a, b basket.Ref, n float64) {
		ca, cb := t.items[a].category, t.items[b].category
		if ca == 0 || cb == 0 {
			return
		}
		pairs[int(ca)*k+int(cb)] += n
		left[ca] += n
		right[cb] += n
		total += n
	})
	if total == 0 {
		return
	}
	t.steps = make([]float32, k*k)
	for a := 1; a < k; a++ {
		for b := 1; b < k; b++ {
			expected := left[a] * right[b] / total
			t.steps[a*k+b] = float32(math.Log((pairs[a*k+b] + stepPrior) / (expected + stepPrior)))
		}
	}
}

// category is that of an item; 0: unknown.
func (t *Trends) category(r basket.Ref) uint32 {
	if int(r) >= len(t.items) {
		return 0
	}
	return t.items[r].category
}

// price of an item in currency units: the average where it is unknown, 1 where
// no price is.
func (t *Trends) price(r basket.Ref) float64 {
	if p := t.known(r); p > 0 {
		return p
	}
	if t.mean > 0 {
		return t.mean
	}
	return 1
}

// share is the share of all orders that hold an item; a little, where none does.
func (t *Trends) share(r basket.Ref, c *basket.Counts) float64 {
	if int(r) < len(t.items) {
		return float64(t.items[r].share)
	}
	return c.Share(r) + leastShare
}

// logShare is its log.
func (t *Trends) logShare(r basket.Ref, c *basket.Counts) float64 {
	if int(r) < len(t.items) {
		return float64(t.items[r].log)
	}
	return math.Log(c.Share(r) + leastShare)
}

// known is the price of an item; 0: unknown.
func (t *Trends) known(r basket.Ref) float64 {
	if int(r) < len(t.items) {
		return float64(t.items[r].price)
	}
	return 0
}

// step is the log of how many times as often category b follows a as any.
func (t *Trends) step(a, b uint32) float64 {
	if t.steps == nil || a == 0 || b == 0 {
		return 0
	}
	return float64(t.steps[int(a)*t.kinds+int(b)])
}
