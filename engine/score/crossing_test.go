package score

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/ledger"
)

// From one crossing to the next, nothing changes on a fine grid, and at the
// instant something does: for any history, with cut points and windows, and
// for regular customers whose probability falls before it rises.
func TestNothingChangesBeforeTheCrossing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shop, last := drawShop(t, 9)
		sc, m := newTestScorer(t, func(c *Config) {
			drawSteps(t, c)
			c.HorizonDays = rapid.SampledFrom([]int{7, 30, 90, 365}).Draw(t, "horizon")
		})
		if rapid.Bool().Draw(t, "only time") {
			m.Cuts = Cuts{}
		}
		now := last + rapid.Int64Range(0, 40*day).Draw(t, "silence")
		requireCrossings(t, sc, m, shop, now, 12, 150)
	})
}

// drawSteps draws how fine the changes are.
func drawSteps(t *rapid.T, c *Config) {
	c.ProbabilityStep = rapid.SampledFrom([]float64{0.01, 0.05, 0.1, 0.5, 1}).Draw(t, "step")
	c.RFM.WindowDays = rapid.SampledFrom([]int{0, 30, 365}).Draw(t, "window")
}

// The same with learned models, whose probability may rise, fall and bend at
// any time, and turns where a week begins, by the calendar of the shop.
func TestNothingChangesBeforeTheLearnedCrossing(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	calendars := []ledger.Calendar{{}, ledger.NewCalendar(seoul), ledger.NewCalendar(newYork)}
	rapid.Check(t, func(t *rapid.T) {
		shop := newShop()
		shop.rules.Calendar = calendars[rapid.IntRange(0, 2).Draw(t, "calendar")]
		shop.draw(t, 6)
		if rapid.Bool().Draw(t, "browses") {
			shop.browse(t, 12)
		}
		learned := drawLearned(t, rapid.SampledFrom([]int{7, 30, 90, 365}).Draw(t, "horizon"))
		sc, m := newLearnedScorer(t, learned, shop.rules, func(c *Config) { drawSteps(t, c) })
		if rapid.Bool().Draw(t, "only the probability") {
			m.Cuts, sc.cfg.RFM.WindowDays = Cuts{}, 0
		}
		now := shop.l.Last + rapid.Int64Range(0, 40*day).Draw(t, "silence")
		requireCrossings(t, sc, m, shop, now, 8, 40)
	})
}

// The same under models that were fitted.
func TestNothingChangesBeforeTheFittedCrossing(t *testing.T) {
	ls, learned := simulated()
	sc, m := newLearnedScorer(t, learned, testRules(), func(c *Config) { c.ProbabilityStep = 0.05 })
	for i := 0; i < len(ls); i += 150 {
		shop := &shop{rules: testRules(), l: ls[i]}
		requireCrossings(t, sc, m, shop, epoch+730*day, 6, 40)
	}
}

// requireCrossings goes from one crossing to the next and looks at so many
// instants between two, and at the beginnings of weeks.
func requireCrossings(t require.TestingT, sc *Scorer, m *Models, shop *shop, now int64, crossings, grid int) {
	var em, probe Emission
	var doc Scores
	last := shop.lastOrder()
	require.NotEmpty(t, sc.Update("c", &shop.l, m, now, &em, &em, &doc, nil))
	for range crossings {
		until := em.Next
		if until == 0 {
			until = last + farthest
		}
		for _, at := range instants(sc, now, until, grid) {
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
		require.Contains(t, strings.Fields(fields(d)), fieldOf(timer), timer)
	}
}

// instants are a grid from now to the millisecond before until, and both sides
// of the first beginnings of weeks between them.
func instants(sc *Scorer, now, until int64, grid int) (at []int64) {
	for i := range int64(grid) {
		at = append(at, now+(until-1-now)*i/int64(grid-1))
	}
	cal := &sc.rules.Calendar
	for week := range int32(16) {
		monday := cal.Start(ledger.Monday(ledger.Week(cal.Day(now)) + 1 + week))
		if monday < until {
			at = append(at, monday-1, monday)
		}
	}
	return at
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
