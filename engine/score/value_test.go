package score

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/event"
)

// costing orders one article at 100 less a discount; what it cost the shop is
// known where cost is not negative.
func (s *shop) costing(at int64, id string, discount, cost event.Micro) {
	item := event.Item{ID: "A", Quantity: event.One}
	if cost >= 0 {
		item.Cost, item.HasCost = cost, true
	}
	s.apply(event.Event{
		Type: event.OrderCompleted, Time: at, OrderID: id, Items: []event.Item{item},
		Amount: 100 * event.One, HasAmount: true, Discount: discount,
	})
}

// requireValue wants the value to be orders × spend × share × discount.
func requireValue(t *testing.T, doc *Scores, mean, share float64, historic event.Micro) {
	t.Helper()
	v := doc.Value
	require.InDelta(t, mean, v.ExpectedOrderValue.Float(), 1e-6)
	require.Positive(t, v.PredictedOrders)
	require.InDelta(t, v.PredictedOrders*mean*share*clv.Discount(365, .1), v.PredictedCLV.Float(), 1e-5)
	require.Equal(t, v.TotalCLV, historic+v.PredictedCLV)
	require.Equal(t, 365, v.HorizonDays)
}

// Where orders carry what the goods cost, the value counts what they left:
// discounts and refunds are taken out, and what came back costs nothing.
func TestValueOfTheMargin(t *testing.T) {
	s := newShop()
	s.costing(epoch, "a", 0, 40*event.One)                   // leaves 60 of 100
	s.costing(epoch+20*day, "b", 10*event.One, 40*event.One) // 50 of 90
	doc := compute(t, s, epoch+30*day, nil)
	require.Equal(t, Margin, doc.Value.Basis)
	require.Equal(t, 190*event.One, doc.Value.HistoricCLV)
	require.InDelta(t, 110, doc.Value.HistoricMargin.Float(), 1e-6)
	requireValue(t, doc, 95, 110./190, doc.Value.HistoricMargin)

	s.apply(event.Event{Type: event.OrderRefunded, Time: epoch + 21*day, OrderID: "b", Amount: 45 * event.One, HasAmount: true})
	doc = compute(t, s, epoch+30*day, nil) // half of b came back: 25 of 45
	require.Equal(t, 145*event.One, doc.Value.HistoricCLV)
	require.InDelta(t, 85, doc.Value.HistoricMargin.Float(), 1e-6)
	requireValue(t, doc, 72.5, 85./145, doc.Value.HistoricMargin)

	// An order that does not say what it cost is taken to leave as much.
	s.costing(epoch+25*day, "c", 0, -1)
	doc = compute(t, s, epoch+30*day, nil)
	require.InDelta(t, 245*85./145, doc.Value.HistoricMargin.Float(), 1e-5)
	requireValue(t, doc, 245./3, 85./145, doc.Value.HistoricMargin)

	s.apply(event.Event{Type: event.OrderCancelled, Time: epoch + 26*day, OrderID: "a"})
	doc = compute(t, s, epoch+30*day, nil)
	require.InDelta(t, 145*25./45, doc.Value.HistoricMargin.Float(), 1e-5)
}

// What is sold at a loss is worth less than nothing.
func TestValueOfALoss(t *testing.T) {
	s := newShop()
	s.costing(epoch, "a", 0, 150*event.One)
	doc := compute(t, s, epoch+day, nil)
	require.Equal(t, -50*event.One, doc.Value.HistoricMargin)
	require.Negative(t, doc.Value.PredictedCLV)
	requireValue(t, doc, 100, -.5, -50*event.One)
}

// Without costs revenue counts, and the spend is the population's where it was
// learned.
func TestValueOfTheRevenue(t *testing.T) {
	s := newShop()
	s.costing(epoch, "a", 0, -1)
	doc := compute(t, s, epoch+day, nil)
	require.Equal(t, Revenue, doc.Value.Basis)
	require.Zero(t, doc.Value.HistoricMargin)
	requireValue(t, doc, 100, 1, 100*event.One)

	_, learned := simulated()
	sc, m := newLearnedScorer(t, learned, s.rules, nil)
	sc.Compute("c", &s.l, m, epoch+day, doc)
	spend := learned.Spend.Spend(1, 100)
	require.Less(t, spend, 100.)
	require.Greater(t, spend, learned.MeanSpend)
	requireValue(t, doc, spend, 1, 100*event.One)
}
