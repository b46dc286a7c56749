package decode

import "github.com/dangol-dev/dangol/engine/event"

// has says which fields were given whose zero value means something.
type has struct{ rating, granted bool }

// fieldNames are the names by which rejects call the fields of a form.
type fieldNames struct{ order, amount, items, previous, granted, rating string }

// complete fills in the amount of an order from its items and holds the event to
// the fields that its type needs.
func (d *JSON) complete(h has, names *fieldNames) bool {
	if field, reason := finish(d.ev, d.priced, h, names); reason != "" {
		d.fail(reason, field, -1)
		return false
	}
	return true
}

// finish does what complete does, for any source of events.
func finish(ev *event.Event, priced bool, h has, names *fieldNames) (string, event.Reason) {
	switch ev.Type {
	case event.OrderCompleted, event.OrderUpdated:
		if ev.Type == event.OrderUpdated && ev.OrderID == "" {
			return names.order, event.MissingOrder
		}
		if !ev.HasAmount && len(ev.Items) == 0 {
			return names.amount, event.MissingField
		}
		if !ev.HasAmount && priced {
			sum, ok := total(ev.Items)
			if !ok {
				return names.items, event.Overflow
			}
			ev.Amount, ev.HasAmount = sum, true
		}
	case event.OrderRefunded, event.OrderCancelled:
		if ev.OrderID == "" {
			return names.order, event.MissingOrder
		}
	case event.ProductViewed, event.ProductAdded, event.ProductRemoved, event.ProductReviewed, event.ProductShared:
		if len(ev.Items) == 0 {
			return names.items, event.MissingItem
		}
	case event.SurveyAnswered:
		if !h.rating {
			return names.rating, event.MissingField
		}
	case event.ConsentUpdated:
		if !h.granted {
			return names.granted, event.MissingField
		}
	case event.Aliased:
		if ev.PreviousID == "" {
			return names.previous, event.MissingField
		}
	}
	return "", ""
}

// total is Σ price × quantity; false where it does not fit.
func total(items []event.Item) (sum event.Micro, ok bool) {
	for i := range items {
		m, ok := times(items[i].Price, items[i].Quantity)
		if !ok {
			return 0, false
		}
		if sum += m; sum < 0 {
			return 0, false
		}
	}
	return sum, true
}

// setRating takes a rating of 0 to 10, rounded to a whole number.
func (d *JSON) setRating(m event.Micro, field string) bool {
	if m > 10*event.One {
		d.fail(event.BadNumber, field, -1)
		return false
	}
	d.ev.Rating = int8((m + event.One/2) / event.One)
	return true
}

// readCurrency reads an ISO 4217 code.
func (d *JSON) readCurrency(i int, field string) int {
	s, next := d.text(i, field, d.maxString)
	if next < 0 || s == "" {
		return next
	}
	var ok bool
	if d.ev.Currency, ok = currency(s); !ok {
		return d.fail(event.UnknownCurrency, field, i)
	}
	return next
}

// convert turns the event's money into the base currency.
func (d *JSON) convert(field string) bool {
	if reason := d.money.convert(d.ev); reason != "" {
		d.fail(reason, field, -1)
		return false
	}
	return true
}

// converter knows the base currency and the rates to it.
type converter struct {
	base  string
	rates map[string]rate
}

// newConverter takes a configuration that was validated.
func newConverter(c Currency) converter {
	v := converter{base: c.Base, rates: make(map[string]rate, len(c.Rates))}
	for code, s := range c.Rates {
		v.rates[code], _ = parseRate(s)
	}
	return v
}

// convert rewrites ev's money. An event that names no currency is in the base.
func (v *converter) convert(ev *event.Event) event.Reason {
	if v.base == "" || ev.Currency == "" || ev.Currency == v.base {
		return ""
	}
	r, ok := v.rates[ev.Currency]
	if !ok {
		return event.UnknownCurrency
	}
	ev.Currency = v.base
	amount, ok1 := r.of(ev.Amount)
	discount, ok2 := r.of(ev.Discount)
	ev.Amount, ev.Discount = amount, discount
	for i := range ev.Items {
		it := &ev.Items[i]
		price, ok := r.of(it.Price)
		cost, ok3 := r.of(it.Cost)
		it.Price, it.Cost = price, cost
		ok1 = ok1 && ok && ok3
	}
	if !ok1 || !ok2 {
		return event.Overflow
	}
	return ""
}
