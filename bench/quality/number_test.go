package quality

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNumbersInWords(t *testing.T) {
	for want, got := range map[string]string{
		"1,234,567": count(1234567), "-1,234": count(-1234), "999": count(999), "-999": count(-999),
		"86.8 %": percent(.8681, 1), "1 point": points(.01), "1.9 points": points(.019),
		"97": ofHundred(.97), "more than 99": ofHundred(.996), "100": ofHundred(1), "fewer than 1": ofHundred(.004), "0": ofHundred(0),
		"0.00": fixed(-0.001, 2), "−1.50": fixed(-1.5, 2), unknown: fixed(math.NaN(), 2), "1e+300": fixed(1e300, 2),
		"12.5 k": amount(12500), "1 m": amount(1e6), "250 m": amount(2.5e8), "3.4 bn": amount(3.4e9), "9.90": amount(9.9), "0.0120": amount(.012),
		"EUR 12.3": money(12.3, "EUR"), "12.3": money(12.3, ""),
		"a, b and c": list([]string{"a", "b", "c"}), "a": list([]string{"a"}), "": list(nil),
		"recency alone": alone("recency only"), "cannot lose": plain("cannot_lose"),
	} {
		require.Equal(t, want, got)
	}
}

func TestTicks(t *testing.T) {
	require.InDeltaSlice(t, []float64{0, .2, .4, .6, .8, 1}, ticks(0, 1, 5), 1e-12)
	require.InDeltaSlice(t, []float64{.2, .4, .6, .8, 1}, ticks(.1, 1, 5), 1e-12)
	require.Empty(t, ticks(1, 1, 5))
	require.Equal(t, 60.0, ceiling(54))
	require.Equal(t, 60.0, ceiling(60))
	require.Equal(t, 1.0, ceiling(0))
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e12, 1e12).Draw(t, "lo")
		hi := lo + max(math.Abs(lo), 1e-3)*rapid.Float64Range(1e-3, 1e3).Draw(t, "width")
		n := rapid.IntRange(2, 10).Draw(t, "n")
		got := ticks(lo, hi, n)
		require.LessOrEqual(t, len(got), n+1)
		for i, v := range got {
			require.True(t, v >= lo-(hi-lo)*1e-5 && v <= hi+(hi-lo)*1e-5)
			require.True(t, i == 0 || v > got[i-1])
		}
		c := ceiling(hi)
		require.True(t, hi <= 0 || c >= hi*(1-1e-5) && c < 2.5*hi+1)
	})
}
