package rhythm

import (
	"math"
	"testing"
)

func BenchmarkParts(b *testing.B) {
	prior := Default()
	var h History
	for _, g := range []float64{12, 35, 14, 35} {
		h.Repeats++
		h.Sum += g
		h.LnSum += math.Log(g)
	}
	var q Posterior
	b.Run("posterior", func(b *testing.B) {
		for b.Loop() {
			prior.Posterior(h, &q)
		}
	})
	prior.Posterior(h, &q)
	b.Logf("%d components %+v", q.n, q.comp[:q.n])
	b.Run("survival", func(b *testing.B) {
		for b.Loop() {
			s := q.At(34).Survival
			sink += s
		}
	})
	b.Run("reach", func(b *testing.B) {
		for b.Loop() {
			sink += float64(q.Reach(0, .9))
		}
	})
	b.Run("next", func(b *testing.B) {
		p := q.At(34)
		for b.Loop() {
			sink += q.NextGapAt(&p)
		}
	})
	b.Run("orders", func(b *testing.B) {
		for b.Loop() {
			sink += q.Orders(34, 90)
		}
	})
}
