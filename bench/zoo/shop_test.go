package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// drawn is the text of a small shop.
func drawn(t *testing.T, l law, seed int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, simulate(l, newShop(l.name, seed, 400, 200))))
	return b.Bytes()
}

// What a law draws is what the engine reads: valid events in the order of their
// time, orders of many customers from the opening on and beyond the cut, and
// the same ones each time.
func TestLawsDrawValidEvents(t *testing.T) {
	for _, l := range laws() {
		t.Run(l.name, func(t *testing.T) {
			text := drawn(t, l, 1)
			require.Equal(t, text, drawn(t, l, 1))
			require.NotEqual(t, text, drawn(t, l, 2))

			d, err := decode.NewJSON(decode.DefaultConfig())
			require.NoError(t, err)
			cut := time.Date(2025, 10, 15, 0, 0, 0, 0, time.UTC)
			last, end := cut.AddDate(0, 0, -400).UnixMilli(), cut.AddDate(0, 0, horizon).UnixMilli()
			orders, ids, known, ahead, others := map[string]int{}, map[string]bool{}, 0, 0, 0
			for line := range strings.Lines(string(text)) {
				var e event.Event
				require.NoError(t, d.Decode([]byte(line), &e), line)
				require.GreaterOrEqual(t, e.Time, last, line)
				require.Less(t, e.Time, end, line)
				require.False(t, ids[e.ID], line)
				last, ids[e.ID] = e.Time, true
				switch {
				case e.Type != event.OrderCompleted:
					others++
				case e.Time <= cut.UnixMilli():
					known++
				default:
					ahead++
				}
				if e.Type == event.OrderCompleted {
					require.Positive(t, e.Amount, line)
					orders[e.CustomerID+" "+e.OrderID]++
					require.Equal(t, 1, orders[e.CustomerID+" "+e.OrderID], line)
				}
			}
			require.Greater(t, known, 200)
			require.Greater(t, ahead, 20)
			require.Equal(t, l.beside != nil, others > 0)
		})
	}
}

// times are the instants of all orders that a law draws, and of the first ones.
func times(s *shop, draw func(*shop) []customer) (all, first []float64) {
	for _, c := range draw(s) {
		all, first = append(all, c.orders...), append(first, c.orders[0])
	}
	return all, first
}

// Each law has what it is drawn for.
func TestLawsAreWhatTheySay(t *testing.T) {
	s := newShop("club", 0, 548, 500)
	all, first := times(s, club)
	require.Len(t, first, 500)
	for _, f := range first {
		require.Less(t, f, 85.)
	}
	half := func(from, to float64) (n int) {
		for _, o := range all {
			if o >= from && o < to {
				n++
			}
		}
		return n
	}
	require.Greater(t, half(85, 335), 2*half(335, 585), "zeal wears off")

	s = newShop("wholesale", 0, 548, 500)
	all, _ = times(s, wholesale)
	for _, o := range all {
		d := s.yearday(o)
		require.False(t, d >= 210 && d <= 240 || d >= 355 || d <= 4, "an order on day %d of the year", d)
	}

	s = newShop("growing", 0, 548, 2000)
	_, first = times(s, growing)
	late := 0
	for _, f := range first {
		if f > float64(s.end)/2 {
			late++
		}
	}
	require.InDelta(t, .75, float64(late)/float64(len(first)), .03, "e^1.1/(1+e^1.1) of the newcomers come in the second half")

	s = newShop("mbg", 0, 548, 4000)
	once := 0
	for range s.buyers {
		if len(s.renewal(0, .3, s.regular(2, 1))) == 1 {
			once++
		}
	}
	require.InDelta(t, .3, float64(once)/float64(s.buyers), .03, "leaving after the first order")
}

// A rate that moves is drawn as often as it says, never while it is 0.
func TestPoissonOrders(t *testing.T) {
	s := newShop("test", 0, 548, 100)
	var n [2]int
	for range 2000 {
		for _, o := range s.poissonOrders(0, .5, 20, func(at float64) float64 { return .5 * math.Floor(at/10) })[1:] {
			n[int(o/10)]++
		}
	}
	require.Zero(t, n[0])
	require.InDelta(t, 5, float64(n[1])/2000, .2)
}

// The draws have the mean and the spread of what they are named after.
func TestDraws(t *testing.T) {
	s := newShop("test", 0, 548, 100)
	for name, d := range map[string]struct {
		draw     func() float64
		mean, sd float64
	}{
		"uniform":     {func() float64 { return s.uniform(2, 4) }, 3, 2 / math.Sqrt(12)},
		"normal":      {func() float64 { return s.normal(3, 2) }, 3, 2},
		"lognormal":   {func() float64 { return math.Log(s.lognormal(20, .5)) }, math.Log(20), .5},
		"exponential": {func() float64 { return s.exponential(7) }, 7, 7},
		"gamma":       {func() float64 { return s.gamma(.7, 1./22) }, .7 / 22, math.Sqrt(.7) / 22},
		"beta":        {func() float64 { return s.beta(.9, 2.2) }, .9 / 3.1, math.Sqrt(.9 * 2.2 / (3.1 * 3.1 * 4.1))},
		"poisson":     {func() float64 { return float64(s.poisson(3)) }, 3, math.Sqrt(3)},
		"one":         {func() float64 { return s.one(1, 2, 3) }, 2, math.Sqrt(2. / 3)},
	} {
		x := make([]float64, 20_000)
		for i := range x {
			x[i] = d.draw()
		}
		mean, sd := stat.MeanStdDev(x, nil)
		require.InEpsilon(t, d.mean, mean, .05, name)
		require.InEpsilon(t, d.sd, sd, .05, name)
	}
}
