package score

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// read is the facts as of now.
func (s *shop) read(now int64, horizon int) *facts {
	var f facts
	f.read(&s.l, &s.rules, s.rules.Calendar.Day(now), 0, decayOf(float64(horizon)))
	return &f
}

// The decayed counts against a plain sum over the purchase days.
func TestDecayedCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 20)
		horizon := rapid.SampledFrom([]int{7, 90, 365}).Draw(t, "horizon")
		silence := rapid.Float64Range(0, 1000).Draw(t, "silence")
		days := map[int64]bool{}
		for _, o := range s.l.Orders {
			days[o.Placed/day] = true
		}
		var x, slope [numFeatures]float64
		s.read(last, horizon).moving(&rhythm.Point{Gap: silence, Survival: 1}, decayOf(float64(horizon)), &x, &slope)
		for column, horizons := range map[int]float64{xFresh: .5, xDecayed: 1, xSlow: 2} {
			sum := 0.
			for d := range days {
				sum += math.Exp(-(float64(last/day-d) + silence) / (horizons * float64(horizon)))
			}
			require.InDelta(t, math.Log1p(sum), x[column], 1e-12, featureNames[column])
		}
	})
}

// The columns of one customer, by hand: purchase days 0, 20 and 30, silent for
// nine days more.
func TestColumnsOfACustomer(t *testing.T) {
	s := newShop()
	for _, d := range []int64{0, 20, 30} {
		s.order(epoch+d*day, 30*event.One, 0)
	}
	fitted := Fitted{MeanSpend: 20}
	f := s.read(epoch+39*day, 90)
	var x, slope [numFeatures]float64
	f.constant(&fitted, &x)
	f.moving(&rhythm.Point{Gap: 9, Survival: .25, Density: .01}, decayOf(90), &x, &slope)
	for column, want := range map[int]float64{
		xOnce: 0, xSilence: math.Log(10), xOrders: math.Log(3), xTenure: math.Log(40), xOverdue: math.Log(4),
		xPercentile: .75, xUsual: math.Log(10. / 16), xTrend: math.Log(11. / 16), xSpend: math.Log(1.5),
	} {
		require.InDelta(t, want, x[column], 1e-12, featureNames[column])
	}
	require.InDelta(t, .04, slope[xOverdue], 1e-12)
	for i := range numFeatures {
		require.NotEmpty(t, FeatureText(i))
		require.NotEmpty(t, FeatureNames()[i])
	}
}

// With one purchase day there is no usual gap and no trend; without spend, the
// population's counts.
func TestColumnsOfAFirstOrder(t *testing.T) {
	s := newShop()
	s.order(epoch, 0, 0)
	var x, slope [numFeatures]float64
	f := s.read(epoch, 90)
	f.constant(&Fitted{MeanSpend: 20}, &x)
	f.moving(&rhythm.Point{Gap: 3, Survival: .9}, decayOf(90), &x, &slope)
	require.Equal(t, 1., x[xOnce])
	for _, column := range []int{xOrders, xUsual, xTrend, xSpend} {
		require.Zero(t, x[column], featureNames[column])
	}
}

// Orders that are kept as sums only: what they add to the decayed counts is
// near to what they were, and gone where it hardly matters.
func TestFoldedMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		n, longest := rapid.IntRange(280, 400).Draw(t, "orders"), rapid.Int64Range(1, 6).Draw(t, "longest")
		var days []int64
		at := epoch
		for range n {
			s.order(at, 10*event.One, 0)
			days = append(days, at/day)
			at += rapid.Int64Range(1, longest).Draw(t, "gap") * day
		}
		require.Positive(t, s.l.Fold.Orders)
		f := s.read(s.l.Last, 90)
		last := days[n-1]
		for i, horizons := range []float64{.5, 1, 2} {
			sum := 0.
			for _, d := range days {
				sum += math.Exp(-float64(last-d) / (horizons * 90))
			}
			require.InDelta(t, sum, f.decayed[i], 0.05*sum)
		}
		require.Equal(t, n-1, f.history.Repeats)
		require.Equal(t, float64(last-days[0]), f.history.Sum)
		require.InDelta(t, 10, f.spend, 1e-9)
	})
}

