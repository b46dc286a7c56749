package score

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// From one crossing to the next, nothing changes on a fine grid, and at the
// instant something does: for any history, with cut points and windows, and
// for regular customers whose probability falls before it rises.
func TestNothingChangesBeforeTheCrossing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shop, last := drawShop(t, 9)
		sc, m := newTestScorer(t, func(c *Config) {
			c.ProbabilityStep = rapid.SampledFrom([]float64{0.01, 0.05, 0.1, 0.5, 1}).Draw(t, "step")
			c.RFM.WindowDays = rapid.SampledFrom([]int{0, 30, 365}).Draw(t, "window")
			c.HorizonDays = rapid.SampledFrom([]int{7, 30, 90, 365}).Draw(t, "horizon")
		})
		if rapid.Bool().Draw(t, "only time") {
			m.Cuts = Cuts{}
		}
		now := last + rapid.Int64Range(0, 40*day).Draw(t, "silence")
		var em, probe Emission
		var doc Scores
		require.NotEmpty(t, sc.Update("c", &shop.l, m, now, &em, &em, &doc, nil))
		for range 12 {
			until := em.Next
			if until == 0 {
				until = last + farthest
			}
			steps := int64(150)
			for i := int64(0); i <= steps; i++ {
				at := now + (until-now)*i/steps
				if at == until {
					at--
				}
				d := sc.Update("c", &shop.l, m, at, &em, &probe, &doc, nil)
				require.Empty(t, d, "%d ms after the last order, %d ms before the crossing (%s)", at-last, until-at, em.Timer)
			}
			if em.Next == 0 {
				return
			}
			require.Greater(t, em.Next, now)
			timer := em.Timer
			now = em.Next
			d := sc.Update("c", &shop.l, m, now, &em, &em, &doc, nil)
			require.NotEmpty(t, d, "%s, %d ms after the last order", timer, now-last)
			var fields []string
			for _, x := range d {
				fields = append(fields, x.Field)
			}
			require.Contains(t, fields, fieldOf(timer), timer)
		}
	})
}

// fieldOf is a field that changes when a timer fires.
func fieldOf(t Timer) string {
	switch t {
	case TimerRecency:
		return "rfm.group"
	case TimerWindow:
		return "rfm.frequency"
	case TimerOverdue:
		return "churn.overdue_percentile"
	case TimerStage:
		return "journey.stage"
	case TimerBand:
		return "churn.band"
	}
	return "churn.probability"
}

// The customer who orders every three weeks is missed before the fifth week,
// with nobody having sent an event.
func TestRegularCustomerCrosses(t *testing.T) {
	shop := pizza()
	last := shop.l.Last
	sc, m := newTestScorer(t, nil)
	var em Emission
	var doc Scores
	sc.Update("c", &shop.l, m, last, &em, &em, &doc, nil)
	require.False(t, em.Overdue)
	for em.Timer != TimerOverdue {
		require.NotZero(t, em.Next)
		sc.Update("c", &shop.l, m, em.Next, &em, &em, &doc, nil)
	}
	at := em.Next
	require.Equal(t, doc.Churn.BecomesOverdueAt, at)
	require.Less(t, at, last+35*day)
	d := sc.Update("c", &shop.l, m, at, &em, &em, &doc, nil)
	require.True(t, em.Overdue)
	require.GreaterOrEqual(t, doc.Churn.OverduePercentile, 0.9)
	var fields []string
	for _, x := range d {
		fields = append(fields, x.Field)
	}
	require.Contains(t, fields, "churn.overdue_percentile")
	require.Contains(t, fields, "journey.stage")
	require.Equal(t, "at_risk", doc.Journey.Stage)
	require.Equal(t, at, doc.Journey.Since)

	sc.Compute("c", &shop.l, m, last+35*day, &doc)
	require.GreaterOrEqual(t, doc.Churn.OverduePercentile, 0.95)
	require.LessOrEqual(t, doc.Churn.PAlive, 0.25)
}

func BenchmarkCrossing(b *testing.B) {
	sc, m := newTestScorer(b, nil)
	shop := newShop()
	for _, d := range []int64{0, 21, 45, 55, 100} {
		shop.order(epoch+d*day, 20_000_000, 0)
	}
	var em Emission
	var doc Scores
	sc.Update("c", &shop.l, m, shop.l.Last, &em, &em, &doc, nil)
	m.Cuts = Cuts{}
	b.ReportAllocs()
	for b.Loop() {
		sc.NextCrossing(&em)
	}
}

// An order that comes in: everything that the shard asks for.
func BenchmarkUpdate(b *testing.B) {
	sc, m := newTestScorer(b, nil)
	for _, n := range []int{1, 5} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			shop := newShop()
			for _, d := range []int64{0, 21, 45, 55, 100}[:n] {
				shop.order(epoch+d*day, 20_000_000, 0)
			}
			var doc Scores
			var deltas []Delta
			b.ReportAllocs()
			for b.Loop() {
				var em Emission
				deltas = sc.Update("c", &shop.l, m, shop.l.Last, &em, &em, &doc, deltas[:0])
			}
		})
	}
}

func BenchmarkCompute(b *testing.B) {
	sc, m := newTestScorer(b, nil)
	shop := newShop()
	for _, d := range []int64{0, 21, 45, 55, 100} {
		shop.order(epoch+d*day, 20_000_000, 0)
	}
	var doc Scores
	b.ReportAllocs()
	for b.Loop() {
		sc.Compute("c", &shop.l, m, shop.l.Last+5*day, &doc)
	}
}

// What is known in advance of a first-time buyer is what the search finds.
func TestFreshExitEqualsSearch(t *testing.T) {
	s := newShop()
	s.order(epoch, 20_000_000, 0)
	for _, step := range []float64{0.01, 0.05, 0.1, 0.3} {
		sc, m := newTestScorer(t, func(c *Config) { c.ProbabilityStep, c.RFM.WindowDays = step, 0 })
		m.Cuts = Cuts{}
		searched := *m
		searched.freshExit = freshExit{}
		var a, b Emission
		var doc Scores
		sc.Update("c", &s.l, m, epoch, &a, &a, &doc, nil)
		sc.Update("c", &s.l, &searched, epoch, &b, &b, &doc, nil)
		require.Equal(t, a, b)
		require.NotZero(t, a.Next)
	}
}
