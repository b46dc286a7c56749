package ledger

import "github.com/dangol-dev/dangol/engine/event"

// Sale is one retained order as the scores see it: joined with its updates and
// adjustments. A cancelled order is none. A wholly refunded one was an occasion
// to buy, but brought no money and says nothing of what goes together.
type Sale struct {
	Hash       uint64      // Order.Hash
	Placed     int64       // Unix ms
	Day        int32       // of Placed, in the rules' calendar
	Net        event.Micro // after discount and refunds, ≥ 0
	Margin     event.Micro // Net less the cost of what was kept; below 0: sold at a loss
	HasMargin  bool        // false: Margin is unknown, for not every line said its cost
	Discounted bool        // it had a discount, with a code or without one
	Coupon     bool        // it came with a coupon's code, whatever that was worth
	InBasket   bool        // its items count for what is bought together
	Channel    string      // "": unknown
	Items      []uint64    // sorted, distinct; the ledger's memory
}

// Sales walks the visible retained orders in the order of their placing:
//
//	for s := l.Sales(r); s.Next(); {
//		use(s.Sale)
//	}
//
// It does not allocate. The ledger must not change meanwhile.
type Sales struct {
	Sale
	ledger *Ledger
	rules  *Rules
	next   int
}

// Sales starts a walk.
func (l *Ledger) Sales(r *Rules) Sales { return Sales{ledger: l, rules: r} }

// Next goes to the next sale; false: there is none.
func (s *Sales) Next() bool {
	l := s.ledger
	for s.next < len(l.Orders) {
		o := &l.Orders[s.next]
		s.next++
		var sum tally
		if len(l.Adjustments) > 0 {
			if sum = l.tally(o, never, s.rules); sum.cancelled {
				continue
			}
		}
		c := o
		if len(l.Pending) > 0 {
			c = l.content(o, never, s.rules)
		}
		net := c.net()
		left := max(0, net.Sub(sum.returned))
		if sum.whole {
			left = 0
		}
		s.Sale = Sale{
			Hash: o.Hash, Placed: o.Placed, Day: s.rules.Calendar.Day(o.Placed),
			Net: left, Discounted: c.Discount > 0, Coupon: c.Coupon,
			InBasket: !sum.whole && (sum.returned == 0 || left > 0),
			Channel:  c.Channel, Items: c.Items,
		}
		if c.Costed {
			s.Margin, s.HasMargin = left.Sub(c.costKept(left, &sum)), true
		}
		return true
	}
	return false
}
