package decode

import "github.com/dangol-dev/dangol/engine/event"

// amounts are the sums of an order in Segment's spec: revenue is the goods
// before discount, subtotal the goods after it, total what was paid, with
// shipping and tax.
type amounts struct {
	revenue, subtotal, total, shipping, tax, discount event.Micro
}

// goods is the value of the goods before discount, by the best of the sums that
// were given, and the property that it comes from; "" where there was none. The
// value is negative where the sums contradict each other or do not fit.
func (m *amounts) goods(given uint64) (event.Micro, string) {
	switch {
	case given&(1<<propRevenue) != 0:
		return m.revenue, "properties.revenue"
	case given&(1<<propSubtotal) != 0:
		return m.subtotal + m.discount, "properties.subtotal"
	case given&(1<<propTotal) != 0:
		extra := m.shipping + m.tax
		paid := m.total + m.discount
		if extra < 0 || paid < 0 {
			return -1, "properties.total"
		}
		return paid - extra, "properties.total"
	}
	return 0, ""
}

// setSegmentMoney finds the amount and the discount of an order; of a refund,
// what is given back of the goods.
func (d *JSON) setSegmentMoney() bool {
	ev, m := d.ev, &d.raw.money
	refund := ev.Type == event.OrderRefunded
	if !refund && ev.Type != event.OrderCompleted && ev.Type != event.OrderUpdated {
		return true
	}
	if !refund {
		ev.Discount = m.discount
	}
	amount, field := m.goods(d.raw.props)
	if field == "" {
		return !refund || !d.priced || d.setRefund()
	}
	if refund && amount >= 0 {
		amount -= m.discount
	}
	if amount < 0 {
		d.fail(event.NegativeAmount, field, -1)
		return false
	}
	ev.Amount, ev.HasAmount = amount, true
	return true
}

// setRefund takes for a refund the price of what was sent back.
func (d *JSON) setRefund() bool {
	sum, ok := total(d.ev.Items)
	if !ok {
		d.fail(event.Overflow, "properties.products", -1)
		return false
	}
	d.ev.Amount, d.ev.HasAmount = sum, true
	return true
}
