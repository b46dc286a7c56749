package bench

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/dangol-dev/dangol/state"
)

// BenchmarkPath is the whole way of an event but for Kafka: decode, apply,
// score, encode, state, pairs, on one core.
func BenchmarkPath(b *testing.B) {
	const customers = 100_000
	cfg := state.DefaultConfig()
	cfg.Dir = "state"
	store, err := state.Open(cfg, vfs.NewMem(), state.Observer{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	p := NewPath(store)
	w := NewWorkload(customers, 10_000, 1)
	run := func(n int, visits bool, at int64) {
		recs := Records(w, at, n, 20_000, visits)
		b.ResetTimer()
		if err := p.Run(b.Context(), recs); err != nil {
			b.Fatal(err)
		}
	}
	run(customers, true, 0)
	run(200_000, false, customers)
	b.ReportAllocs()
	run(b.N, false, customers+200_000)
}
