package shop

import (
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// Malformation is a record that cannot be an event.
type Malformation struct {
	Name   string
	Value  []byte
	Reason event.Reason // that it must be refused for
}

// Malformed returns one record of every kind that the engine must refuse, each
// with a single fault in it, so that the reason is beyond doubt. The limits are
// those of the default configuration.
func Malformed() []Malformation {
	const order = `{"id":"bad","type":"order_completed","customer_id":"c-bad","time":"2026-01-05T10:00:00Z","order_id":"o-bad","amount":"9.90","currency":"EUR"}`
	with := func(old, replacement string) string {
		if !strings.Contains(order, old) {
			panic("shop: the pattern does not hold " + old)
		}
		return strings.Replace(order, old, replacement, 1)
	}
	without := func(field string) string { return with(field, "") }
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	var ms []Malformation
	add := func(name string, reason event.Reason, value string) {
		ms = append(ms, Malformation{name, []byte(value), reason})
	}
	add("no bytes", event.Empty, "")
	add("white space", event.Empty, " \t ")
	add("cut off in a string", event.Truncated, order[:60])
	add("cut off before the brace", event.Truncated, order[:len(order)-1])
	add("two objects", event.TrailingBytes, order+order)
	add("a comma behind", event.TrailingBytes, order+",")
	add("not JSON", event.Malformed, "order_completed;c-bad;9.90")
	add("no comma between fields", event.Malformed, with(`,"customer_id"`, ` "customer_id"`))
	add("a string for the object", event.WrongType, `"order_completed"`)
	add("a list for the object", event.WrongType, `[`+order+`]`)
	add("a number for the customer", event.WrongType, with(`"c-bad"`, `42`))
	add("an object for the items", event.WrongType, with(`"amount"`, `"items":{"item_id":"A"},"amount"`))
	add("the time twice", event.DuplicateField, with(`"order_id"`, `"time":"2026-01-06T10:00:00Z","order_id"`))
	add("200 brackets", event.TooDeep, with(`"amount"`, `"note":`+deep+`,"amount"`))
	add("a customer id of 2,000 bytes", event.TooLarge, with("c-bad", strings.Repeat("c", 2000)))
	add("bytes that are not UTF-8", event.BadUTF8, with("c-bad", "c-\xff\xfe"))
	add("NaN", event.BadNumber, with(`"9.90"`, `"NaN"`))
	add("1e400", event.BadNumber, with(`"9.90"`, `1e400`))
	add("twenty digits", event.Overflow, with(`"9.90"`, `99999999999999999999`))
	add("below zero", event.NegativeAmount, with(`"9.90"`, `"-9.90"`))
	add("a quantity below zero", event.NegativeAmount, with(`"amount"`, `"items":[{"item_id":"A","quantity":-1}],"amount"`))
	add("no such currency", event.UnknownCurrency, with("EUR", "EUX"))
	add("no customer", event.MissingCustomer, without(`"customer_id":"c-bad",`))
	add("an empty customer", event.MissingCustomer, with(`"c-bad"`, `""`))
	add("no time", event.MissingTime, without(`"time":"2026-01-05T10:00:00Z",`))
	add("the 31st of February", event.BadTime, with("01-05", "02-31"))
	add("a time in words", event.BadTime, with("2026-01-05T10:00:00Z", "yesterday"))
	add("the epoch", event.ZeroTime, with("2026-01-05T10:00:00Z", "1970-01-01T00:00:00Z"))
	add("the year 2999", event.FutureTime, with("2026-", "2999-"))
	add("no type", event.MissingType, without(`"type":"order_completed",`))
	add("no such type", event.UnknownType, with("order_completed", "order_dreamt"))
	add("version 9", event.UnknownVersion, with(`"id"`, `"version":9,"id"`))
	add("a refund of no order", event.MissingOrder, `{"id":"bad","type":"order_refunded","customer_id":"c-bad","time":"2026-01-05T10:00:00Z","amount":"1.00"}`)
	add("an item without an id", event.MissingItem, with(`"amount"`, `"items":[{"quantity":1}],"amount"`))
	add("a survey without an answer", event.MissingField, `{"id":"bad","type":"survey_answered","customer_id":"c-bad","time":"2026-01-05T10:00:00Z"}`)
	return ms
}
