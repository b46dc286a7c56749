package clv

import "testing"

func BenchmarkFitSpend100000(b *testing.B) {
	obs := draw(1, 100_000, Params{6.25, 3.74, 15.44})
	for b.Loop() {
		if _, err := FitSpend(obs, Params{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSpend(b *testing.B) {
	p := Params{6.25, 3.74, 15.44}
	b.ReportAllocs()
	sum := 0.0
	for b.Loop() {
		sum += p.Spend(3, 20)
	}
	_ = sum
}
