package score

import (
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// purchase is one order that stands, as the scores see it.
type purchase struct {
	placed     int64
	day        int32
	net        event.Micro // after discount and refunds
	discounted bool
	channel    string
}

// eachPurchase calls f with every retained order that stands, in the order of
// placing.
func eachPurchase(l *ledger.Ledger, r *ledger.Rules, f func(p *purchase)) {
	var p purchase
	for i := range l.Orders {
		o := &l.Orders[i]
		p = purchase{
			placed: o.Placed, day: r.Calendar.Day(o.Placed), net: max(0, o.Amount.Sub(o.Discount)),
			discounted: o.Discount > 0, channel: o.Channel,
		}
		cancelled := false
		for j := range l.Adjustments {
			a := &l.Adjustments[j]
			if a.Order != o.Hash {
				continue
			}
			switch a.Kind {
			case ledger.Refunded:
				p.net = max(0, p.net.Sub(a.Amount))
			case ledger.RefundedWholly:
				p.net = 0
			case ledger.Cancelled:
				cancelled = true
			}
		}
		if !cancelled {
			f(&p)
		}
	}
}
