package churn

import (
	"math"
	"math/rand/v2"
)

// truth is what churns the simulated customers: log-odds = offset + bias + weights·x.
type truth struct {
	bias    float64
	weights []float64
	columns int     // in all; those without a weight are noise
	common  float64 // how far columns go together, 0 to 1
	frailty float64 // deviation of what a customer's snapshots share and no column knows
	each    int     // snapshots a customer, at most
}

// simulate draws n snapshots.
func simulate(seed uint64, n int, w truth) []Row {
	r := rand.New(rand.NewPCG(seed, 7))
	rows := make([]Row, 0, n)
	flat := make([]float64, n*w.columns)
	for len(rows) < n {
		group, own := r.Uint64(), w.frailty*r.NormFloat64()
		for s := range 1 + r.IntN(max(w.each, 1)) {
			if len(rows) == n {
				break
			}
			i := len(rows)
			x := flat[i*w.columns : (i+1)*w.columns : (i+1)*w.columns]
			shared := r.NormFloat64()
			for c := range x {
				x[c] = math.Sqrt(w.common)*shared + math.Sqrt(1-w.common)*r.NormFloat64()
			}
			row := Row{Group: group, Snapshot: int32(30 * s), Offset: 1.2 * r.NormFloat64(), X: x}
			z := row.Offset + w.bias + own
			for c, b := range w.weights {
				z += b * x[c]
			}
			row.Churned = r.Float64() < Logistic(z)
			rows = append(rows, row)
		}
	}
	return rows
}

// logLoss is the mean log-loss of a model, in nats.
func logLoss(rows []Row, m *Model) float64 {
	sum := 0.0
	for _, r := range rows {
		y := 0.0
		if r.Churned {
			y = 1
		}
		_, l := lossOf(m.Logit(r.Offset, r.X), y)
		sum += l
	}
	return sum / float64(len(rows))
}
