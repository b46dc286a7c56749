package shop

import (
	"strconv"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

// act is what a customer does, before it is written down.
type act struct {
	typ     event.Type
	at      int64
	session uint64
	order   *order
	lines   []line
	cents   int64 // refund: given back; 0 is the whole order
	channel string
	granted bool
	rating  int
}

// coupon is the code that the shop gives away.
const coupon = "WELCOME"

// costs says whether the items of events of a type carry what they cost the
// shop: a shop knows that where it books an order, not where it shows a page.
func costs(typ event.Type) bool { return typ == event.OrderCompleted || typ == event.OrderUpdated }

var channels = [...]string{"web", "app", "store"}

// trackNames are the events that Segment's ecommerce spec has a name for.
var trackNames = [event.ErasureRequested + 1]string{
	event.ProductsSearched: "Products Searched", event.ProductViewed: "Product Viewed",
	event.ProductAdded: "Product Added", event.ProductRemoved: "Product Removed",
	event.CartViewed: "Cart Viewed", event.CheckoutStarted: "Checkout Started",
	event.OrderCompleted: "Order Completed", event.OrderUpdated: "Order Updated",
	event.OrderRefunded: "Order Refunded", event.OrderCancelled: "Order Cancelled",
	event.CouponApplied: "Coupon Applied", event.ProductReviewed: "Product Reviewed",
	event.ProductShared: "Product Shared",
}

// encode writes the act in one of the wire formats.
func (s *Shop) encode(c *customer, a *act) []byte {
	w := writer{b: s.buffer()}
	s.seq++
	if a.channel == "" {
		a.channel = channels[c.channel]
	}
	if name := trackNames[a.typ]; name != "" && s.chance(s.c.SegmentShare) {
		s.track(&w, c, a, name)
	} else {
		s.native(&w, c, a)
	}
	return w.b
}

// native writes the engine's own JSON.
func (s *Shop) native(w *writer, c *customer, a *act) {
	w.raw(`{"id":"`)
	w.id('e', s.seq)
	w.raw(`","type":"`)
	w.raw(a.typ.String())
	w.raw(`","customer_id":"`)
	w.raw(s.names[c.id])
	w.raw(`","time":"`)
	w.time(a.at)
	w.raw(`","channel":"`)
	w.raw(a.channel)
	w.raw(`"`)
	if a.session != 0 {
		w.raw(`,"session_id":"`)
		w.id('s', a.session)
		w.raw(`"`)
	}
	if o := a.order; o != nil {
		w.raw(`,"order_id":"`)
		w.id('o', o.number)
		w.raw(`"`)
		switch a.typ {
		case event.OrderCompleted, event.OrderUpdated:
			w.money(`,"amount":"`, o.cents, `"`)
			if o.discount > 0 {
				w.money(`,"discount":"`, o.discount, `"`)
			}
			if o.coupon {
				w.raw(`,"coupon":"` + coupon + `"`)
			}
			w.raw(`,"currency":"EUR"`)
		case event.OrderRefunded:
			if a.cents > 0 {
				w.money(`,"amount":"`, a.cents, `","currency":"EUR"`)
			}
		}
	}
	for i := range a.lines {
		l := &a.lines[i]
		if i == 0 {
			w.raw(`,"items":[`)
		} else {
			w.raw(`,`)
		}
		w.raw(`{"item_id":"`)
		w.raw(s.cat.items[l.item].ID)
		w.raw(`","category":"`)
		w.raw(s.cat.items[l.item].Category)
		w.raw(`","quantity":`)
		w.b = strconv.AppendInt(w.b, l.quantity, 10)
		w.money(`,"price":"`, l.cents, `"`)
		if costs(a.typ) {
			w.money(`,"cost":"`, s.cat.items[l.item].Cost, `"`)
		}
		w.raw(`}`)
	}
	if len(a.lines) > 0 {
		w.raw(`]`)
	}
	switch a.typ {
	case event.ConsentUpdated:
		w.raw(`,"granted":`)
		w.b = strconv.AppendBool(w.b, a.granted)
	case event.SurveyAnswered, event.ProductReviewed:
		w.raw(`,"rating":`)
		w.b = strconv.AppendInt(w.b, int64(a.rating), 10)
	}
	w.raw(`}`)
}

// track writes a Segment track call, with some of the context that its
// libraries send along.
func (s *Shop) track(w *writer, c *customer, a *act, name string) {
	w.raw(`{"type":"track","event":"`)
	w.raw(name)
	w.raw(`","messageId":"`)
	w.id('e', s.seq)
	w.raw(`","userId":"`)
	w.raw(s.names[c.id])
	w.raw(`","timestamp":"`)
	w.time(a.at)
	w.raw(`","channel":"`)
	w.raw(a.channel)
	w.raw(`","context":{"library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-GB"},"properties":{`)
	sep := ""
	if a.session != 0 {
		w.raw(`"session_id":"`)
		w.id('s', a.session)
		w.raw(`"`)
		sep = ","
	}
	if o := a.order; o != nil {
		w.raw(sep)
		w.raw(`"order_id":"`)
		w.id('o', o.number)
		w.raw(`"`)
		sep = ","
		switch a.typ {
		case event.OrderCompleted, event.OrderUpdated:
			w.money(`,"revenue":`, o.cents, ``)
			if o.discount > 0 {
				w.money(`,"discount":`, o.discount, ``)
			}
			if o.coupon {
				w.raw(`,"coupon":"` + coupon + `"`)
			}
			w.raw(`,"currency":"EUR"`)
		case event.OrderRefunded:
			if a.cents > 0 {
				w.money(`,"total":`, a.cents, `,"currency":"EUR"`)
			}
		case event.CouponApplied:
			w.raw(`,"coupon_id":"` + coupon + `"`)
		}
	}
	s.trackItems(w, a, sep)
	if a.typ == event.ProductReviewed {
		w.raw(`,"rating":`)
		w.b = strconv.AppendInt(w.b, int64(a.rating), 10)
	}
	w.raw(`}}`)
}

// trackItems writes one article as properties of its own, more as products.
func (s *Shop) trackItems(w *writer, a *act, sep string) {
	if len(a.lines) == 0 {
		return
	}
	list := false
	switch a.typ {
	case event.CartViewed, event.CheckoutStarted, event.OrderCompleted, event.OrderUpdated:
		list = true
	}
	w.raw(sep)
	if list {
		w.raw(`"products":[`)
	}
	for i := range a.lines {
		l := &a.lines[i]
		if i > 0 {
			w.raw(`,`)
		}
		if list {
			w.raw(`{`)
		}
		w.raw(`"product_id":"`)
		w.raw(s.cat.items[l.item].ID)
		w.raw(`","category":"`)
		w.raw(s.cat.items[l.item].Category)
		w.raw(`","quantity":`)
		w.b = strconv.AppendInt(w.b, l.quantity, 10)
		w.money(`,"price":`, l.cents, ``)
		if costs(a.typ) {
			w.money(`,"cost":`, s.cat.items[l.item].Cost, ``)
		}
		if list {
			w.raw(`}`)
		}
	}
	if list {
		w.raw(`]`)
	}
}

// writer appends to a buffer.
type writer struct{ b []byte }

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

func (w *writer) id(prefix byte, n uint64) {
	w.b = strconv.AppendUint(append(w.b, prefix, '-'), n, 36)
}

func (w *writer) time(at int64) {
	w.b = time.UnixMilli(at).UTC().AppendFormat(w.b, "2006-01-02T15:04:05.000Z07:00")
}

// money writes cents as a decimal between before and after.
func (w *writer) money(before string, cents int64, after string) {
	w.raw(before)
	w.b = strconv.AppendInt(w.b, cents/100, 10)
	w.b = append(w.b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	w.raw(after)
}
