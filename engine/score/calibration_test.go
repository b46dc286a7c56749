package score

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// In a shop that does not change, what is learned by an instant is right about
// the horizon after it: in every tenth of the customers as many stay away as
// was said, to three points.
func TestCalibrationOfWhatWasLearned(t *testing.T) {
	customers, sample := 20_000, 6000
	if testing.Short() {
		customers, sample = 12_000, 1500
	}
	cfg, rules := DefaultConfig(), testRules()
	sim := simulator{seed: 4, days: 733 + cfg.HorizonDays, browses: true}
	ls := sim.ledgers(customers)
	at := epoch + 733*day // a Thursday
	learned := learnFrom(&cfg, ls[:sample], at, BuiltIn(cfg.HorizonDays))
	require.Empty(t, learned.Refused)

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
	require.Less(t, q.MaxGap, 0.03)
	require.Greater(t, q.AUC, 0.8)
	require.InDelta(t, orders, expected, 0.08*float64(orders))
}
