// Package ledger is one customer's bounded memory: a list of facts, from which
// every score is computed. Nothing derived is kept here.
//
// The problem: events come late, twice, in any order, and before the events
// that they speak of, while the memory must stay small. The answer is that
// every part of a Ledger is a join: applying an event twice, or two events the
// other way round, gives the same facts.
//
//   - An order is found by its hash. Its placing is the earliest order_completed
//     that named it, its content the latest order_updated, or that placing's.
//   - A refund or cancellation is an Adjustment of its own, joined with its
//     order when somebody looks; so it can wait for it.
//   - Views and cart lines keep the latest time of each item; flags keep the
//     latest time of each sort; visited days are bits.
//   - What outgrows its bound is folded into sums, but only once it is settled:
//     older than the customer's latest event by more than the allowed lateness,
//     so that nothing which is still allowed to come could change the outcome.
package ledger

import (
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

// Config bounds the memory. All of an application's instances use the same.
type Config struct {
	Lateness time.Duration `yaml:"lateness" doc:"how far behind the newest event of its partition an event may come and still count as in time"`
}

// Bounds of one ledger.
const (
	MaxOrders      = 256  // retained orders; more only while they are not settled
	HardOrders     = 1024 // retained orders even then (a bot, not a customer); beyond it the oldest fold early
	MaxAdjustments = 512
	MaxViews       = 4
	MaxCart        = 16
	MaxItems       = 64 // distinct articles remembered of one order; the lowest hashes stay
	MaxMarks       = 32
	MaxConsents    = 8
	VisitDays      = 64
)

// Order is one order as the ledger remembers it.
type Order struct {
	Hash     uint64 // 48 bits: event.Event.OrderHash() truncated
	Placed   int64  // Unix ms of the earliest order_completed; 0 while only updates of it are known
	Revised  int64  // Unix ms of the order_updated that gave the content; 0: the placing gave it
	Amount   event.Micro
	Discount event.Micro
	Coupon   bool
	Channel  string
	Items    []uint64 // event.Hash of the articles, sorted, distinct
}

// AdjustmentKind says what happened to an order afterwards. Stored.
type AdjustmentKind uint8

// The kinds.
const (
	Refunded       AdjustmentKind = 1 // Amount given back
	RefundedWholly AdjustmentKind = 2 // a refund that named no amount
	Cancelled      AdjustmentKind = 3
)

// Adjustment is a refund or a cancellation; its order may not have come yet.
type Adjustment struct {
	Order  uint64 // Order.Hash
	Event  uint64 // 48 bits of Event.IDHash
	Time   int64
	Kind   AdjustmentKind
	Amount event.Micro
}

// ItemTime is an article and when it was last looked at.
type ItemTime struct {
	Item uint64
	Time int64
}

// CartLine is the latest word on one article in the cart.
type CartLine struct {
	Item    uint64
	Time    int64
	Removed bool
}

// MarkKind names a rare event that is counted one by one. Stored.
type MarkKind uint8

// The kinds.
const (
	Complaint MarkKind = 1
	Resolved  MarkKind = 2
	Referral  MarkKind = 3
	Review    MarkKind = 4
	Share     MarkKind = 5
	numMarks           = 6
)

// Mark is one rare event.
type Mark struct {
	Kind MarkKind
	Time int64
	Hash uint32 // of Event.IDHash
}

// Consent is the latest word on one channel ("" is all of them).
type Consent struct {
	Channel string
	Time    int64
	Granted bool
}

// Fold is what remains of orders beyond MaxOrders.
type Fold struct {
	Orders    int64
	Occasions int64 // distinct days of orders that were not cancelled
	FirstDay  int32 // days since 1970 in the configured zone; of the first and the last folded occasion
	LastDay   int32
	LnGaps    int64 // Σ ln(gap in days) between folded occasions, in 1e-9
	Amount    event.Micro
	Discount  event.Micro
	Returned  event.Micro
	Orphans   int64 // adjustments whose order had been folded, or never came
}

// Ledger is one customer's facts, decoded. Slices are sorted, so that equal
// facts have equal bytes: Orders by (Placed, Hash), Adjustments by (Order,
// Time, Event), Views and Cart by Item, Marks by (Time, Kind, Hash), Consents
// by Channel. The zero Ledger is a customer never seen.
type Ledger struct {
	First, Last int64  // Unix ms of the earliest and the latest event; 0: none
	Erased      int64  // Unix ms of the latest erasure; facts up to then are gone
	CartCleared int64  // Unix ms of the latest order_completed: cart lines up to then are bought
	VisitDay    int32  // day of bit 0 of Visits
	Visits      uint64 // bit i: the customer was seen on day VisitDay−i

	Sent, Opened, Clicked int64 // Unix ms of the latest message event of each sort
	SurveyTime            int64
	SurveyRating          int8

	Orders      []Order
	Adjustments []Adjustment
	Views       []ItemTime
	Cart        []CartLine
	Marks       []Mark
	MarkFold    [numMarks]int64 // folded marks by kind
	Consents    []Consent
	Fold        Fold
}

// Effect says what applying an event did.
type Effect struct {
	Changed bool // the facts differ from before
	Scores  bool // a score may differ (an order, a refund, a flag; not a view)
	Late    bool // older than the settled horizon of this customer
}

// Reset makes l the zero Ledger and keeps its slices' memory.
func (l *Ledger) Reset() {
	*l = Ledger{
		Orders: l.Orders[:0], Adjustments: l.Adjustments[:0], Views: l.Views[:0],
		Cart: l.Cart[:0], Marks: l.Marks[:0], Consents: l.Consents[:0],
	}
}

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	if c.Lateness < 0 || c.Lateness > 90*24*time.Hour {
		return fmt.Errorf("lateness: %s is outside 0s to 2160h", c.Lateness)
	}
	return nil
}

// DefaultConfig allows events to come a day late.
func DefaultConfig() Config { return Config{Lateness: 24 * time.Hour} }
