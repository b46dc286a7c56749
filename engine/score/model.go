package score

import (
	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Models is a snapshot of what the population taught. It is immutable: to
// publish new cut points, copy it, set them, and share the copy.
type Models struct {
	Cuts         Cuts // published RFM cut points; ignored where fixed ones are configured
	BasketOrders int  // orders in the co-occurrence counts, for Evidence

	prior   *rhythm.Prior
	version int
	// What a customer with one order has in common with all such, computed once.
	milestones   journey.Milestones
	freshOverdue int64   // silence in ms at which it is overdue; 0: never
	freshChurn   float64 // churn probability at the moment of the order
	freshText    string  // the same in words
	freshNext    float64 // expected gap at that moment, in days
	freshExit    freshExit
}

// NewModels returns a snapshot without cut points, but for configured ones, with a rhythm prior and its
// version, for Scorers of the same Config.
func NewModels(cfg *Config, prior *rhythm.Prior, version int) *Models {
	q := prior.Fresh()
	churn := 1 - q.OrderWithin(0, float64(cfg.HorizonDays))
	m := &Models{
		prior: prior, version: version,
		milestones:   cfg.Journey.First(prior),
		freshOverdue: q.Reach(0, cfg.OverdueAt),
		freshChurn:   churn,
		freshText:    freshText(churn),
		freshNext:    q.NextGap(0),
		freshExit:    newFreshExit(cfg, prior, churn),
	}
	m.Cuts, _ = cfg.RFM.FixedCuts()
	return m
}

// Recommender makes offers: the best k for a customer at now, best first,
// written into out's memory.
type Recommender interface {
	Offers(l *ledger.Ledger, now int64, k int, out []Offer) []Offer
}

// Timer names what an instant crosses. The numbers are stored; they are never
// reused.
type Timer uint8

// The timers.
const (
	NoTimer          Timer = 0
	TimerRecency     Timer = 1 // a recency passes a published cut point
	TimerWindow      Timer = 2 // orders leave the RFM window
	TimerOverdue     Timer = 3 // the overdue percentile reaches its threshold
	TimerStage       Timer = 4 // the journey stage
	TimerBand        Timer = 5 // the churn probability leaves its band
	TimerProbability Timer = 6 // the churn probability moved by a step
)

var timerNames = [...]string{
	NoTimer: "", TimerRecency: "rfm.recency", TimerWindow: "rfm.window", TimerOverdue: "churn.overdue",
	TimerStage: "journey.stage", TimerBand: "churn.band", TimerProbability: "churn.probability",
}

// String is the timer's name in a Cause; empty for none.
func (t Timer) String() string {
	if int(t) >= len(timerNames) {
		return "unknown"
	}
	return timerNames[t]
}
