package score

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// What is said of 20,000 customers whom a third taught, on a Thursday, against
// what the next horizon brought. In the shop whose orders follow the rhythm's own
// law no tenth is off by three points. In the other one, carts are filled days
// before most orders and whoever complains leaves: laws that the model's terms
// can only approach, so a tenth may be off by a little more.
func TestCalibrationOfWhatWasLearned(t *testing.T) {
	for _, c := range []struct {
		browses        bool
		most, leastAUC float64
	}{{false, 0.03, 0.85}, {true, 0.04, 0.91}} {
		calibrated(t, c.browses, c.most, c.leastAUC)
	}
}

func calibrated(t *testing.T, browses bool, most, leastAUC float64) {
	customers, sample := 20_000, 6000
	if testing.Short() {
		customers, sample = 12_000, 1500
	}
	cfg, rules := DefaultConfig(), testRules()
	sim := simulator{seed: 4, days: 733 + cfg.HorizonDays, browses: browses}
	ls := sim.ledgers(customers)
	at := epoch + 733*day // a Thursday
	learned := learnFrom(&cfg, ls[:sample], at, BuiltIn(cfg.HorizonDays))
	require.Equal(t, browses, learned.Churn != nil, "where there is nothing to learn, the rhythm answers alone: %v", learned.Refused)

	sc, m := newLearnedScorer(t, learned, rules, func(c *Config) { c.Value.HorizonDays = c.HorizonDays })
	var then ledger.Ledger
	var doc Scores
	var outcomes []churn.Outcome
	orders, expected := 0, 0.
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
	q := churn.Judge(outcomes)
	t.Logf("%d customers: AUC %.3f, Brier %.4f, ECE %.4f, greatest gap %.4f, in the large %.4f", q.N, q.AUC, q.Brier, q.ECE, q.MaxGap, q.InTheLarge)
	t.Logf("%d orders, %.0f expected", orders, expected)
	require.Less(t, q.MaxGap, most)
	require.Greater(t, q.AUC, leastAUC)
	require.InDelta(t, orders, expected, 0.08*float64(orders))
}
