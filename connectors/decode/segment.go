package decode

import "github.com/dangol-dev/dangol/engine/event"

// How a call of Segment's spec is understood:
//
//   - track: its event's name says the type, whatever its case: the names of
//     Segment's specs (trackNames), every native type written with spaces, and
//     the operator's own (Segment.Names). Another name is rejected as
//     event.UnknownType, since only the operator knows whether it is an act of
//     the customer's: server-side calls ("Invoice Sent") are none. Where all are,
//     Segment.Unknown = visit counts them as page_viewed. page and screen are
//     page_viewed, identify is identified, alias is aliased; group is about an
//     account and rejected.
//   - customer: userId, else anonymousId. time: timestamp, else
//     originalTimestamp, sentAt, receivedAt.
//   - amount of an order: revenue; else subtotal + discount; else total − tax −
//     shipping + discount; else Σ price × quantity of the products. Of a refund:
//     revenue − discount, subtotal, total − tax − shipping, the products; with
//     none of them the whole order is given back.
//   - product events are about properties.product_id, else sku, else the products.
//   - channel: properties.channel, else the call's own unless that is server, else
//     what the event's name implies (Email Opened: email).

// The fields of a Segment call that are read. Their codes are 1 + their index.
var segmentNames = [...]string{
	"type", "event", "userId", "anonymousId", "messageId", "previousId", "channel", "properties",
	"timestamp", "originalTimestamp", "sentAt", "receivedAt",
}

const (
	segmentType = 1 + iota
	segmentEvent
	segmentUser
	segmentAnonymous
	segmentMessage
	segmentPrevious
	segmentChannel
	segmentProperties
	segmentTimestamp
	segmentOriginal
	segmentSent
	segmentReceived
)

// The properties that are read; first those that products have, too.
var propertyNames = [...]string{
	"product_id", "sku", "category", "quantity", "price",
	"order_id", "products", "revenue", "subtotal", "total", "shipping", "tax", "discount", "coupon", "currency",
	"session_id", "channel", "rating", "score", "granted",
}

const (
	propProduct = 1 + iota
	propSKU
	propCategory
	propQuantity
	propPrice
	propOrder
	propProducts
	propRevenue
	propSubtotal
	propTotal
	propShipping
	propTax
	propDiscount
	propCoupon
	propCurrency
	propSession
	propChannel
	propRating
	propScore
	propGranted
)

// The fields of a product in a list: those of a product that is the properties
// themselves, with the same codes, and one that is only read there, since in the
// properties it may be the cost of anything.
var productNames = [...]string{"product_id", "sku", "category", "quantity", "price", "cost"}

const productCost = 1 + propPrice

// segmentField reads the value at i of a top-level field of a Segment call.
func (d *JSON) segmentField(code uint8, i, depth int) int {
	name := segmentNames[code-1]
	switch code {
	case segmentType:
		i = d.readType(i)
	case segmentEvent:
		d.raw.name, i = d.text(i, name, d.maxString)
	case segmentUser:
		d.raw.user, i = d.text(i, name, MaxID)
	case segmentAnonymous:
		d.raw.anonymous, i = d.text(i, name, MaxID)
	case segmentMessage:
		d.ev.ID, i = d.text(i, name, MaxID)
	case segmentPrevious:
		d.raw.previous, i = d.text(i, name, MaxID)
	case segmentChannel:
		d.raw.source, i = d.text(i, name, MaxChannel)
	case segmentProperties:
		if i >= len(d.data) || d.data[i] != '{' {
			return d.wrongType(i, name)
		}
		d.product = event.Item{Quantity: event.One}
		d.raw.product = line{item: &d.product}
		d.raw.props, i = d.object(i+1, depth+1, propertiesKind)
	default:
		i = d.readStamp(i, name, &d.raw.stamps[code-segmentTimestamp])
	}
	return i
}

// propertiesField reads the value at i of a property.
func (d *JSON) propertiesField(code uint8, i, depth int) int {
	ev, m := d.ev, &d.raw.money
	name := d.keys[propertiesKind].fields[code]
	switch code {
	case propProduct, propSKU, propCategory, propQuantity, propPrice:
		return d.lineField(&d.raw.product, code, i, name)
	case propOrder:
		ev.OrderID, i = d.text(i, name, MaxID)
	case propProducts:
		i = d.list(i, depth, name, productKind)
	case propRevenue:
		m.revenue, i = d.micro(i, name)
	case propSubtotal:
		m.subtotal, i = d.micro(i, name)
	case propTotal:
		m.total, i = d.micro(i, name)
	case propShipping:
		m.shipping, i = d.micro(i, name)
	case propTax:
		m.tax, i = d.micro(i, name)
	case propDiscount:
		m.discount, i = d.micro(i, name)
	case propCoupon:
		ev.Coupon, i = d.text(i, name, d.maxString)
	case propCurrency:
		i = d.readCurrency(i, name)
	case propSession:
		ev.SessionID, i = d.text(i, name, MaxID)
	case propChannel:
		ev.Channel, i = d.text(i, name, MaxChannel)
	case propRating:
		d.raw.rating, i = d.micro(i, name)
	case propScore:
		d.raw.score, i = d.micro(i, name)
	case propGranted:
		ev.Granted, i = d.boolean(i, name)
	}
	return i
}

