package basket_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Rows that are counted together, the kinds side by side, are counted as one by
// one, and what is undone never was.
func TestRowsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := plain()
		cfg.HalfLife = rapid.SampledFrom([]time.Duration{0, time.Minute, 180 * 24 * time.Hour}).Draw(t, "half-life")
		half := max(1, cfg.HalfLife.Milliseconds())
		begin := half * rapid.SampledFrom([]int64{0, 385, 100_000}).Draw(t, "begin")
		span := max(30*half, 1000)
		want, got := basket.New(cfg), basket.New(cfg)
		var parts [3]basket.Rows
		for i := range parts {
			parts[i].Add(&basket.Row{Kind: basket.SameOrder, At: begin, To: []uint64{99}}, 1)
			parts[i].Reset()
			for _, r := range rapid.SliceOfN(rows(catalogue, begin, span), 0, 30).Draw(t, "rows") {
				sign := rapid.SampledFrom([]int{+1, +1, -1}).Draw(t, "sign")
				parts[i].Add(&r, sign)
				if i < 2 {
					want.Apply(&r, sign)
				}
			}
		}
		count := func(parts []basket.Rows, sign int) {
			var kinds sync.WaitGroup
			for k := range basket.Kind(basket.NumKinds) {
				kinds.Go(func() {
					for i := range parts {
						got.ApplyKind(k, &parts[i], sign)
					}
				})
			}
			kinds.Wait()
		}
		for i := range parts {
			got.Meet(&parts[i])
		}
		count(parts[:], +1)
		count(parts[2:], -1)
		want.Advance(begin + span)
		got.Advance(begin + span)
		require.Equal(t, tell(want, numbers), tell(got, numbers))
		require.Equal(t, want.Giants(), got.Giants())
	})
}

// A basket that is too large is cut, also among others.
func TestGiantsTogether(t *testing.T) {
	giant := make([]uint64, 100)
	for i := range giant {
		giant[i] = uint64(i) + 1
	}
	var m basket.Rows
	m.Add(&basket.Row{Kind: basket.SameOrder, To: giant}, 1)
	m.Add(&basket.Row{Kind: basket.SameOrder, To: giant[:2]}, 1)
	require.Len(t, m.Items(basket.SameOrder), basket.MaxItems+2)
	c := basket.New(plain())
	c.Meet(&m)
	c.ApplyKind(basket.SameOrder, &m, 1)
	require.Equal(t, 1, c.Giants())
	require.EqualValues(t, 2, c.Pair(basket.SameOrder, 1, 2))
	require.EqualValues(t, 0, c.Pair(basket.SameOrder, 1, basket.MaxItems+1))
}
