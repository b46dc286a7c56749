package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plainError is the standard error of the mean, written plainly.
func plainError(x []float64) (mean, se float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		se += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(se / float64(len(x)-1) / float64(len(x)))
}

func TestCompareAgainstPlainSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		laws, seeds := rapid.IntRange(2, 5).Draw(t, "laws"), rapid.IntRange(1, 4).Draw(t, "seeds")
		number := rapid.Float64Range(0, 1)
		var trials []trial
		var logLoss, auc, lawLoss, lawAUC []float64
		var better, worse, same int
		for l := range laws {
			var sumLoss, sumAUC float64
			for seed := range seeds {
				a := measure{number.Draw(t, "auc"), number.Draw(t, "loss")}
				b := measure{number.Draw(t, "other auc"), number.Draw(t, "other loss")}
				if rapid.IntRange(0, 3).Draw(t, "alike") == 0 {
					b.logLoss = a.logLoss + 4e-6
				}
				trials = append(trials, trial{law: string(rune('a' + l)), seed: seed, verdict: verdict{by: map[string]measure{ours: a, mbgnbd: b}}})
				d := a.logLoss - b.logLoss
				switch {
				case math.Abs(d) <= 5e-6:
					same++
				case d < 0:
					better++
				default:
					worse++
				}
				logLoss, auc = append(logLoss, d), append(auc, a.auc-b.auc)
				sumLoss, sumAUC = sumLoss+d, sumAUC+a.auc-b.auc
			}
			lawLoss, lawAUC = append(lawLoss, sumLoss/float64(seeds)), append(lawAUC, sumAUC/float64(seeds))
		}
		p := compare(trials, func(t *trial) measure { return t.verdict.by[ours] }, func(t *trial) measure { return t.verdict.by[mbgnbd] })
		require.Equal(t, [3]int{better, worse, same}, [3]int{p.better, p.worse, p.same})
		for _, c := range []struct {
			got         estimate
			shops, laws []float64
		}{{p.logLoss, logLoss, lawLoss}, {p.auc, auc, lawAUC}} {
			mean, overShops := plainError(c.shops)
			_, overLaws := plainError(c.laws)
			require.InDelta(t, mean, c.got.mean, 1e-12)
			require.InDelta(t, overShops, c.got.overShops, 1e-12)
			require.InDelta(t, overLaws, c.got.overLaws, 1e-12)
		}
	})
}