// productField reads the value at i of a field of a product in a list.
func (d *JSON) productField(code uint8, i int) int {
	name := d.keys[productKind].fields[code]
	if code == productCost {
		d.line.item.Cost, i = d.micro(i, name)
		d.line.item.HasCost = true
		return i
	}
	return d.lineField(&d.line, code, i, name)
}

func (d *JSON) lineField(l *line, code uint8, i int, name string) int {
	switch code {
	case propProduct:
		l.item.ID, i = d.text(i, name, MaxID)
	case propSKU:
		l.sku, i = d.text(i, name, MaxID)
	case propCategory:
		l.item.Category, i = d.text(i, name, d.maxString)
	case propQuantity:
		l.item.Quantity, i = d.micro(i, name)
	case propPrice:
		l.item.Price, i = d.micro(i, name)
		l.priced = true
	}
	return i
}

// finishSegment understands the call as a whole.
func (d *JSON) finishSegment() bool {
	ev := d.ev
	if !d.setSegmentType() {
		return false
	}
	if ev.CustomerID = d.raw.user; ev.CustomerID == "" {
		ev.CustomerID = d.raw.anonymous
	}
	if ev.CustomerID == "" {
		d.fail(event.MissingCustomer, "userId", -1)
		return false
	}
	if !d.setSegmentTime() {
		return false
	}
	if ev.Channel == "" && d.raw.source != "server" { // a server is where a call was sent from, no channel to a customer
		ev.Channel = d.raw.source
	}
	if p := &d.raw.product; p.item != nil && takesProduct(ev.Type) && len(ev.Items) == 0 && p.named() {
		d.priced = p.priced
		ev.Items = append(ev.Items, *p.item)
	}
	if !d.setSegmentMoney() {
		return false
	}
	rating, field := d.raw.rating, "properties.rating"
	if ev.Type == event.SurveyAnswered && d.raw.props&(1<<propScore) != 0 {
		rating, field = d.raw.score, "properties.score"
	}
	if !d.setRating(rating, field) {
		return false
	}
	if h := d.tracks.hint; h.channel != "" && ev.Channel == "" {
		ev.Channel = h.channel
	}
	return d.complete(has{
		rating:  d.raw.props&(1<<propRating|1<<propScore) != 0,
		granted: d.raw.props&(1<<propGranted) != 0 || d.tracks.hint.withdrawn,
	}, &segmentFields) && d.convert("properties.currency")
}

var segmentFields = fieldNames{
	order: "properties.order_id", amount: "properties.revenue", items: "properties.product_id",
	previous: "previousId", granted: "properties.granted", rating: "properties.rating",
}

// setSegmentType finds the event's type from the call's and its name.
func (d *JSON) setSegmentType() bool {
	ev := d.ev
	d.tracks.hint = hint{}
	switch d.raw.typ {
	case "page", "screen":
		ev.Type = event.PageViewed
	case "identify":
		ev.Type = event.Identified
	case "alias":
		ev.Type = event.Aliased
		ev.PreviousID = d.raw.previous
	case "track":
		if d.raw.name == "" {
			d.fail(event.MissingType, "event", -1)
			return false
		}
		if !d.tracks.track(d.raw.name, &ev.Type) {
			d.fail(event.UnknownType, "event", -1)
			return false
		}
		if d.tracks.hint.withdrawn {
			ev.Granted = false
		}
	default: // group: about an account, not a customer
		d.fail(event.UnknownType, "type", -1)
		return false
	}
	return true
}

// setSegmentTime takes the timestamp, which Segment corrects for the clock of
// the device, or the best of the times that a call has before that.
func (d *JSON) setSegmentTime() bool {
	for k := range d.raw.stamps {
		if d.raw.stamps[k].text != "" {
			return d.setTime(&d.raw.stamps[k], segmentNames[segmentTimestamp-1+k])
		}
	}
	d.fail(event.MissingTime, "timestamp", -1)
	return false
}

// takesProduct reports the types whose properties are the product itself.
func takesProduct(t event.Type) bool {
	switch t {
	case event.ProductViewed, event.ProductAdded, event.ProductRemoved, event.ProductReviewed, event.ProductShared:
		return true
	}
	return false
}
