package score

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// What is said, on a Thursday, of the customers of three shops, a part of whom
// taught it, against what the next horizon brought. In the one kind of shop
// orders follow the rhythm's own law. In the other, carts are filled days before
// most orders and whoever complains leaves: laws that no sum of the model's terms
// is, so that without the bend a tenth is off by four points and more. What is
// learned from so few customers is off by chance as well; of three shops together
// no tenth is off by three points.
func TestCalibrationOfWhatWasLearned(t *testing.T) {
	for _, c := range []struct {
		name     string
		browses  bool
		leastAUC float64
	}{{"the rhythm's law", false, 0.85}, {"carts and complaints", true, 0.91}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var outcomes []churn.Outcome
			orders, expected := 0, 0.
			for seed := range uint64(3) {
				all, came, toCome := calibrated(t, simulator{seed: seed + 4, browses: c.browses})
				q := churn.Judge(all)
				t.Logf("%d customers: AUC %.3f, Brier %.4f, ECE %.4f, greatest gap %.4f, in the large %.4f", q.N, q.AUC, q.Brier, q.ECE, q.MaxGap, q.InTheLarge)
				require.Less(t, q.ECE, 0.03)
				outcomes = append(outcomes, all...)
				orders += came
				expected += toCome
			}
			q := churn.Judge(outcomes)
			t.Logf("all: ECE %.4f, greatest gap %.4f; %d orders, %.0f expected", q.ECE, q.MaxGap, orders, expected)
			most := 0.03
			if testing.Short() { // learned from fewer
				most = 0.045
			}
			require.Less(t, q.MaxGap, most)
			require.Greater(t, q.AUC, c.leastAUC)
			require.InDelta(t, orders, expected, 0.06*float64(orders))
		})
	}
}

// calibrated is what was said of a shop's customers and what they did, their
// orders within the horizon, and the orders expected. What was said knows the
// events until then and no others: a ledger that has seen the rest of a week
// cannot forget it.
func calibrated(t *testing.T, sim simulator) (outcomes []churn.Outcome, orders int, expected float64) {
	customers, sample := 12_000, 6000
	if testing.Short() {
		customers, sample = 4000, 3000
	}
	cfg, rules := DefaultConfig(), testRules()
	at := epoch + 735*day + 15*day/24
	require.Equal(t, time.Thursday, time.UnixMilli(at).UTC().Weekday())
	sim.days = 735 + cfg.HorizonDays
	then, came := make([]ledger.Ledger, customers), make([]int, customers)
	for i := range then {
		evs := sim.customer(i)
		for j := range evs {
			if evs[j].Time <= at {
				then[i].Apply(&evs[j], &rules)
			} else if evs[j].Type == event.OrderCompleted {
				came[i]++
			}
		}
	}
	learned := learnFrom(&cfg, then[:sample], at, BuiltIn(cfg.HorizonDays))
	if sim.browses {
		require.NotNil(t, learned.Churn, "%v", learned.Refused)
	}
	sc, m := newLearnedScorer(t, learned, rules, func(c *Config) { c.Value.HorizonDays = c.HorizonDays })
	var doc Scores
	for i := range then {
		if len(then[i].Orders) == 0 {
			continue
		}
		sc.Compute("c", &then[i], m, at, &doc)
		outcomes = append(outcomes, churn.Outcome{P: doc.Churn.Probability, Churned: came[i] == 0})
		orders += came[i]
		expected += doc.Value.PredictedOrders
	}
	return outcomes, orders, expected
}
