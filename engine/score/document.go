package score

import (
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/rfm"
)

// Scores is one customer's document: everything that is true of the customer
// at AsOf. Times are Unix milliseconds; 0 where there is none. Its wire form
// is JSON in snake case with RFC 3339 times.
type Scores struct {
	CustomerID string
	AsOf       int64
	Version    uint64 // the number of Changes emitted so far; 0 in a document computed for another instant
	RFM        *RFM   // nil before the first order
	Churn      *Churn // nil before the first order
	Value      Value
	Journey    Journey
	Loyalty    *Loyalty // nil before the first order
	NextBest   []Offer
	Contact    Contact
	Reasons    []Reason
	NextChange NextChange
	Evidence   Evidence

	parts *docParts
}

// NextChange is what time alone changes next, if nothing else happens.
type NextChange struct {
	At    int64 // 0: nothing within a hundred years
	Timer Timer // what is crossed then
}

// docParts is the memory of the parts that a document may lack. Compute uses
// it again, so a copy of a document shares it with the original.
type docParts struct {
	rfm     RFM
	churn   Churn
	loyalty Loyalty
}

// RFM is recency, frequency and monetary value within the window, and the
// customer's place in the population.
type RFM struct {
	RecencyDays     float64 // whole calendar days since the last order's day
	Frequency       int     // distinct purchase days in the window
	Monetary        event.Micro
	R, F, M         uint8 // 1–5, 5 best
	Segment         string
	PreviousSegment string // "" where there was none, and in a document for another instant

	lastDay int32 // calendar day of the last order
}

// Churn is about whether the customer orders again.
type Churn struct {
	Probability       float64 // of no order within HorizonDays
	HorizonDays       int
	Band              string // low, medium, high
	PAlive            float64
	OverduePercentile float64 // share of this customer's gaps that would have ended by now
	AverageGapDays    float64 // 0 before the second purchase day
	ExpectedNextOrder int64
	BecomesOverdueAt  int64
	Model             string  // who answered: RhythmAlone or LearnedModel
	Average           float64 // of the population's probabilities under that model; the reasons start from it
}

// Who answered for the churn probability.
const (
	RhythmAlone  = "rhythm"  // too few labels yet: the rhythm model's word
	LearnedModel = "learned" // the logistic model over the rhythm's word and behaviour
)

// Value is money, past and to come, in Currency.
type Value struct {
	HistoricCLV       event.Micro // net of discounts and refunds
	HistoricOrders    int
	AverageOrderValue event.Micro

	// Of a buyer; zero before the first order.
	PredictedOrders    float64     // purchase days expected within HorizonDays
	ExpectedOrderValue event.Micro // spend expected of one of them
	PredictedCLV       event.Micro // their product, discounted; of the margin where Basis says so
	TotalCLV           event.Micro // historic and predicted, on the same basis
	HorizonDays        int
	Basis              string // Revenue or Margin: what PredictedCLV and TotalCLV count
	HistoricMargin     event.Micro
}

// What the lifetime value counts.
const (
	Revenue = "revenue" // net of discounts and refunds
	Margin  = "margin"  // less the cost of the goods, where the orders carry it
)

// Journey is the customer's stage in the relation.
type Journey struct {
	Stage            string
	Level            int // 1 first or single order, 2 repeat orders, 3 advocate; 0 before the first order
	Since            int64
	NextChangeAt     int64 // when time alone changes the stage; 0: never
	SecondOrderDueBy int64
}

// Loyalty is how the customer buys, apart from how often. Its Score is in
// 0 to 1; see loyalty.go.
type Loyalty struct {
	Score           float64
	FullPriceShare  float64 // share of orders without a discount
	CouponFreeShare float64 // share of orders without a coupon
	CategoryBreadth int     // distinct categories bought; 0: the items carry none
	Referrals       int
	Satisfaction    float64 // 0 to 1, from the latest survey and open complaints; −1: unknown
}

