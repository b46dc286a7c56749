package score

import (
	"fmt"

	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Models is a snapshot of what the population taught. It is immutable: to
// publish new cut points, copy it, set them, and share the copy.
type Models struct {
	Cuts         Cuts // published RFM cut points; ignored where fixed ones are configured
	BasketOrders int  // orders in the co-occurrence counts, for Evidence

	learned *Learned
	prior   *rhythm.Prior
	behaves bool // behaviour that changes with the weeks has a weight
	// Where the reasons start: log-odds of the average customer.
	base reference
	// What a customer with one order has in common with all such, computed once.
	milestones   journey.Milestones
	freshOverdue int64   // silence in ms at which it is overdue; 0: never
	freshNext    float64 // expected gap at the moment of the order, in days
	freshOrders  float64 // expected orders within the horizon of the value, at that moment
	freshExit    freshExit
}

// NewModels returns a snapshot of what was learned, without cut points but for
// configured ones, for Scorers of the same Config. The error says which
// parameter is none.
func NewModels(cfg *Config, l *Learned) (*Models, error) {
	prior, err := rhythm.NewPrior(l.Rhythm)
	if err != nil {
		return nil, fmt.Errorf("rhythm model: %w", err)
	}
	if l.HorizonDays != cfg.HorizonDays {
		return nil, fmt.Errorf("models: they look %d days ahead, horizon_days is %d", l.HorizonDays, cfg.HorizonDays)
	}
	if l.At != 0 && !(l.Average >= 0 && l.Average <= 1) {
		return nil, fmt.Errorf("models: %g is no average probability", l.Average)
	}
	if err := l.Fitted.check(); err != nil {
		return nil, err
	}
	for i := range l.Past {
		if err := l.Past[i].check(); err != nil {
			return nil, fmt.Errorf("models in force before: %w", err)
		}
	}
	q := prior.Fresh()
	fresh := 1 - q.OrderWithin(0, float64(cfg.HorizonDays))
	m := &Models{
		learned: l, prior: prior,
		base:         newReference(l, fresh),
		milestones:   cfg.Journey.First(prior),
		freshOverdue: q.Reach(0, cfg.OverdueAt),
		freshNext:    q.NextGap(0),
		freshOrders:  q.Orders(0, float64(cfg.Value.HorizonDays)),
		freshExit:    newFreshExit(cfg, prior, fresh),
	}
	m.Cuts, _ = cfg.RFM.FixedCuts()
	if l.Churn != nil {
		for _, i := range behaviourColumns {
			m.behaves = m.behaves || l.Churn.Weights[i] != 0
		}
	}
	return m, nil
}

// Behaves says whether it moves a score that a buyer is seen, fills a cart or
// opens a message.
func (m *Models) Behaves() bool { return m.behaves }

// MustModels is NewModels of models that this process made.
func MustModels(cfg *Config, l *Learned) *Models {
	m, err := NewModels(cfg, l)
	if err != nil {
		panic("score: " + err.Error())
	}
	return m
}

// Learned is what the snapshot scores with.
func (m *Models) Learned() *Learned { return m.learned }

// With returns a snapshot of l that keeps m's cut points.
func (m *Models) With(cfg *Config, l *Learned) (*Models, error) {
	n, err := NewModels(cfg, l)
	if err == nil {
		n.Cuts, n.BasketOrders = m.Cuts, m.BasketOrders
	}
	return n, err
}

// Recommender makes offers: the best k for a customer at now, best first,
// written into out's memory.
type Recommender interface {
	Offers(l *ledger.Ledger, m *OfferModel, now int64, k int, out []Offer) []Offer
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
