package score

import (
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/journey"
)

// Emission is what was last said about a customer, and what the customer
// contributes to the population. It is kept beside the facts; the zero
// Emission is that of a customer never scored; one with a Version and no Stage,
// of a customer erased. It is a plain value.
type Emission struct {
	Version uint64 // Changes emitted so far
	AsOf    int64  // instant of the latest Compute, Unix ms
	Next    int64  // next instant at which a score changes with time alone; 0: none
	Timer   Timer  // what it crosses

	// As last emitted. Zero where the document had none.
	Segment, PreviousSegment string
	R, F, M                  uint8
	Band                     Band
	Stage                    journey.Stage
	Level                    uint8
	Overdue                  bool
	Percent                  uint8  // overdue percentile in whole per cent
	Probability              uint32 // of churn, in millionths
	Offered                  uint8  // how many of Offers are set
	Offers                   [MaxOffers]uint32
	Permitted                uint32 // hash of the permitted channels; 0: none
	Orders                   uint32 // historic
	Value                    event.Micro

	// What the customer contributes to the population, if a Buyer.
	Buyer     bool
	LastDay   int32 // calendar day of the last order
	Frequency uint32
	Monetary  event.Micro
}

// group is the number that r, f and m are stored as.
func (em *Emission) group() byte { return 25*(em.R-1) + 5*(em.F-1) + em.M - 1 }

// Band is a range of the churn probability. The numbers are stored.
type Band uint8

// The bands.
const (
	NoBand Band = 0
	Low    Band = 1
	Medium Band = 2
	High   Band = 3
)

var bandNames = [...]string{NoBand: "", Low: "low", Medium: "medium", High: "high"}

// String is the band's name in a document.
func (b Band) String() string {
	if int(b) >= len(bandNames) {
		return "unknown"
	}
	return bandNames[b]
}