// Offer is one thing to offer, and because of what.
type Offer struct {
	ItemID  string
	Kind    string  // cross_sell, up_sell, repeat
	Score   float64 // probability that the item is in the customer's next order
	Value   float64 // Score × the item's price, in currency units; 0: the price is unknown
	Because []Because
}

// Because is one rule that speaks for an offer.
type Because struct {
	ItemIDs    []string
	Kind       string // of the evidence, such as same_customer; empty: the customer's own orders
	Support    float64
	Confidence float64
	Lift       float64
}

// Contact is when and where the customer is best reached.
type Contact struct {
	BestHour    int // 0–23 in the configured zone; −1 unknown
	BestWeekday int // 1 Monday … 7 Sunday; 0 unknown
	Channel     string
	Permitted   []string
}

// Reason is one term of a score: the effects of a score's reasons add up to
// its difference from the base named in the first of them.
type Reason struct {
	Score  string
	Effect float64
	Text   Phrase
}

// Evidence says what the scores rest on.
type Evidence struct {
	Orders       int
	RhythmModel  int // version of the fitted models; 1: the built-in parameters
	ChurnLabels  int // labels that the churn model was learned from; 0: the rhythm alone
	BasketOrders int // orders in the co-occurrence counts
	RFMCustomers int // customers in the population of the cut points
}

// Cause says why a Change was emitted.
type Cause struct {
	Kind    string // event, timer, or model: the population moved, not the customer
	EventID string // kind event: the event's id, where it had one
	Timer   string // kind timer: what was crossed, e.g. "churn.overdue", "rfm.window"
}

// Change is what the engine says downstream. It owns nothing: Changed is what
// Diff appended, Scores what Compute filled.
type Change struct {
	CustomerID string
	At         int64
	Version    uint64
	Cause      Cause
	Changed    []Delta
	Scores     *Scores // nil when the customer was erased
}

// Population is what is true of all customers together.
type Population struct {
	AsOf      int64
	Customers int // ledgers
	Buyers    int // with an order
	Segments  map[string]int
	Stages    map[string]int
	Bands     map[string]int
	Levels    [4]int // customers by relationship level: 0 none, 1 one purchase day, 2 several, 3 advocate
	Profile   string // the shape of levels 1 to 3: see Profile
	// Migrations counts customers by the segment they were in before and the one
	// they are in.
	Migrations map[string]map[string]int
	Cuts       Cuts
}

// Cuts are the quintile cut points of the population, ascending: for Recency
// in days, Frequency in purchase days, Monetary in currency units; with the
// number of Customers that they rest on (0: no cut points yet, every score is
// 3; −1: they are configured).
type Cuts = rfm.Cuts

// Affinity is one neighbour of an item, by one kind of evidence. Counts are
// decayed: in orders (views, customers) of now.
type Affinity struct {
	ItemID     string
	Count      float64 // orders (steps, customers) that hold both
	Short      float64 // by how much Count may be too small for want of room
	Support    float64 // share of all that hold both
	Confidence float64 // of item → ItemID
	Lift       float64
	Leverage   float64
	LLR        float64 // Dunning's log-likelihood ratio
	Strength   float64 // what neighbours are ranked by: confidence beyond chance, drawn to 0 for few counts
}

// Target is a customer to tell about an item, and because of what.
type Target struct {
	CustomerID string
	Offer
}

// ItemAffinities are an item's neighbours by every kind of evidence, in the
// order of EvidenceKinds, each list best first.
type ItemAffinities struct {
	ItemID string
	AsOf   int64 // Unix ms
	Kinds  [4][]Affinity
}

// SameOrder is the kind of evidence that is asked for where none is named.
const SameOrder = "same_order"

// EvidenceKinds names the kinds of evidence that two items go together, as
// basket.Kinds does, for those who know no counts.
func EvidenceKinds() [4]string {
	return [4]string{SameOrder, "same_session", "next_order", "same_customer"}
}
