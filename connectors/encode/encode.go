// Package encode writes the documents in their wire form: JSON in snake case.
//
// The document is written by hand, field after field, because encoding/json
// costs several microseconds and a dozen allocations a document, and a
// document is written for every change. What it must agree on with
// encoding/json is held by the tests.
//
//   - Times are RFC 3339 in UTC, to the millisecond where there are some; null
//     where there is none.
//   - Money is a decimal string.
//   - Other numbers are rounded to six decimals; one that is not finite is null.
//   - A part that says nothing yet (rfm, churn, loyalty, next_change, what is
//     predicted of value, an offer's value) is null, a list without elements is
//     []. Only version, previous_segment, the kind of what is the customer's own
//     and what a count is short of are left out where there is none.
//   - Strings are written as they are, with quotes, backslashes and control
//     characters escaped; what is no UTF-8 becomes U+FFFD.
package encode

import (
	"github.com/dangol-dev/dangol/engine/score"
)

// JSON is the wire form of documents. The zero value is ready; it holds no
// state and serves many goroutines. Nothing allocates but dst, if it must grow.
type JSON struct{}

// AppendScores appends a customer's document.
func (JSON) AppendScores(dst []byte, s *score.Scores) []byte {
	b := appendText(append(dst, `{"customer_id":"`...), s.CustomerID)
	b = appendTime(append(b, `","as_of":`...), s.AsOf)
	if s.Version != 0 {
		b = appendUint(append(b, `,"version":`...), s.Version)
	}
	b = appendRFM(b, s.RFM)
	b = appendChurn(b, s.Churn)
	b = appendValue(b, &s.Value, s.Churn != nil)
	b = appendJourney(b, &s.Journey)
	b = appendLoyalty(b, s.Loyalty)
	b = appendOffers(b, s.NextBest)
	b = appendContact(b, &s.Contact)
	b = appendReasons(b, s.Reasons)
	b = appendNextChange(b, &s.NextChange)
	b = appendEvidence(b, &s.Evidence)
	return append(b, '}')
}

// AppendChange appends a change: its cause, what changed from what to what, and
// the whole document, which is null for a customer who was erased. doc is what
// AppendScores wrote for c.Scores; it must not lie behind dst's length in dst's
// memory.
func (JSON) AppendChange(dst []byte, c *score.Change, doc []byte) []byte {
	b := appendText(append(dst, `{"customer_id":"`...), c.CustomerID)
	b = appendTime(append(b, `","at":`...), c.At)
	if c.Version != 0 {
		b = appendUint(append(b, `,"version":`...), c.Version)
	}
	b = appendText(append(b, `,"cause":{"kind":"`...), c.Cause.Kind)
	if c.Cause.EventID != "" {
		b = appendText(append(b, `","event_id":"`...), c.Cause.EventID)
	}
	if c.Cause.Timer != "" {
		b = appendText(append(b, `","timer":"`...), c.Cause.Timer)
	}
	b = append(b, `"},"changed":{`...)
	for i := range c.Changed {
		d := &c.Changed[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '"'), d.Field)
		b = appendSide(append(b, `":[`...), &d.Old)
		b = appendSide(append(b, ','), &d.New)
		b = append(b, ']')
	}
	if c.Scores == nil {
		return append(b, `},"scores":null}`...)
	}
	b = append(append(b, `},"scores":`...), doc...)
	return append(b, '}')
}
