package score

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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
	return s, s.l.Last
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
