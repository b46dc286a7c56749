package decode

import "github.com/dangol-dev/dangol/engine/event"

// The fields of the native object. Their codes are 1 + their index.
var nativeNames = [...]string{
	"id", "type", "customer_id", "time", "order_id", "items", "amount", "discount", "currency", "channel",
	"session_id", "previous_id", "granted", "rating", "score", "coupon", "version",
	"item_id", "category", "price", "available", "hidden", "requires_consent",
}

const (
	nativeID = 1 + iota
	nativeType
	nativeCustomer
	nativeTime
	nativeOrder
	nativeItems
	nativeAmount
	nativeDiscount
	nativeCurrency
	nativeChannel
	nativeSession
	nativePrevious
	nativeGranted
	nativeRating
	nativeScore
	nativeCoupon
	nativeVersion
	nativeItem
	nativeCategory
	nativePrice
	nativeAvailable
	nativeHidden
	nativeConsent
)

var itemNames = [...]string{"item_id", "category", "quantity", "price", "cost"}

const (
	itemID = 1 + iota
	itemCategory
	itemQuantity
	itemPrice
	itemCost
)

// nativeField reads the value at i of a top-level field of the native form.
func (d *JSON) nativeField(code uint8, i, depth int) int {
	ev := d.ev
	name := nativeNames[code-1]
	switch code {
	case nativeID:
		ev.ID, i = d.text(i, name, MaxID)
	case nativeType:
		i = d.readType(i)
	case nativeCustomer:
		ev.CustomerID, i = d.text(i, name, MaxID)
	case nativeTime:
		i = d.readStamp(i, name, &d.raw.time)
	case nativeOrder:
		ev.OrderID, i = d.text(i, name, MaxID)
	case nativeItems:
		i = d.list(i, depth, name, itemKind)
	case nativeAmount:
		ev.Amount, i = d.micro(i, name)
		ev.HasAmount = true
	case nativeDiscount:
		ev.Discount, i = d.micro(i, name)
	case nativeCurrency:
		i = d.readCurrency(i, name)
	case nativeChannel:
		ev.Channel, i = d.text(i, name, MaxChannel)
	case nativeSession:
		ev.SessionID, i = d.text(i, name, MaxID)
	case nativePrevious:
		ev.PreviousID, i = d.text(i, name, MaxID)
	case nativeGranted:
		ev.Granted, i = d.boolean(i, name)
	case nativeRating:
		d.raw.rating, i = d.micro(i, name)
	case nativeScore:
		d.raw.score, i = d.micro(i, name)
	case nativeCoupon:
		ev.Coupon, i = d.text(i, name, d.maxString)
	case nativeVersion:
		start := i
		if i = d.skip(i, depth); i > 0 {
			d.raw.version = versionOf(d.data[start:i])
		}
	default:
		i = d.updateField(code, i, name)
	}
	return i
}

// updateField reads the value at i of a field that only an item_updated has.
func (d *JSON) updateField(code uint8, i int, name string) int {
	if d.raw.product.item == nil {
		d.product = event.Item{Quantity: event.One}
		d.raw.product.item = &d.product
	}
	it, state := &d.product, &d.ev.State
	switch code {
	case nativeItem:
		it.ID, i = d.text(i, name, MaxID)
	case nativeCategory:
		it.Category, i = d.text(i, name, d.maxString)
	case nativePrice:
		it.Price, i = d.micro(i, name)
	case nativeAvailable:
		state.Available, i = d.boolean(i, name)
		state.HasAvailable = true
	case nativeHidden:
		state.Hidden, i = d.boolean(i, name)
		state.HasHidden = true
	case nativeConsent:
		state.Consent, i = d.text(i, name, MaxChannel)
		state.HasConsent = true
	}
	return i
}

// versionOf keeps of a version whether it is the one that is known.
func versionOf(token []byte) string {
	if string(token) == "1" {
		return "1"
	}
	return "other"
}

// itemField reads the value at i of a field of a native item.
func (d *JSON) itemField(code uint8, i int) int {
	it := d.line.item
	switch code {
	case itemID:
		it.ID, i = d.text(i, "items.item_id", MaxID)
	case itemCategory:
		it.Category, i = d.text(i, "items.category", d.maxString)
	case itemQuantity:
		it.Quantity, i = d.micro(i, "items.quantity")
	case itemPrice:
		it.Price, i = d.micro(i, "items.price")
		d.line.priced = true
	case itemCost:
		it.Cost, i = d.micro(i, "items.cost")
		it.HasCost = true
	}
	return i
}

// finishNative understands the record as a whole.
func (d *JSON) finishNative() bool {
	ev, given := d.ev, d.given
	if d.raw.version == "other" {
		d.fail(event.UnknownVersion, "version", -1)
		return false
	}
	if d.raw.typ == "" {
		d.fail(event.MissingType, "type", -1)
		return false
	}
	if !d.tracks.native(d.raw.typ, &ev.Type) {
		d.fail(event.UnknownType, "type", -1)
		return false
	}
	if ev.Type == event.ItemUpdated {
		if !d.setItem() {
			return false
		}
	} else if ev.CustomerID == "" {
		d.fail(event.MissingCustomer, "customer_id", -1)
		return false
	}
	if !d.setTime(&d.raw.time, "time") {
		return false
	}
	rating, field := d.raw.rating, "rating"
	if ev.Type == event.SurveyAnswered && given&(1<<nativeScore) != 0 {
		rating, field = d.raw.score, "score"
	}
	if !d.setRating(rating, field) {
		return false
	}
	return d.complete(has{
		rating:  given&(1<<nativeRating|1<<nativeScore) != 0,
		granted: given&(1<<nativeGranted) != 0,
	}, &nativeFields) && d.convert("currency")
}

// setItem makes an item_updated one of items and of no customer.
func (d *JSON) setItem() bool {
	ev := d.ev
	ev.CustomerID = ""
	if len(ev.Items) > 0 {
		return true
	}
	if d.product.ID == "" || d.raw.product.item == nil {
		d.fail(event.MissingItem, "item_id", -1)
		return false
	}
	ev.Items = append(ev.Items, d.product)
	return true
}

var nativeFields = fieldNames{
	order: "order_id", amount: "amount", items: "items", previous: "previous_id", granted: "granted", rating: "rating",
}
