package nextbest

import (
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
)

const day = 24 * 60 * 60 * 1000 // ms

// memory is what a customer's ledger says of items.
type memory struct {
	sales  []sale // the latest maxOrders whose items count, the latest first
	orders int    // all of them
	own    []owned
	cart   []basket.Ref
	views  []basket.Ref // distinct, the latest first, since the latest order
	latest int64        // placing of the latest order

	logOrders float64 // log(1 + orders)
}

type sale struct {
	placed int64
	items  []uint64
}

// owned is an item that the customer has bought.
type owned struct {
	ref    basket.Ref
	item   uint64
	orders int32 // that hold it
	age    int32 // orders since the latest that does
	last   int64 // Unix ms at which it was last bought
	first  int64 // Unix ms of the earliest of the orders looked at that hold it
	days   int32 // purchases a day or more apart
}

// usualGap is the mean time between purchases of it; 0 before the second.
func (o *owned) usualGap() float64 {
	if o.days < 2 {
		return 0
	}
	return float64(o.last-o.first) / float64(o.days-1)
}

// firstGap stands for the time between orders of who has ordered once.
const firstGap = 30 * day

// orderGap is the mean time between the customer's orders.
func (m *memory) orderGap() float64 {
	n := len(m.sales)
	if n < 2 {
		return firstGap
	}
	return max(float64(m.sales[0].placed-m.sales[n-1].placed)/float64(n-1), day)
}

// fade is what a purchase counts as the customer's orders go on.
const fade = .6

// weight of an item that was last bought so many orders ago.
func (o *owned) weight() float64 { return fades[min(int(o.age), len(fades)-1)] }

var fades = func() (f [maxOrders]float64) {
	for i := range f {
		f[i] = math.Pow(fade, float64(i))
	}
	return f
}()

// says whether the ledger says anything.
func (m *memory) says() bool { return len(m.sales)+len(m.cart)+len(m.views) > 0 }

func (m *memory) read(l *ledger.Ledger, rules *ledger.Rules, counts *basket.Counts) {
	m.readSales(l, rules)
	m.own = m.own[:0]
	for age := range m.sales {
		s := &m.sales[age]
		for _, it := range s.items {
			m.buy(it, int32(age), s.placed, counts)
		}
	}
	m.cart = m.cart[:0]
	for i := range l.Cart {
		if c := &l.Cart[i]; !c.Removed && c.Time > l.CartCleared {
			m.cart = append(m.cart, counts.Ref(c.Item))
		}
	}
	m.views = m.views[:0]
	for i := len(l.Views) - 1; i >= 0 && len(m.views) < maxViews && l.Views[i].Time > m.latest; i-- {
		if ref := counts.Ref(l.Views[i].Item); ref != 0 && !slices.Contains(m.views, ref) {
			m.views = append(m.views, ref)
		}
	}
}

// readSales finds the latest orders.
func (m *memory) readSales(l *ledger.Ledger, rules *ledger.Rules) {
	m.sales, m.orders, m.latest = m.sales[:0], 0, 0
	for s := l.Sales(rules); s.Next(); {
		if !s.InBasket || len(s.Items) == 0 {
			continue
		}
		if m.orders++; len(m.sales) == maxOrders {
			copy(m.sales, m.sales[1:])
			m.sales = m.sales[:maxOrders-1]
		}
		m.sales = append(m.sales, sale{s.Placed, s.Items})
		m.latest = s.Placed
	}
	slices.Reverse(m.sales)
	m.logOrders = math.Log1p(float64(m.orders))
}

// buy notes that an order of an age holds an item; orders come latest first.
func (m *memory) buy(item uint64, age int32, placed int64, counts *basket.Counts) {
	for i := range m.own {
		o := &m.own[i]
		if o.item != item {
			continue
		}
		o.orders++
		if o.first-placed >= day {
			o.days++
			o.first = placed
		}
		return
	}
	if len(m.own) < maxOwn {
		m.own = append(m.own, owned{ref: counts.Ref(item), item: item, orders: 1, age: age, last: placed, first: placed, days: 1})
	}
}
