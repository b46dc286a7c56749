package rfm

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// percentile7 is numpy's percentile, plainly.
func percentile7(sorted []float64, p float64) float64 {
	h := float64(len(sorted)-1) * p
	lo := math.Floor(h)
	i := int(lo)
	if i+1 >= len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (h-lo)*(sorted[i+1]-sorted[i])
}

func plainCuts(cs []Customer, day int32) Cuts {
	var r, f, m []float64
	for _, c := range cs {
		if c.Frequency == 0 {
			continue
		}
		r = append(r, float64(day-c.LastDay))
		f = append(f, float64(c.Frequency))
		m = append(m, c.Monetary.Float())
	}
	cuts := Cuts{Customers: len(r)}
	if len(r) == 0 {
		return cuts
	}
	for i := range 4 {
		for _, x := range []struct {
			v  []float64
			to *[4]float64
		}{{r, &cuts.Recency}, {f, &cuts.Frequency}, {m, &cuts.Monetary}} {
			slices.Sort(x.v)
			x.to[i] = percentile7(x.v, float64(i+1)/5)
		}
	}
	return cuts
}

func drawCustomer(t *rapid.T) Customer {
	return Customer{
		LastDay:   rapid.Int32Range(9000, 9400).Draw(t, "day"),
		Frequency: rapid.IntRange(0, 200).Draw(t, "f"),
		Monetary: event.Micro(rapid.OneOf(
			rapid.Int64Range(-5e6, 5e9),
			rapid.SampledFrom([]int64{0, 9_990_000, 19_990_000, math.MaxInt64, math.MinInt64}),
		).Draw(t, "m")),
	}
}

func drawCustomers(t *rapid.T, label string) []Customer {
	return rapid.SliceOfN(rapid.Custom(drawCustomer), 0, 60).Draw(t, label)
}

// The histograms' cut points against sorting, within the stated error.
func TestCutsEqualSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cs := drawCustomers(t, "customers")
		var p Population
		for _, c := range cs {
			p.Add(c)
		}
		got, want := p.Cuts(9500), plainCuts(cs, 9500)
		require.Equal(t, want.Customers, got.Customers)
		for i := range 4 {
			require.InDelta(t, want.Recency[i], got.Recency[i], 1e-9)
			require.InDelta(t, want.Frequency[i], got.Frequency[i], 1e-9)
		}
		// Interpolation between values of opposite sign can cancel, so the error
		// is relative to the neighbours; check it on the order statistics.
		var m []float64
		for _, c := range cs {
			if c.Frequency > 0 {
				m = append(m, float64(c.Monetary))
			}
		}
		slices.Sort(m)
		i := 0
		p.monetary.each(func(v float64, n int64) bool {
			for range n {
				require.InDelta(t, m[i], v, 0.004*math.Abs(m[i]))
				i++
			}
			return true
		})
		require.Equal(t, len(m), i)
	})
}

func TestDistinctValueIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(-1<<53, 1<<53).Draw(t, "v")
		n := rapid.Int64Range(1, 400).Draw(t, "n")
		var h Histogram
		h.Add(v, n)
		require.Equal(t, [4]float64{float64(v), float64(v), float64(v), float64(v)}, h.Quintiles())
	})
}

// Adding, taking away and merging give what building from the remaining
// customers gives, bin for bin.
func TestLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stay, go1, other := drawCustomers(t, "stay"), drawCustomers(t, "go"), drawCustomers(t, "other")
		var p, q, want Population
		for _, c := range go1 {
			p.Add(c)
		}
		for _, c := range stay {
			p.Add(c)
		}
		for _, c := range other {
			q.Add(c)
		}
		p.Merge(&q)
		for _, c := range go1 {
			p.Remove(c)
		}
		for _, c := range slices.Concat(other, stay) {
			want.Add(c)
		}
		require.Equal(t, want.Cuts(9500), p.Cuts(9500))
		require.Equal(t, want.Len(), p.Len())
	})
}