// The behaviour's columns against sets of weeks: an order's week counts for
// nothing but the messages in it.
func TestBehaviourColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		var visited, carted, engaged, ordered = map[int32]bool{}, map[int32]bool{}, map[int32]bool{}, map[int32]bool{}
		complaints := 0
		at := epoch
		for range rapid.IntRange(1, 25).Draw(t, "acts") {
			at += rapid.Int64Range(0, 12*day).Draw(t, "gap")
			week := ledger.Week(int32(at / day))
			switch rapid.IntRange(0, 5).Draw(t, "act") {
			case 0:
				s.order(at, event.One, 0)
				ordered[week] = true
			case 1:
				s.apply(event.Event{Type: event.PageViewed, Time: at})
				visited[week] = true
			case 2:
				s.apply(event.Event{Type: event.CartViewed, Time: at})
				visited[week], carted[week] = true, true
			case 3:
				s.apply(event.Event{Type: event.MessageClicked, Time: at})
				visited[week], engaged[week] = true, true
			case 4:
				s.apply(event.Event{Type: event.ComplaintRaised, Time: at})
				visited[week] = true
				complaints++
			default:
				s.apply(event.Event{Type: event.ComplaintResolved, Time: at})
				complaints--
			}
		}
		now := ledger.Week(int32(at/day)) + rapid.Int32Range(0, 20).Draw(t, "weeks later")
		// A week counts as far as it lies within so many days before now.
		share := rapid.Float64Range(0, 1).Draw(t, "share")
		part := func(w int32, from, to float64) float64 {
			young := 7 * (float64(now-w-1) + share) // the age of its end, in days
			return math.Max(0, math.Min(young+7, to)-math.Max(young, from)) / 7
		}
		most := func(in, without map[int32]bool, to float64) (v float64) {
			if in[now] && !without[now] { // it has only begun, and is all here
				v = 1
			}
			for w := now - 20; w < now; w++ {
				if in[w] && !without[w] {
					v = math.Max(v, part(w, 0, to))
				}
			}
			return v
		}
		before := 0.
		for w := now - 20; w < now; w++ {
			if visited[w] && !ordered[w] {
				before += part(w, 14, 91)
			}
		}
		var x, slope [numFeatures]float64
		f := s.read(at, 90)
		f.behaviour.features(now, share, &x, &slope)
		require.InDelta(t, most(visited, ordered, 14), x[xVisits], 1e-9)
		require.InDelta(t, math.Log1p(before), x[xVisited], 1e-9)
		require.InDelta(t, most(carted, ordered, 14), x[xCart], 1e-9)
		require.InDelta(t, most(engaged, nil, 35), x[xEngaged], 1e-9)
		require.Equal(t, flag(complaints > 0), x[xComplaint])

		// The end of a week is the beginning of the next, and the slopes are right.
		var end, begin, later [numFeatures]float64
		f.behaviour.features(now, 1, &end, &slope)
		f.behaviour.features(now+1, 0, &begin, &slope)
		require.InDeltaSlice(t, end[:], begin[:], 1e-12)
		const little = 1e-5
		f.behaviour.features(now, share*(1-little), &x, &slope)
		f.behaviour.features(now, share*(1-little)+little, &later, new([numFeatures]float64))
		for i := range x {
			require.InDelta(t, (later[i]-x[i])/(7*little), slope[i], 1e-4)
			if !f.behaviour.fades(now) {
				require.Equal(t, later[i], x[i])
			}
		}
	})
}

// Behaviour is forgotten when behaviourWeeks have passed, not before.
func TestBehaviourIsForgotten(t *testing.T) {
	b := behaviour{week: 100, visited: 1, carted: 1, engaged: 1}
	var x, slope [numFeatures]float64
	b.features(100+behaviourWeeks-1, 0.5, &x, &slope)
	require.Positive(t, x[xVisited])
	for week := int32(100 + behaviourWeeks); week < 300; week++ {
		b.features(week, 0, &x, &slope)
		require.Equal(t, [numFeatures]float64{}, x)
	}
}
