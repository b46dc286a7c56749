package basket

import (
	"cmp"
	"slices"
)

// Neighbour is the rule "who buys the asked item also buys Item", over all
// orders counted.
type Neighbour struct {
	Item       uint64
	Count      int     // orders that hold both
	Support    float64 // share of all orders that hold both
	Confidence float64 // share of the asked item's orders that hold Item too
	Lift       float64 // Confidence ÷ the share of all orders that hold Item
	Strength   float64 // what neighbours are ranked by, see Strength
}

// Strength is how much more often item b is in the orders of item a than in
// any order, as a share of orders, in [0, 1]: confidence less b's share of all
// orders (the "added value" of a rule), with confidence drawn towards that share
// as if prior orders had been seen beforehand in which a made no difference.
// So three orders out of three say little, three hundred out of three hundred
// all there is; popular items gain nothing from being popular, nor rare ones
// from being rare, as they would ranked by confidence or by lift.
//
//	(nAB + prior·nB/n) / (nA + prior) − nB/n  =  nA/(nA+prior) · (nAB/nA − nB/n)
func Strength(nAB, nA, nB, n, prior int) float64 {
	if nA <= 0 || n <= 0 {
		return 0
	}
	a := float64(nA)
	return belief(a, prior) * (float64(nAB)/a - float64(nB)/float64(n))
}

// belief is how far so many orders speak, in [0, 1].
func belief(nA float64, prior int) float64 { return nA / (nA + float64(prior)) }

// Neighbours appends up to k of the item's strongest neighbours to dst,
// strongest first, equals by hash: those of at least Config.MinCount orders and
// a lift above 1. It knows MaxNeighbours of each item, so it costs the same for
// every item. Figures and rank are of this moment; who is among the strongest
// is nearly always (see shelf). Exact is never wrong.
func (c *Counts) Neighbours(item uint64, k int, dst []Neighbour) []Neighbour {
	from := len(dst)
	var near [MaxNeighbours]Near
	for _, n := range c.Near(item, near[:0]) {
		dst = append(dst, c.Rule(n.Of, n.To, n.Count))
	}
	slices.SortFunc(dst[from:], stronger)
	return dst[:min(len(dst), from+k)]
}

// Ref is an item's place in the counts: 0 for none. It is the same as long as
// the counts live.
type Ref uint32

// Ref is where an item is; 0 for one never seen.
func (c *Counts) Ref(item uint64) Ref { return Ref(c.index[item]) }

// Near is a Neighbour without the figures that nobody ranks by.
type Near struct {
	Item     uint64
	Strength float64
	Of, To   Ref // the asked item and Item
	Count    int32
}

// Near appends what Neighbours gives for all of MaxNeighbours, in no order.
func (c *Counts) Near(item uint64, dst []Near) []Near {
	d := c.index[item]
	s := &c.shelves[d] // that of nobody is empty
	if s.n == 0 {
		return dst
	}
	dst = slices.Grow(dst, len(s.others))
	nA, n := int(c.items[d].orders), float64(c.orders)
	a := float64(nA)
	sure := belief(a, c.cfg.PriorOrders)
	for i, other := range s.others[:s.n] {
		nAB, to := int(s.counts[i]), &c.items[other]
		if !c.evidence(nAB, nA, int(to.orders)) {
			continue
		}
		dst = dst[:len(dst)+1]
		nb := &dst[len(dst)-1]
		nb.Item, nb.Strength = to.hash, sure*(float64(nAB)/a-float64(to.orders)/n) // Strength
		nb.Of, nb.To, nb.Count = Ref(d), Ref(other), int32(nAB)
	}
	return dst
}

// Rule is the neighbour To of Of, of which Near has said that Count orders hold
// both, with all its figures.
func (c *Counts) Rule(of, to Ref, count int32) Neighbour {
	nAB, nA, nB, n := int(count), int(c.items[of].orders), int(c.items[to].orders), c.orders
	conf := float64(nAB) / float64(nA)
	return Neighbour{
		Item: c.items[to].hash, Count: nAB,
		Support: float64(nAB) / float64(n), Confidence: conf,
		Lift:     conf / (float64(nB) / float64(n)),
		Strength: Strength(nAB, nA, nB, n, c.cfg.PriorOrders),
	}
}

// evidence is whether so many orders that hold both of two items speak for a
// rule: enough, and lift > 1, in integers. Counts below zero are of orders
// taken away before they were added: no evidence yet.
func (c *Counts) evidence(nAB, nA, nB int) bool {
	n := c.orders
	return nAB >= c.cfg.MinCount && nA >= nAB && nB >= nAB && n >= nA && nAB*n > nA*nB
}

// Exact is Neighbours from all of the item's pairs: a function of the counts
// alone, for any k. Its time grows with the number of the item's pairs.
func (c *Counts) Exact(item uint64, k int, dst []Neighbour) []Neighbour {
	d := c.index[item]
	if d == 0 || k <= 0 {
		return dst
	}
	from := len(dst)
	for at := c.items[d].head; at != 0; at = c.pairs.next(at, d) {
		p := &c.pairs.slots[at]
		other := p.a ^ p.b ^ d
		if !c.evidence(int(p.count), int(c.items[d].orders), int(c.items[other].orders)) {
			continue
		}
		nb := c.Rule(Ref(d), Ref(other), p.count)
		if len(dst)-from < k {
			dst = append(dst, nb)
		} else if stronger(nb, dst[len(dst)-1]) < 0 {
			dst[len(dst)-1] = nb
		} else {
			continue
		}
		for i := len(dst) - 1; i > from && stronger(dst[i], dst[i-1]) < 0; i-- {
			dst[i], dst[i-1] = dst[i-1], dst[i]
		}
	}
	return dst
}

// stronger orders neighbours, strongest first, equals by hash.
func stronger(a, b Neighbour) int {
	if a.Strength != b.Strength {
		return cmp.Compare(b.Strength, a.Strength)
	}
	return cmp.Compare(a.Item, b.Item)
}
