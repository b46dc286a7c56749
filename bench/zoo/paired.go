package main

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// tie is the difference of log-losses up to which a shop counts as the same: the
// table shows it as 0.
const tie = 5e-6

// estimate is a mean of differences, one a shop, with two standard errors:
// over the shops, which tells of chance in their drawing, and over the laws'
// means, which tells how much hangs on the choice of laws. Drawings of one law
// resemble each other, so the second is the honest one of "on shops at large".
// They are NaN for a single shop and a single law.
type estimate struct{ mean, overShops, overLaws float64 }

// paired is one forecast less another, over shops.
type paired struct {
	logLoss, auc        estimate
	better, worse, same int // shops, by the log-loss
}

// compare compares two measures of each trial. The trials of a law are adjacent.
func compare(trials []trial, one, other func(*trial) measure) paired {
	var p paired
	logLoss, auc := make([]float64, len(trials)), make([]float64, len(trials))
	for i := range trials {
		a, b := one(&trials[i]), other(&trials[i])
		logLoss[i], auc[i] = a.logLoss-b.logLoss, a.auc-b.auc
		switch d := logLoss[i]; {
		case d < -tie:
			p.better++
		case d > tie:
			p.worse++
		case !math.IsNaN(d):
			p.same++
		}
	}
	p.logLoss, p.auc = estimateOf(trials, logLoss), estimateOf(trials, auc)
	return p
}

func estimateOf(trials []trial, differences []float64) estimate {
	var means []float64
	for _, of := range byLaw(trials) {
		means = append(means, stat.Mean(differences[of.from:of.to], nil))
	}
	return estimate{stat.Mean(differences, nil), standardError(differences), standardError(means)}
}

func standardError(x []float64) float64 {
	return stat.StdErr(stat.StdDev(x, nil), float64(len(x)))
}

// span is the trials of one law.
type span struct{ from, to int }

func byLaw(trials []trial) []span {
	var spans []span
	for i := range trials {
		if i == 0 || trials[i].law != trials[i-1].law {
			spans = append(spans, span{i, i})
		}
		spans[len(spans)-1].to = i + 1
	}
	return spans
}
