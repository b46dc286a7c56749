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
//   - Views are the latest ones, each by its instant and its item; cart lines
//     keep the latest word on each item, flags the latest time of each sort;
//     weeks of activity are bits.
//   - What outgrows its bound is folded into sums, but only once it is settled:
//     older than the customer's latest event by more than the allowed lateness,
//     so that nothing which is still allowed to come could change the outcome.
//
// # The order law
//
// The horizon is H = Last − lateness. An event is in time while its time is at
// or after H. Any arrival order of the same events in which each is in time,
// with any repeats that are in time, gives the same bytes. Three things that
// look harmless would break it, and shaped the rules:
//
//   - Keeping only the earliest of two order_completed loses the second one,
//     which an erasure between the two would bring to light; and joining an
//     update at once loses the content as it stood when the order was folded.
//     So both wait in Pending until the horizon has passed them.
//   - "The oldest beyond 256" depends on which orders have come so far. So an
//     order folds at an instant of its own, F = max(placing of the 256th order
//     after it, its placing + lateness), once F < H; a statement about it
//     counts up to F, and what was said later speaks of an order unknown.
//   - "The oldest adjustments without an order" depends on which orders have
//     come so far. So one waits for an order placed at most lateness after it,
//     and is an orphan once that instant is behind the horizon.
//
// Later events than that are applied as well as they can be. What is late, and
// older than what has been folded, is taken for a repeat and ignored. Against
// bots there are hard bounds (Hard…, MaxPending, MaxAdjustments), beyond which
// the oldest goes at once and the law bends.
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
	MaxPending     = 256  // statements about orders that wait for the horizon; beyond it the oldest settle early
	MaxAdjustments = 1024 // beyond it the oldest become orphans early
	MaxOrphans     = 64   // adjustments kept although their order is unknown and can no longer come in time
	MaxViews       = 16
	MaxCart        = 16
	MaxItems       = 64  // distinct articles remembered of one order; the lowest hashes stay
	MaxMarks       = 32  // more only while they are not settled
	HardMarks      = 256 // marks even then; beyond it the oldest fold early
	MaxConsents    = 8
	MaxChannel     = 64 // bytes of a channel's name; what is longer is cut
	ActiveWeeks    = 64 // calendar weeks of activity that are remembered, back from the latest
)

// Order is one order as the ledger remembers it.
type Order struct {
	Hash     uint64 // OrderKey of its events
	Placed   int64  // Unix ms of the earliest order_completed; 0 in Pending: an order_updated
	Revised  int64  // Unix ms of the order_updated that gave the content; 0: the placing gave it
	Amount   event.Micro
	Discount event.Micro
	Cost     event.Micro // of all lines, ≥ 0; 0 unless Costed
	Costed   bool        // every line said what it cost the shop
	Coupon   bool        // it came with a coupon's code
	Channel  string
	Items    []uint64 // event.Hash of the articles, sorted, distinct; the ledger's memory
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
	Event  uint64 // the low 48 bits of Event.IDHash; an id counts once an order, at its earliest time
	Time   int64
	Kind   AdjustmentKind
	Amount event.Micro // ≥ 0
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
	numMarks  MarkKind = 6
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

// Fold is what remains of orders beyond MaxOrders. Cancelled orders leave
// nothing.
type Fold struct {
	Orders    int64
	Occasions int64 // distinct days of these orders
	FirstDay  int32 // days since 1970 in the configured zone; of the first and the last folded occasion
	LastDay   int32
	LnGaps    int64 // Σ ln(gap in days) between folded occasions, in 1e-9
	Amount    event.Micro
	Discount  event.Micro // at most each order's Amount
	Returned  event.Micro // at most each order's net, and the refunds among Orphans
	Cost      event.Micro // of what was kept of the orders with a cost: what belongs to CostedNet
	CostedNet event.Micro // their part of Amount − Discount − Returned
	Orphans   int64       // adjustments whose order had been folded, or never came
}

// Net is what the folded orders brought, at least 0.
func (f *Fold) Net() event.Micro { return max(0, f.Amount.Sub(f.Discount).Sub(f.Returned)) }

// Ledger is one customer's facts, decoded. Slices are sorted, so that equal
// facts have equal bytes: Orders by (Placed, Hash), Pending by (Hash, time,
// placing before update), Adjustments by (Order, Event, Time, Kind, Amount),
// Views by (Time, Item), Cart by Item, Marks by (Time, Kind, Hash), Consents by
// Channel.
// The zero Ledger is a customer never seen. A Ledger owns its memory: nothing
// in it aliases an event or the bytes it was decoded from.
type Ledger struct {
	First, Last int64  // Unix ms of the earliest (after an erasure: the erasure) and the latest event; 0: none
	Erased      int64  // Unix ms of the latest erasure; facts up to then are gone
	CartCleared int64  // Unix ms of the latest order_completed: cart lines up to then are bought
	Week        int32  // of bit 0 of the following three, the latest in Visited; see Week
	Visited     uint64 // bit i: the customer was seen in week Week−i; 0: never
	Carted      uint64 // bit i: in week Week−i it filled a cart, looked at it or began to pay; a part of Visited
	Engaged     uint64 // bit i: in week Week−i it opened a message or followed its link; a part of Visited

	Sent, Opened, Clicked int64 // Unix ms of the latest message event of each sort
	SurveyTime            int64
	SurveyRating          int8

	Orders      []Order // Placed ≠ 0
	Pending     []Order // later placings (Placed) and updates (Revised) that wait for the horizon
	Adjustments []Adjustment
	Views       []View
	Cart        []CartLine
	Marks       []Mark
	MarkFold    [numMarks]int64 // folded marks by kind
	Consents    []Consent
	Fold        Fold

	arena    []uint64 // where new orders' Items are carved from
	channels []string // names met of late, so that one name is one string
	table    []string // of the bytes being encoded or decoded
}

// Effect says what applying an event did.
type Effect struct {
	Changed bool // the facts' bytes differ from before
	Scores  bool // something else than browsing (a view, a cart line, an active week, First or Last) changed
	Week    bool // the first visit, cart or opened message of a week: scores move where behaviour counts
	Orders  bool // the visible orders, their money or the fold may differ
	Late    bool // older than the horizon of this customer
}

func (f *Effect) orders() { f.Changed, f.Scores, f.Orders = true, true, true }

func (f *Effect) scores() { f.Changed, f.Scores = true, true }

// Reset makes l the zero Ledger and keeps its slices' memory.
func (l *Ledger) Reset() {
	l.First, l.Last, l.Erased, l.CartCleared = 0, 0, 0, 0
	l.Week, l.Visited, l.Carted, l.Engaged = 0, 0, 0, 0
	l.Sent, l.Opened, l.Clicked, l.SurveyTime, l.SurveyRating = 0, 0, 0, 0, 0
	l.Orders, l.Pending, l.Adjustments, l.Views = l.Orders[:0], l.Pending[:0], l.Adjustments[:0], l.Views[:0]
	l.Cart, l.Marks, l.Consents, l.arena = l.Cart[:0], l.Marks[:0], l.Consents[:0], l.arena[:0]
	l.MarkFold, l.Fold = [numMarks]int64{}, Fold{}
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