func TestScoreAndNextRecency(t *testing.T) {
	c := Cuts{Recency: [4]float64{10, 20, 20, 30.5}, Frequency: [4]float64{1, 1, 2, 4}, Monetary: [4]float64{1, 2, 3, 4}, Customers: 9}
	r, f, m := c.Score(10, 1, 4*event.One+1)
	require.Equal(t, [3]uint8{5, 1, 5}, [3]uint8{r, f, m})
	r, f, m = c.Score(21, 2, 0)
	require.Equal(t, [3]uint8{2, 3, 1}, [3]uint8{r, f, m})
	for rec := range 40 {
		now, _, _ := c.Score(rec, 1, 0)
		next, ok := c.NextRecency(rec)
		if !ok {
			require.Equal(t, uint8(1), now)
			continue
		}
		before, _, _ := c.Score(next-1, 1, 0)
		after, _, _ := c.Score(next, 1, 0)
		require.Equal(t, now, before)
		require.Less(t, after, now)
	}
	var none Cuts
	r, f, m = none.Score(10, 1, 0)
	require.Equal(t, [3]uint8{3, 3, 3}, [3]uint8{r, f, m})
}

func TestMoved(t *testing.T) {
	c := Cuts{Recency: [4]float64{10, 20, 30, 40}, Frequency: [4]float64{1, 1, 2, 4}, Monetary: [4]float64{10, 20, 30, 40}, Customers: 9}
	d := c
	require.False(t, d.Moved(&c))
	d.Customers, d.Recency[0], d.Monetary[2], d.Frequency[1] = 10, 10.9, 30.29, 1.5
	require.False(t, d.Moved(&c))
	for i, change := range []func(){
		func() { d.Recency[3] = 41 }, func() { d.Frequency[3] = 3 }, func() { d.Monetary[1] = 20.3 }, func() { d.Customers = 0 },
	} {
		d = c
		change()
		require.True(t, d.Moved(&c), i)
	}
}

func TestTableCoversEveryCell(t *testing.T) {
	table, seen := DefaultTable(), map[string]int{}
	for r := uint8(1); r <= 5; r++ {
		for f := uint8(1); f <= 5; f++ {
			seen[table.Segment(r, f)]++
		}
	}
	for _, name := range Segments() {
		require.Positive(t, seen[name], name)
	}
	require.Len(t, seen, 10)
	require.Equal(t, Champions, table.Segment(5, 5))
	require.Equal(t, CannotLose, table.Segment(1, 5))
	require.Equal(t, New, table.Segment(5, 1))
}

func TestConfigReportsEveryFault(t *testing.T) {
	good := DefaultConfig()
	require.NoError(t, good.Validate())
	bad := Config{WindowDays: -1, Cuts: Fixed, Segments: [][]string{{"a", "b"}, {"A B"}}}
	bad.Fixed.Recency = []float64{4, 3, 2, 1}
	err := bad.Validate()
	for _, want := range []string{
		"window_days: -1", "fixed.recency: [4 3 2 1]", "fixed.frequency: []", "fixed.monetary: []",
		"segments: 2 rows", "segments[0]: 2 names", `segments[1][0]: "A B"`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, 1, strings.Count(err.Error(), "window_days"))
	require.ErrorContains(t, (&Config{Cuts: "x"}).Validate(), `cuts: "x"`)
	fixed := Config{Cuts: Fixed, Fixed: FixedConfig{Recency: []float64{1, 2, 3, 4}, Frequency: []float64{1, 1, 2, 3}, Monetary: []float64{1, 2, 3, 4}}}
	require.NoError(t, fixed.Validate())
	cuts, ok := fixed.FixedCuts()
	require.True(t, ok && cuts.Fixed())
	r, _, _ := cuts.Score(1, 1, 0)
	require.Equal(t, uint8(5), r)
	live := Cuts{Customers: 5}
	require.False(t, live.Moved(&cuts))
}

func BenchmarkAddRemove(b *testing.B) {
	var p Population
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		c := Customer{LastDay: int32(9000 + i%300), Frequency: int(i % 9), Monetary: event.Micro(i * 7919 % 500_000_000)}
		p.Add(c)
		p.Remove(c)
	}
}
