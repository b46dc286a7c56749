// Package event holds what comes in: one customer's act, or what the shop says of
// an item, as the rest of the engine sees it, whatever wire format carried it.
package event

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Type says what happened. The numbers are stored; they are never
// reused.
type Type uint8

// The types, after Segment's ecommerce spec; ItemUpdated alone is no act of a
// customer's.
const (
	PageViewed        Type = 1
	ProductsSearched  Type = 2
	ProductViewed     Type = 3
	ProductAdded      Type = 4
	ProductRemoved    Type = 5
	CartViewed        Type = 6
	CheckoutStarted   Type = 7
	OrderCompleted    Type = 8
	OrderUpdated      Type = 9
	OrderRefunded     Type = 10
	OrderCancelled    Type = 11
	CouponApplied     Type = 12
	ProductReviewed   Type = 13
	ProductShared     Type = 14
	MessageSent       Type = 15
	MessageOpened     Type = 16
	MessageClicked    Type = 17
	ReferralMade      Type = 18
	SurveyAnswered    Type = 19
	ComplaintRaised   Type = 20
	ComplaintResolved Type = 21
	ConsentUpdated    Type = 22
	Identified        Type = 23
	Aliased           Type = 24
	ErasureRequested  Type = 25
	ItemUpdated       Type = 26
)

var typeNames = [...]string{
	PageViewed: "page_viewed", ProductsSearched: "products_searched", ProductViewed: "product_viewed",
	ProductAdded: "product_added", ProductRemoved: "product_removed", CartViewed: "cart_viewed",
	CheckoutStarted: "checkout_started", OrderCompleted: "order_completed", OrderUpdated: "order_updated",
	OrderRefunded: "order_refunded", OrderCancelled: "order_cancelled", CouponApplied: "coupon_applied",
	ProductReviewed: "product_reviewed", ProductShared: "product_shared", MessageSent: "message_sent",
	MessageOpened: "message_opened", MessageClicked: "message_clicked", ReferralMade: "referral_made",
	SurveyAnswered: "survey_answered", ComplaintRaised: "complaint_raised", ComplaintResolved: "complaint_resolved",
	ConsentUpdated: "consent_updated", Identified: "identified", Aliased: "aliased", ErasureRequested: "erasure_requested",
	ItemUpdated: "item_updated",
}

// Types returns every type in the order of its number.
func Types() []Type {
	ts := make([]Type, 0, len(typeNames)-1)
	for t := PageViewed; int(t) < len(typeNames); t++ {
		ts = append(ts, t)
	}
	return ts
}

// String is the type's name on the wire ("order_completed").
func (t Type) String() string {
	if t == 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("type(%d)", uint8(t))
	}
	return typeNames[t]
}

// Item is one line of a basket, or the product that was looked at.
type Item struct {
	ID       string
	Category string
	Quantity Micro // One where the wire says nothing
	Price    Micro // of one article; 0 where unknown
	Cost     Micro // ≥ 0, what one article cost the shop
	HasCost  bool  // false: Cost was absent
}

// ItemState is what an item_updated says of its items, beside their categories
// and prices. What it does not say stays as it was.
type ItemState struct {
	Available    bool // false: out of stock
	HasAvailable bool // false: Available was absent
	Hidden       bool // true: never to be offered
	HasHidden    bool
	HasConsent   bool
	Consent      string // the channel or purpose for which a customer must have given consent before the item is offered; "": none
}

// Event is one act of one customer, or, where its type is ItemUpdated, news of
// some items, and then CustomerID is empty. Its strings and Items may alias the buffer
// it was decoded from: they hold until that buffer is reused, so whoever keeps
// one clones it.
type Event struct {
	ID         string // the producer's id; empty where it gave none
	Type       Type
	CustomerID string
	Time       int64 // Unix milliseconds
	OrderID    string
	Items      []Item
	Amount     Micro // goods of the order before Discount, without shipping and tax; for a refund, what is given back
	HasAmount  bool  // false: Amount was absent (a refund without one gives back the whole order)
	Discount   Micro // ≥ 0, taken off Amount
	Currency   string
	Channel    string
	SessionID  string
	Coupon     string // the code that an order was placed with, or that was applied
	PreviousID string // aliased: the id that becomes CustomerID
	Granted    bool   // consent_updated: given (true) or withdrawn, for Channel; an empty Channel means all
	Rating     int8   // survey_answered: 0–10 (NPS); product_reviewed: 0–10
	State      ItemState
}

// Reset empties e and keeps its Items' memory.
func (e *Event) Reset() { *e = Event{Items: e.Items[:0]} }

// Net is what the customer paid for the goods: Amount less Discount.
func (e *Event) Net() Micro { return e.Amount.Sub(e.Discount) }

// Hash is the 64-bit identity of a string (item, customer, order, event id):
// xxHash64, seed 0. Stored bytes depend on it.
func Hash(s string) uint64 { return xxhash.Sum64String(s) }

// HashBytes is Hash of a string's bytes.
func HashBytes(b []byte) uint64 { return xxhash.Sum64(b) }

// IDHash is the identity by which e is recognised when it is delivered again:
// the hash of its ID, or, where the producer gave none, of what it says.
// It does not allocate.
func (e *Event) IDHash() uint64 {
	if e.ID != "" {
		return Hash(e.ID)
	}
	h := mix(uint64(e.Type), uint64(e.Time))
	h = mix(h, Hash(e.OrderID))
	h = mix(h, uint64(e.Amount))
	h = mix(h, uint64(e.Discount))
	h = mix(h, Hash(e.Channel))
	h = mix(h, Hash(e.SessionID))
	for i := range e.Items {
		h = mix(h, Hash(e.Items[i].ID))
		h = mix(h, uint64(e.Items[i].Quantity))
	}
	return h
}

// OrderHash is the identity of the order that e speaks of: the hash of
// OrderID, or IDHash where there is none.
func (e *Event) OrderHash() uint64 {
	if e.OrderID != "" {
		return Hash(e.OrderID)
	}
	return e.IDHash()
}

// mix is the finaliser of SplitMix64 over a running hash.
func mix(h, v uint64) uint64 {
	h ^= v + 0x9e3779b97f4a7c15 + h<<6 + h>>2
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
