package event

// Reason says why a record cannot be an event. It is the value of the dead
// letter's "reason" header and of the rejects metric's label.
type Reason string

// The reasons.
const (
	Empty           Reason = "empty"            // no bytes, or only white space
	Truncated       Reason = "truncated"        // the record ends inside a value
	TrailingBytes   Reason = "trailing_bytes"   // something follows the object
	Malformed       Reason = "malformed"        // not the grammar of its format
	WrongType       Reason = "wrong_type"       // a field of another JSON type than it must be
	DuplicateField  Reason = "duplicate_field"  // a known field twice
	TooDeep         Reason = "too_deep"         // nested beyond the limit
	TooLarge        Reason = "too_large"        // record, string or list beyond the limit
	BadUTF8         Reason = "bad_utf8"         // not UTF-8
	BadNumber       Reason = "bad_number"       // NaN, an infinity, 1e400, no number
	Overflow        Reason = "overflow"         // a number that the engine's integers cannot hold
	NegativeAmount  Reason = "negative_amount"  // an amount, price, discount or quantity below zero
	UnknownCurrency Reason = "unknown_currency" // not ISO 4217, or without a configured rate
	MissingCustomer Reason = "missing_customer" // no customer id
	MissingTime     Reason = "missing_time"     // no time
	BadTime         Reason = "bad_time"         // not RFC 3339, or outside the years 1970–9999
	ZeroTime        Reason = "zero_time"        // the epoch or the zero date: a clock that was never set
	FutureTime      Reason = "future_time"      // beyond the allowed future skew
	MissingType     Reason = "missing_type"     // no type
	UnknownType     Reason = "unknown_type"     // a type that the engine does not know
	UnknownVersion  Reason = "unknown_version"  // a schema version other than 1
	MissingOrder    Reason = "missing_order"    // a refund, cancellation or update that names no order
	MissingItem     Reason = "missing_item"     // an item without an id
	MissingField    Reason = "missing_field"    // another field that the type needs
	Late            Reason = "late"             // later than the allowed lateness, where late events are refused
)

// Reasons returns all of them, for metrics and documents.
func Reasons() []Reason {
	return []Reason{
		Empty, Truncated, TrailingBytes, Malformed, WrongType, DuplicateField, TooDeep, TooLarge, BadUTF8,
		BadNumber, Overflow, NegativeAmount, UnknownCurrency, MissingCustomer, MissingTime, BadTime, ZeroTime,
		FutureTime, MissingType, UnknownType, UnknownVersion, MissingOrder, MissingItem, MissingField, Late,
	}
}

// Reject is the error of a record that cannot be an event. Nothing stops for
// it: the record becomes a dead letter.
type Reject struct {
	Reason Reason
	Field  string // the field at fault, where one is
	Offset int    // byte offset in the record, or -1
}

// Error names the reason and the place.
func (r *Reject) Error() string {
	s := string(r.Reason)
	if r.Field != "" {
		s += ": field " + r.Field
	}
	return s
}
