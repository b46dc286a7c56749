package score

import (
	"fmt"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
)

// regular is a customer of n orders, seen since the last of them.
func regular(n int) *shop {
	s := newShop()
	for _, d := range []int64{0, 21, 45, 55, 100}[:n] {
		s.order(epoch+d*day, 20*event.One, 0)
	}
	s.apply(event.Event{Type: event.ProductViewed, Time: s.l.Last + 9*day, Items: []event.Item{{ID: "B"}}})
	return s
}

// bench runs fn with the rhythm alone and with learned models.
func bench(b *testing.B, fn func(b *testing.B, sc *Scorer, m *Models)) {
	b.Run("rhythm", func(b *testing.B) {
		sc, m := newTestScorer(b, nil)
		fn(b, sc, m)
	})
	b.Run("learned", func(b *testing.B) {
		_, learned := simulated()
		sc, m := newLearnedScorer(b, learned, testRules(), nil)
		fn(b, sc, m)
	})
}

// Everything about a customer of five orders: the document as the API gives it.
func BenchmarkCompute(b *testing.B) {
	bench(b, func(b *testing.B, sc *Scorer, m *Models) {
		s := regular(5)
		var doc Scores
		b.ReportAllocs()
		for b.Loop() {
			sc.Compute("c", &s.l, m, s.l.Last+5*day, &doc)
		}
	})
}

// An order that comes in: everything that the shard asks for.
func BenchmarkUpdate(b *testing.B) {
	bench(b, func(b *testing.B, sc *Scorer, m *Models) {
		for _, n := range []int{1, 5} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				s := regular(n)
				var doc Scores
				var deltas []Delta
				b.ReportAllocs()
				for b.Loop() {
					var em Emission
					deltas = sc.Update("c", &s.l, m, s.lastOrder(), &em, &em, &doc, deltas[:0])
				}
			})
		}
	})
}

// A timer or a visit that changes nothing which is emitted.
func BenchmarkQuietUpdate(b *testing.B) {
	bench(b, func(b *testing.B, sc *Scorer, m *Models) {
		s := regular(5)
		var em Emission
		var doc Scores
		now := s.l.Last
		sc.Update("c", &s.l, m, now, &em, &em, &doc, nil)
		b.ReportAllocs()
		for b.Loop() {
			var next Emission
			if d := sc.Update("c", &s.l, m, now+1000, &em, &next, &doc, nil); len(d) > 0 {
				b.Fatal("not quiet")
			}
		}
	})
}

// The next crossing alone: of the probability, the other timers being off.
func BenchmarkCrossing(b *testing.B) {
	bench(b, func(b *testing.B, sc *Scorer, m *Models) {
		s := regular(5)
		var em Emission
		var doc Scores
		sc.Update("c", &s.l, m, s.lastOrder(), &em, &em, &doc, nil)
		m.Cuts = Cuts{}
		b.ReportAllocs()
		for b.Loop() {
			sc.NextCrossing(&em)
		}
	})
}

// A fit to two thousand customers.
func BenchmarkLearn(b *testing.B) {
	ls, _ := simulated()
	cfg := DefaultConfig()
	for b.Loop() {
		learnFrom(&cfg, ls, epoch+730*day, BuiltIn(cfg.HorizonDays))
	}
}
