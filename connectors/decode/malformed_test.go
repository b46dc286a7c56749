package decode

import (
	"strings"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
)

type bad struct {
	name, record string
	reason       event.Reason
	field        string
}

// malformed is one record of every kind of fault that is known.
func malformed() []bad {
	good := func(old, new string) string { return strings.Replace(nativeOrderLine, old, new, 1) }
	view := func(old, new string) string { return strings.Replace(segmentView, old, new, 1) }
	update := func(old, new string) string { return strings.Replace(nativeUpdate, old, new, 1) }
	const at = `"customer_id":"c","time":"2026-11-21T09:30:00Z"`
	return []bad{
		{"no bytes", "", event.Empty, ""},
		{"white space", " \n\t", event.Empty, ""},
		{"cut in a string", nativeOrderLine[:20], event.Truncated, "type"},
		{"cut in a key", nativeOrderLine[:3], event.Truncated, ""},
		{"cut after a colon", `{"id":`, event.Truncated, "id"},
		{"cut in a literal", `{"x":tru`, event.Truncated, ""},
		{"cut in a number", `{"x":-`, event.Truncated, ""},
		{"cut in an escape", `{"x":"\u00`, event.Truncated, ""},
		{"cut in a character", "{\"x\":\"\xe2\x82", event.Truncated, ""},
		{"cut before the end", nativeOrderLine[:len(nativeOrderLine)-1], event.Truncated, ""},
		{"two objects", nativeOrderLine + nativeOrderLine, event.TrailingBytes, ""},
		{"a brace too many", nativeOrderLine + "}", event.TrailingBytes, ""},
		{"not JSON", `<event/>`, event.Malformed, ""},
		{"single quotes", `{'id':'e'}`, event.Malformed, ""},
		{"trailing comma", `{"x":1,}`, event.Malformed, ""},
		{"no colon", `{"x" 1}`, event.Malformed, ""},
		{"control character", "{\"x\":\"a\nb\"}", event.Malformed, ""},
		{"unknown escape", `{"id":"\x41"}`, event.Malformed, "id"},
		{"half an escape", `{"x":"\u00zz"}`, event.Malformed, ""},
		{"a list", `[` + nativeOrderLine + `]`, event.WrongType, ""},
		{"a string", `"event"`, event.WrongType, ""},
		{"id is a number", good(`"e-1"`, `1`), event.WrongType, "id"},
		{"type is a list", good(`"order_completed"`, `[]`), event.WrongType, "type"},
		{"items is an object", good(`[{"item_id":"A","category":"pizza","quantity":2,"price":"9.90"}]`, `{}`), event.WrongType, "items"},
		{"an item is a string", good(`[{`, `["A",{`), event.WrongType, "items"},
		{"amount is a boolean", good(`"19.80"`, `true`), event.WrongType, "amount"},
		{"time is an object", good(`"2026-11-21T09:30:00Z"`, `{}`), event.WrongType, "time"},
		{"properties is a list", view(`{"product_id"`, `[],"x":{"product_id"`), event.WrongType, "properties"},
		{"granted is a string", `{"type":"consent_updated",` + at + `,"granted":"yes"}`, event.WrongType, "granted"},
		{"id twice", good(`"type"`, `"id":"e-1","type"`), event.DuplicateField, "id"},
		{"id twice, once escaped", good(`"type"`, `"\u0069d":"e-1","type"`), event.DuplicateField, "id"},
		{"price twice", view(`"price"`, `"price":1,"price"`), event.DuplicateField, "properties.price"},
		{"cost of an item twice", good(`"price"`, `"cost":1,"cost":1,"price"`), event.DuplicateField, "items.cost"},
		{"cost below zero", good(`"price"`, `"cost":-1,"price"`), event.NegativeAmount, "items.cost"},
		{"cost of a product below zero", `{"type":"track","event":"Order Completed","userId":"c","timestamp":1,"properties":{"products":[{"sku":"A","cost":"-1"}]}}`,
			event.NegativeAmount, "properties.products.cost"},
		{"cost is a word", good(`"price"`, `"cost":"free","price"`), event.BadNumber, "items.cost"},
		{"price of an item twice", good(`"price"`, `"price":1,"price"`), event.DuplicateField, "items.price"},
		{"nested too deep", `{"x":` + strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32) + `}`, event.TooDeep, ""},
		{"objects too deep", strings.Repeat(`{"x":`, 33) + `1` + strings.Repeat(`}`, 33), event.TooDeep, ""},
		{"too large", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, event.TooLarge, ""},
		{"id too long", good(`c-42`, strings.Repeat("c", 513)), event.TooLarge, "customer_id"},
		{"channel too long", good(`"app"`, `"`+strings.Repeat("c", 65)+`"`), event.TooLarge, "channel"},
		{"category too long", good(`pizza`, strings.Repeat("c", 1025)), event.TooLarge, "items.category"},
		{"too many items", good(`[{`, `[`+strings.Repeat(`{"item_id":"B"},`, 1000)+`{`), event.TooLarge, "items"},
		{"bad UTF-8", good(`c-42`, "c\xff"), event.BadUTF8, "customer_id"},
		{"bad UTF-8 in a field of no interest", good(`"id"`, "\"x\":\"\xc0\xaf\",\"id\""), event.BadUTF8, ""},
		{"a surrogate as bytes", good(`c-42`, "c\xed\xa0\x80"), event.BadUTF8, "customer_id"},
		{"NaN", good(`"19.80"`, `NaN`), event.BadNumber, "amount"},
		{"NaN as a string", good(`19.80`, `NaN`), event.BadNumber, "amount"},
		{"-Infinity", good(`"19.80"`, `-Infinity`), event.BadNumber, "amount"},
		{"NaN in a field of no interest", good(`"id"`, `"x":NaN,"id"`), event.BadNumber, ""},
		{"1e400", good(`"19.80"`, `1e400`), event.BadNumber, "amount"},
		{"leading zero", good(`"19.80"`, `019.80`), event.BadNumber, "amount"},
		{"no digits after the point", good(`"19.80"`, `19.`), event.BadNumber, "amount"},
		{"hexadecimal", good(`"19.80"`, `"0x13"`), event.BadNumber, "amount"},
		{"decimal comma", good(`19.80`, `19,80`), event.BadNumber, "amount"},
		{"rating of 11", `{"type":"survey_answered",` + at + `,"score":11}`, event.BadNumber, "score"},
		{"amount beyond int64", good(`"19.80"`, `9223372036855`), event.Overflow, "amount"},
		{"1e30", good(`"19.80"`, `1e30`), event.Overflow, "amount"},
		{"sum of the items overflows", good(`"amount":"19.80",`, ``)[:0] + `{"type":"order_completed",` + at +
			`,"items":[{"item_id":"A","price":9e12,"quantity":2}]}`, event.Overflow, "items"},
		{"amount below zero", good(`"19.80"`, `-0.01`), event.NegativeAmount, "amount"},
		{"discount below zero", good(`"2.00"`, `"-2.00"`), event.NegativeAmount, "discount"},
		{"quantity below zero", good(`"quantity":2`, `"quantity":-2`), event.NegativeAmount, "items.quantity"},
		{"tax exceeds the total", `{"type":"track","event":"Order Completed","userId":"u","timestamp":1,"properties":{"total":1,"tax":2}}`,
			event.NegativeAmount, "properties.total"},
		{"unknown currency", good(`EUR`, `EUX`), event.UnknownCurrency, "currency"},
		{"no currency", good(`EUR`, `XXX`), event.UnknownCurrency, "currency"},
		{"currency in words", good(`EUR`, `euro`), event.UnknownCurrency, "currency"},
		{"no customer", good(`"customer_id":"c-42",`, ``), event.MissingCustomer, "customer_id"},
		{"customer is empty", good(`c-42`, ``), event.MissingCustomer, "customer_id"},
		{"customer is null", good(`"c-42"`, `null`), event.MissingCustomer, "customer_id"},
		{"neither user nor anonymous", view(`"userId":"019mr8mf4r",`, ``), event.MissingCustomer, "userId"},
		{"no time", good(`"time":"2026-11-21T09:30:00Z",`, ``), event.MissingTime, "time"},
		{"no timestamp", view(`"timestamp":"2026-11-21T09:30:00.250Z",`, ``), event.MissingTime, "timestamp"},
		{"time in words", good(`2026-11-21T09:30:00Z`, `yesterday`), event.BadTime, "time"},
		{"time without offset", good(`09:30:00Z`, `09:30:00`), event.BadTime, "time"},
		{"30 February", good(`2026-11-21`, `2026-02-30`), event.BadTime, "time"},
		{"hour 24", good(`T09`, `T24`), event.BadTime, "time"},
		{"before 1970", good(`2026-11-21`, `1969-12-31`), event.BadTime, "time"},
		{"the year 10000", good(`"2026-11-21T09:30:00Z"`, `253402300800000`), event.BadTime, "time"},
		{"negative milliseconds", good(`"2026-11-21T09:30:00Z"`, `-1`), event.BadTime, "time"},
		{"the epoch", good(`"2026-11-21T09:30:00Z"`, `0`), event.ZeroTime, "time"},
		{"the epoch in words", good(`2026-11-21T09:30:00Z`, `1970-01-01T00:00:00Z`), event.ZeroTime, "time"},
		{"Go's zero time", good(`2026-11-21T09:30:00Z`, `0001-01-01T00:00:00Z`), event.ZeroTime, "time"},
		{"MySQL's zero date", good(`2026-11-21T09:30:00Z`, `0000-00-00 00:00:00Z`), event.ZeroTime, "time"},
		{"beyond the future limit", good(`2026-11-21`, `2026-11-23`), event.FutureTime, "time"},
		{"no type", good(`"type":"order_completed",`, ``), event.MissingType, "type"},
		{"track without a name", view(`"event":"Product Viewed",`, ``), event.MissingType, "event"},
		{"unknown type", good(`order_completed`, `order_imagined`), event.UnknownType, "type"},
		{"type in capitals", good(`order_completed`, `Order_Completed`), event.UnknownType, "type"},
		{"unknown name", view(`Product Viewed`, `Product Imagined`), event.UnknownType, "event"},
		{"group", view(`"track"`, `"group"`), event.UnknownType, "type"},
		{"version 2", good(`"id"`, `"version":2,"id"`), event.UnknownVersion, "version"},
		{"version as a string", good(`"id"`, `"version":"1","id"`), event.UnknownVersion, "version"},
		{"refund of no order", `{"type":"order_refunded",` + at + `,"amount":1}`, event.MissingOrder, "order_id"},
		{"cancellation of no order", `{"type":"order_cancelled",` + at + `}`, event.MissingOrder, "order_id"},
		{"update of no order", `{"type":"order_updated",` + at + `,"amount":1}`, event.MissingOrder, "order_id"},
		{"item without id", good(`"item_id":"A",`, ``), event.MissingItem, "items"},
		{"view of nothing", `{"type":"product_viewed",` + at + `}`, event.MissingItem, "items"},
		{"Segment view of nothing", view(`"product_id":"507f1f77bcf86cd799439011",`, ``), event.MissingItem, "properties.product_id"},
		{"order of nothing", `{"type":"order_completed",` + at + `,"order_id":"o"}`, event.MissingField, "amount"},
		{"survey without rating", `{"type":"survey_answered",` + at + `}`, event.MissingField, "rating"},
		{"consent to what", `{"type":"consent_updated",` + at + `}`, event.MissingField, "granted"},
		{"alias of nobody", `{"type":"aliased",` + at + `}`, event.MissingField, "previous_id"},
		{"update of no item", `{"type":"item_updated",` + at + `,"available":false}`, event.MissingItem, "item_id"},
		{"update of nothing", `{"type":"item_updated",` + at + `}`, event.MissingItem, "item_id"},
		{"update of an item without a name", update(`"A"`, `""`), event.MissingItem, "item_id"},
		{"update of a list with a nameless item", update(`"item_id":"A"`, `"items":[{"price":1}]`), event.MissingItem, "items"},
		{"update of an item by number", update(`"A"`, `7`), event.WrongType, "item_id"},
		{"update without a time", update(`"time":"2026-11-21T09:30:00Z",`, ``), event.MissingTime, "time"},
		{"available in words", update(`"available":false`, `"available":"no"`), event.WrongType, "available"},
		{"hidden is a number", update(`"hidden":false`, `"hidden":1`), event.WrongType, "hidden"},
		{"hidden twice", update(`"hidden":false`, `"hidden":false,"hidden":true`), event.DuplicateField, "hidden"},
		{"requires any consent", update(`"alcohol"`, `true`), event.WrongType, "requires_consent"},
		{"requires a long consent", update(`alcohol`, strings.Repeat("c", 65)), event.TooLarge, "requires_consent"},
		{"price of an update below zero", update(`"9.90"`, `"-9.90"`), event.NegativeAmount, "price"},
		{"update as a call", `{"type":"track","event":"Item Updated","userId":"u","timestamp":1,"properties":{"product_id":"A"}}`, event.UnknownType, "event"},
	}
}

func TestMalformed(t *testing.T) {
	d := newDecoder(t)
	d.Limit = 1795253400000 + 24*60*60*1000
	for _, c := range malformed() {
		t.Run(c.name, func(t *testing.T) {
			requireReject(t, d, c.record, c.reason, c.field)
			agree(t, d, []byte(c.record))
			requireReject(t, d, c.record, c.reason, c.field) // whatever was predicted
		})
	}
}
