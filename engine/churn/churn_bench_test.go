package churn

import "testing"

// Two hundred thousand labels, sixteen columns, the whole grid of penalties.
func BenchmarkFit200000x16(b *testing.B) {
	rows := simulate(1, 200_000, truth{bias: 0.3, weights: []float64{.5, -.3, .1, .05}, columns: 16, common: .3, each: 8})
	for b.Loop() {
		if _, err := Fit(rows, nil, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogit16(b *testing.B) {
	rows := simulate(1, 2000, truth{columns: 16})
	m, err := Fit(rows, nil, Options{Lambdas: []float64{1}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	sum := 0.0
	for b.Loop() {
		sum += m.Logit(0.3, rows[7].X)
	}
	_ = sum
}
