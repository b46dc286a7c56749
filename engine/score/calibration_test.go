package score

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
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
		browses  bool
		leastAUC float64
	}{{false, 0.85}, {true, 0.91}} {
		var outcomes []churn.Outcome
		orders, expected := 0, 0.
		for seed := range uint64(3) {
			all, came, toCome := calibrated(t, simulator{seed: seed + 4, browses: c.browses})
			q := churn.Judge(all)
			t.Logf("%d customers: AUC %.3f, Brier %.4f, ECE %.4f, greatest gap %.4f, in the large %.4f", q.N, q.AUC, q.Brier, q.ECE, q.MaxGap, q.InTheLarge)
			require.Less(t, q.MaxGap, 0.07)
			outcomes = append(outcomes, all...)
			orders += came
			expected += toCome
		}
		q := churn.Judge(outcomes)
		t.Logf("all: ECE %.4f, greatest gap %.4f; %d orders, %.0f expected", q.ECE, q.MaxGap, orders, expected)
		require.Less(t, q.MaxGap, 0.03)
		require.Greater(t, q.AUC, c.leastAUC)
		require.InDelta(t, orders, expected, 0.06*float64(orders))
	}
}

// calibrated is what was said of a shop's customers and what they did, their
// orders within the horizon, and the orders expected.
func calibrated(t *testing.T, sim simulator) (outcomes []churn.Outcome, orders int, expected float64) {
	customers, sample := 9000, 6000
	if testing.Short() {
		customers, sample = 6000, 4000
	}
	cfg, rules := DefaultConfig(), testRules()
	sim.days = 736 + cfg.HorizonDays
	ls := sim.ledgers(customers)
	at := epoch + 736*day // a Thursday
	learned := learnFrom(&cfg, ls[:sample], at, BuiltIn(cfg.HorizonDays))
	if sim.browses {
		require.NotNil(t, learned.Churn, "%v", learned.Refused)
	}
	sc, m := newLearnedScorer(t, learned, rules, func(c *Config) { c.Value.HorizonDays = c.HorizonDays })
	var then ledger.Ledger
	var doc Scores
	for i := range ls {
		if ls[i].Before(at, &rules, &then); len(then.Orders) == 0 {
			continue
		}
		sc.Compute("c", &then, m, at, &doc)
		came := len(ls[i].Orders) - len(then.Orders)
		outcomes = append(outcomes, churn.Outcome{P: doc.Churn.Probability, Churned: came == 0})
		orders += came
		expected += doc.Value.PredictedOrders
	}
	return outcomes, orders, expected
}
