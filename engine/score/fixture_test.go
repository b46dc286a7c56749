package score

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

const day = rhythm.DayMS

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func testRules() ledger.Rules {
	c := ledger.DefaultConfig()
	return c.Rules(ledger.Calendar{})
}

// testCuts are cut points of a small shop.
func testCuts() Cuts {
	return Cuts{
		Recency: [4]float64{20, 60, 130.5, 300}, Frequency: [4]float64{1, 1, 2, 4},
		Monetary: [4]float64{15, 30, 60, 130}, Customers: 100,
	}
}

// shop is a customer's facts, built as the engine builds them.
type shop struct {
	rules ledger.Rules
	l     ledger.Ledger
	n     int
}

func newShop() *shop { return &shop{rules: testRules()} }

func (s *shop) apply(ev event.Event) {
	s.n++
	if ev.ID == "" {
		ev.ID = fmt.Sprintf("e%d", s.n)
	}
	ev.CustomerID = "c"
	s.l.Apply(&ev, &s.rules)
}

func (s *shop) order(at int64, amount, discount event.Micro) {
	s.n++
	s.apply(event.Event{
		Type: event.OrderCompleted, Time: at, OrderID: fmt.Sprintf("o%d", s.n), Channel: "app",
		Items: []event.Item{{ID: "A", Quantity: event.One}}, Amount: amount, HasAmount: true, Discount: discount,
	})
}

// pizza orders every three weeks, ten times, at noon.
func pizza() *shop {
	s := newShop()
	for i := range int64(10) {
		s.order(epoch+i*21*day+day/2, 20*event.One, 0)
	}
	return s
}

func drawShop(t *rapid.T, most int) (*shop, int64) {
	s := newShop()
	s.draw(t, most)
	return s, s.l.Last
}

// draw lets the customer order up to so many times.
func (s *shop) draw(t *rapid.T, most int) {
	at := epoch + rapid.Int64Range(0, 3*day).Draw(t, "first")
	usual := rapid.SampledFrom([]float64{1.3, 7, 21, 60, 200}).Draw(t, "usual")
	even := rapid.Bool().Draw(t, "even")
	for range rapid.IntRange(1, most).Draw(t, "orders") {
		s.order(at, event.Micro(rapid.Int64Range(0, 90e6).Draw(t, "amount")), 0)
		f := rapid.Float64Range(0.05, 2.5).Draw(t, "gap")
		if even {
			f = 0.9 + f/12
		}
		at += int64(usual * f * day)
	}
}

// browse lets the customer look around at up to n instants from the first order
// until two months after the last.
func (s *shop) browse(t *rapid.T, n int) {
	from, until := s.l.First, s.l.Last+60*day
	for range rapid.IntRange(0, n).Draw(t, "acts") {
		s.apply(event.Event{
			Type: rapid.SampledFrom([]event.Type{
				event.PageViewed, event.ProductAdded, event.MessageOpened, event.ComplaintRaised, event.ComplaintResolved,
			}).Draw(t, "act"),
			Time:  rapid.Int64Range(from, until).Draw(t, "at"),
			Items: []event.Item{{ID: "B", Quantity: event.One}},
		})
	}
}

// lastOrder is the instant of the last order.
func (s *shop) lastOrder() int64 { return s.l.Orders[len(s.l.Orders)-1].Placed }

// silentModel adds nothing to the rhythm's word.
func silentModel() *churn.Model {
	return &churn.Model{
		Weights: make([]float64, numFeatures), Lo: make([]float64, numFeatures),
		Hi: make([]float64, numFeatures), Mean: make([]float64, numFeatures),
	}
}

// drawLearned draws models that weigh every column, with clamps that bite.
func drawLearned(t *rapid.T, horizon int) *Learned {
	l := BuiltIn(horizon)
	l.Version, l.At, l.Customers, l.Labels = 2, epoch, 1000, 900
	l.Average = rapid.Float64Range(0.01, 0.99).Draw(t, "average")
	l.Spend, l.MeanSpend = clv.Params{P: 4, Q: 4, V: 15}, 20
	l.Means = Means{
		Silence:  rapid.Float64Range(0, 3).Draw(t, "mean silence"),
		Features: make([]float64, numFeatures),
	}
	m := silentModel()
	m.Bias, m.Lambda, m.Rows = rapid.Float64Range(-3, 3).Draw(t, "bias"), 1, 900
	for i := range numFeatures {
		reach := 5. // as far as the column comes, about
		switch i {
		case xOnce, xVisits, xCart, xEngaged, xComplaint:
			reach = 1
		}
		m.Weights[i] = rapid.Float64Range(-5, 5).Draw(t, featureNames[i]) / reach
		m.Lo[i] = reach * rapid.SampledFrom([]float64{-1, 0, 0, 0.1, 0.3}).Draw(t, "lo")
		m.Hi[i] = reach * rapid.SampledFrom([]float64{0.4, 1, 1, 3}).Draw(t, "hi")
		m.Mean[i] = (m.Lo[i] + m.Hi[i]) / 2
		l.Means.Features[i] = m.Mean[i]
	}
	m.Bend = drawBend(t)
	l.Churn = m
	return l
}

// drawBend draws a bend, or none.
func drawBend(t *rapid.T) (b churn.Bend) {
	x, y := rapid.Float64Range(-4, 2).Draw(t, "bend from"), rapid.Float64Range(-4, 2).Draw(t, "bend to")
	for range rapid.IntRange(0, 5).Draw(t, "points") {
		b.X, b.Y = append(b.X, x), append(b.Y, y)
		run := rapid.Float64Range(0.1, 2).Draw(t, "run")
		x += run
		y += run * rapid.Float64Range(0.1, 4).Draw(t, "slope")
	}
	return b
}

// newLearnedScorer scores with what was learned, for customers of these rules.
func newLearnedScorer(t require.TestingT, l *Learned, rules ledger.Rules, change func(*Config)) (*Scorer, *Models) {
	cfg := DefaultConfig()
	cfg.HorizonDays = l.HorizonDays
	if change != nil {
		change(&cfg)
	}
	require.NoError(t, cfg.Validate())
	m, err := NewModels(&cfg, l)
	require.NoError(t, err)
	m.Cuts = testCuts()
	return NewScorer(cfg, rules, nil), m
}

func newTestScorer(t require.TestingT, change func(*Config)) (*Scorer, *Models) {
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	require.NoError(t, cfg.Validate())
	m := MustModels(&cfg, BuiltIn(cfg.HorizonDays))
	m.Cuts = testCuts()
	return NewScorer(cfg, testRules(), nil), m
}
