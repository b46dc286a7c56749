package basket

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// Row is one piece of evidence in a customer's ledger.
//
//	SameOrder     To: an order's items
//	SameSession   To: a view's item; From: that of the view right before it
//	NextOrder     To: an order's items; From: those of the order before it
//	SameCustomer  To: an order's items that the customer had not; From: the mostHad it had bought last
//
// The items of each side are distinct; those of orders are sorted.
type Row struct {
	Kind     Kind
	At       int64
	From, To []uint64
}

const (
	lookBack = 8  // orders in which it is looked for what a customer has; on Ta-Feng's baskets 8 foretell better than 3
	mostHad  = 24 // items of them that what is taken up is counted with, the latest first
)

// Source finds the evidence in ledgers. It keeps memory between calls: one
// goroutine.
type Source struct {
	window, gap   int64 // ms
	rules         *ledger.Rules
	before, after []order
	had, new      []uint64
	lately        []uint64 // of had, the mostHad bought last
	row           Row
	one           [2]uint64
}

// order is one whose items count.
type order struct {
	placed int64
	hash   uint64
	items  []uint64
}

func (o *order) same(x *order) bool {
	return o.placed == x.placed && o.hash == x.hash && slices.Equal(o.items, x.items)
}

// NewSource returns a Source for ledgers of these rules.
func NewSource(cfg Config, rules *ledger.Rules) *Source {
	return &Source{window: cfg.Window.Milliseconds(), gap: cfg.SessionGap.Milliseconds(), rules: rules}
}

// Each calls emit with every row of a ledger. The row holds during the call.
func (s *Source) Each(l *ledger.Ledger, emit func(r *Row, sign int)) {
	s.after = s.baskets(l, s.after[:0])
	s.before = s.before[:0]
	s.orders(emit)
	s.Views(nil, l.Views, emit)
}

// Orders calls emit with the rows of orders that a change of a ledger takes away
// (−1) or adds (+1). It costs a step for each order of the two, and the rows of
// those that differ and of the lookBack after them. It does not allocate once
// its memory has grown.
func (s *Source) Orders(before, after *ledger.Ledger, emit func(r *Row, sign int)) {
	s.before, s.after = s.baskets(before, s.before[:0]), s.baskets(after, s.after[:0])
	s.orders(emit)
}

// baskets are the orders whose items count: neither cancelled nor wholly
// refunded (ledger.Sale.InBasket), by (placed, hash).
func (s *Source) baskets(l *ledger.Ledger, dst []order) []order {
	for w := l.Sales(s.rules); w.Next(); {
		if w.InBasket && len(w.Items) > 0 {
			dst = append(dst, order{w.Placed, w.Hash, w.Items})
		}
	}
	return dst
}

// orders walks both lists side by side. The rows of an order rest on it and on
// the lookBack before it; where all these are the same, so are the rows. run is
// how many orders just passed were the same in both.
func (s *Source) orders(emit func(r *Row, sign int)) {
	b, a := s.before, s.after
	run := lookBack
	for i, j := 0, 0; ; {
		for run >= lookBack && i < len(b) && j < len(a) && b[i].same(&a[j]) {
			i, j = i+1, j+1
		}
		if i == len(b) && j == len(a) {
			return
		}
		c := -1
		switch {
		case i == len(b):
			c = 1
		case j < len(a):
			c = cmp.Or(cmp.Compare(b[i].placed, a[j].placed), cmp.Compare(b[i].hash, a[j].hash))
		}
		same := c == 0 && b[i].same(&a[j])
		if c <= 0 {
			s.rows(b, i, emit, -1)
			i++
		}
		if c >= 0 {
			s.rows(a, j, emit, +1)
			j++
		}
		if run++; !same {
			run = 0
		}
	}
}

// rows are those of one order.
func (s *Source) rows(orders []order, i int, emit func(r *Row, sign int), sign int) {
	o := &orders[i]
	s.row = Row{Kind: SameOrder, At: o.placed, To: o.items}
	emit(&s.row, sign)
	if i > 0 && o.placed-orders[i-1].placed <= s.window {
		s.row = Row{Kind: NextOrder, At: o.placed, From: orders[i-1].items, To: o.items}
		emit(&s.row, sign)
	}
	s.had, s.lately = s.had[:0], s.lately[:0]
	for j := i - 1; j >= 0 && i-j <= lookBack && o.placed-orders[j].placed <= s.window; j-- {
		for _, it := range orders[j].items {
			at, found := slices.BinarySearch(s.had, it)
			if found {
				continue
			}
			s.had = slices.Insert(s.had, at, it)
			if len(s.lately) < mostHad {
				s.lately = append(s.lately, it)
			}
		}
	}
	slices.Sort(s.lately)
	s.new = s.new[:0]
	for _, it := range o.items {
		if _, found := slices.BinarySearch(s.had, it); !found {
			s.new = append(s.new, it)
		}
	}
	if len(s.new) > 0 {
		s.row = Row{Kind: SameCustomer, At: o.placed, From: s.lately, To: s.new}
		emit(&s.row, sign)
	}
}

// Views calls emit with the rows of views that a change of a ledger's views
// takes away or adds.
func (s *Source) Views(before, after []ledger.View, emit func(r *Row, sign int)) {
	b, a := before, after
	run := 1
	for i, j := 0, 0; ; {
		for run > 0 && i < len(b) && j < len(a) && b[i] == a[j] {
			i, j = i+1, j+1
		}
		if i == len(b) && j == len(a) {
			return
		}
		c := -1
		switch {
		case i == len(b):
			c = 1
		case j < len(a):
			c = cmp.Or(cmp.Compare(b[i].Time, a[j].Time), cmp.Compare(b[i].Item, a[j].Item))
		}
		same := c == 0 && b[i] == a[j]
		if c <= 0 {
			s.step(b, i, emit, -1)
			i++
		}
		if c >= 0 {
			s.step(a, j, emit, +1)
			j++
		}
		if run++; !same {
			run = 0
		}
	}
}

// step is the row of a view and the one right before it.
func (s *Source) step(views []ledger.View, i int, emit func(r *Row, sign int), sign int) {
	if i == 0 || !views[i-1].SameSession(&views[i], s.gap) {
		return
	}
	s.one = [2]uint64{views[i-1].Item, views[i].Item}
	s.row = Row{Kind: SameSession, At: views[i].Time, From: s.one[:1], To: s.one[1:]}
	emit(&s.row, sign)
}
