package rhythm

import "testing"

// shop is a population of irregular and regular customers.
func shop() Params {
	return Params{R: 0.9, Alpha: 35, A: 0.6, B: 2.5, Weights: [Size]float64{.55, .2, .1, 0, .1, 0, 0, .05, 0}}
}

func BenchmarkFit(b *testing.B) {
	obs := simulate(shop(), 100_000, 1)
	warm, err := FitPrior(obs[:90_000], DefaultParams(), FitOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		start Params
		k     int
	}{{"cold", DefaultParams(), 0}, {"warm", warm.Params, 0}, {"mbg", DefaultParams(), 1}} {
		b.Run(c.name, func(b *testing.B) {
			var f Fit
			for b.Loop() {
				if f, err = FitPrior(obs, c.start, FitOptions{K: c.k}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(f.Iterations), "steps")
			b.Logf("%+v", f)
		})
	}
}
