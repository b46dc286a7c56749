package score

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// drawCurve draws a customer and a learned model, and the curve from the last
// order on, by a Scorer.
func drawCurve(t *rapid.T) *Scorer {
	s := newShop()
	s.draw(t, 8)
	s.browse(t, 6)
	learned := drawLearned(t, rapid.SampledFrom([]int{7, 30, 90, 365}).Draw(t, "horizon"))
	sc, m := newLearnedScorer(t, learned, s.rules, nil)
	var doc Scores
	sc.Compute("c", &s.l, m, max(s.lastOrder(), s.l.Last), &doc)
	return sc
}

// drawSilence draws from a second to thirty years, in ms.
func drawSilence(t *rapid.T, label string) int64 {
	return int64(math.Exp(rapid.Float64Range(math.Log(1001), math.Log(1e4*day)).Draw(t, label)))
}

// What a customer is scored by is what the model was taught by: the curve's
// probability is the model's, over the row that the learner makes of the facts.
func TestServedAsTaught(t *testing.T) {
	check := func(t require.TestingT, l *ledger.Ledger, rules ledger.Rules, learned *Learned, now int64) {
		sc, m := newLearnedScorer(t, learned, rules, nil)
		var doc Scores
		sc.Compute("c", l, m, now, &doc)
		n := NewLearner(&sc.cfg, &rules, now)
		n.Add(1, l)
		require.Equal(t, 1, len(n.members))
		x, offset := answererOf(&learned.Fitted, &sc.cfg).row(&n.members[0].now, float64(sc.cfg.HorizonDays))
		served := sc.columns
		for i := range x {
			require.InDelta(t, x[i], served[i], 1e-12*max(1, math.Abs(x[i])), featureNames[i])
		}
		require.InDelta(t, learned.Churn.Probability(offset, x), doc.Churn.Probability, 1e-12)
		require.Equal(t, LearnedModel, doc.Churn.Model)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		s.draw(t, 8)
		s.browse(t, 6)
		learned := drawLearned(t, rapid.SampledFrom([]int{7, 30, 90, 365}).Draw(t, "horizon"))
		check(t, &s.l, s.rules, learned, s.l.Last+drawSilence(t, "silence")-1000)
	})
	ls, learned := simulated()
	for i := 0; i < len(ls); i += 20 {
		check(t, &ls[i], testRules(), learned, epoch+int64(730+i/10)*day)
	}
}

// Between two silences the probability stays within what bounds says of them.
func TestBoundsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCurve(t).curve
		from, way := drawSilence(t, "from")-1000, drawSilence(t, "way")
		a, b := c.at(from), c.at(from+way)
		lo, hi := c.bounds(&a, &b)
		require.LessOrEqual(t, lo, hi)
		for range 20 {
			p := c.at(from + rapid.Int64Range(0, way).Draw(t, "between")).p
			require.GreaterOrEqual(t, p, lo-1e-12)
			require.LessOrEqual(t, p, hi+1e-12)
		}
	})
}

// The slope against a numeric one, where no column stands at a clamp; both of
// its parts never below zero.
func TestSlopeOfTheCurve(t *testing.T) {
	const step = 30_000 // ms
	rapid.Check(t, func(t *rapid.T) {
		sc := drawCurve(t)
		c := sc.curve
		at := drawSilence(t, "silence") + 2*step
		a, mid, b := c.at(at-step), c.at(at), c.at(at+step)
		require.GreaterOrEqual(t, mid.rise, 0.)
		require.GreaterOrEqual(t, mid.fall, 0.)
		if bends(sc, &a, &b) || shareOf(a.ms-c.monday) == 0 || shareOf(b.ms-c.monday) == 1 {
			return
		}
		numeric := (b.p - a.p) / (2 * step) * day
		size := mid.rise + mid.fall + math.Abs(numeric)
		require.InDelta(t, numeric, mid.rise-mid.fall, 1e-4*size+1e-9)
	})
}

// What fades in the course of a week does so from its first instant on, from
// which the search of that week starts.
func TestSlopeAtTheBeginningOfAWeek(t *testing.T) {
	const step = 10_000 // ms
	fading := 0
	check := func(t *rapid.T) {
		sc := drawCurve(t)
		c := sc.curve
		if c.behaviour == nil {
			return
		}
		monday := sc.enter(&c, sc.week+rapid.Int32Range(1, 4).Draw(t, "week"))
		a, b := c.at(monday), c.at(monday+step)
		if bends(sc, &a, &b) {
			return
		}
		if c.behaviour.fades(c.week) {
			fading++
		}
		numeric := (b.p - a.p) / step * day
		require.InDelta(t, numeric, a.rise-a.fall, 1e-2*(a.rise+a.fall+math.Abs(numeric))+1e-9)
	}
	for i := 0; i < 30 && fading < 3; i++ { // few of those drawn fade
		rapid.Check(t, check)
	}
	require.NotZero(t, fading)
}

// bends says whether a column, the sum or the rhythm's log-odds passes a place
// where it may bend, between two points of the curve.
func bends(sc *Scorer, a, b *point) bool {
	if a.clamped != b.clamped {
		return true
	}
	const certain = 1 - 2.0611537e-9
	if (a.rhythm > certain) != (b.rhythm > certain) || (a.now.Survival > leastSurvival) != (b.now.Survival > leastSurvival) {
		return true
	}
	var x [2][numFeatures]float64
	var slope [numFeatures]float64
	for i, p := range []*point{a, b} {
		sc.f.moments.moving(&p.now, sc.curve.decay, &x[i], &slope)
	}
	m := sc.curve.model
	for _, i := range movingColumns {
		for _, clamp := range []float64{m.Lo[i], m.Hi[i]} {
			if (x[0][i] <= clamp) != (x[1][i] <= clamp) {
				return true
			}
		}
	}
	return false
}

// With the rhythm alone, silence never speaks for a customer.
func TestSilenceNeverRevives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, last := drawShop(t, 8)
		sc, m := newTestScorer(t, nil)
		var doc Scores
		alive, overdue := 2., -1.
		for at, i := last, 0; i < 40; at, i = at+drawSilence(t, "longer"), i+1 {
			sc.Compute("c", &s.l, m, at, &doc)
			require.LessOrEqual(t, doc.Churn.PAlive, alive)
			require.GreaterOrEqual(t, doc.Churn.OverduePercentile, overdue)
			alive, overdue = doc.Churn.PAlive, doc.Churn.OverduePercentile
		}
	})
}

// Every number is one, whatever the customer: with one order or three hundred,
// with no spend, silent for a moment or for decades.
func TestNumbersAtTheEdge(t *testing.T) {
	_, fitted := simulated()
	var shops []*shop
	for _, orders := range []int64{1, 2, 301, 400} {
		for _, gap := range []int64{1, 300} {
			s := newShop()
			for i := range orders {
				s.order(epoch+i*gap*day, 0, 0)
			}
			shops = append(shops, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s, learned := rapid.SampledFrom(shops).Draw(t, "shop"), fitted
		if rapid.Bool().Draw(t, "drawn") {
			learned = drawLearned(t, 90)
		}
		sc, m := newLearnedScorer(t, learned, s.rules, nil)
		silence := rapid.OneOf(rapid.SampledFrom([]int64{0, 1, day, 365 * day, 36_500 * day}), rapid.Int64Range(0, 36_500*day)).Draw(t, "silence")
		var doc Scores
		sc.Compute("c", &s.l, m, s.l.Last+silence, &doc)
		requireProbabilities(t, &doc)
		requireReasons(t, &doc, 1e-9)
		require.GreaterOrEqual(t, doc.Value.PredictedCLV, doc.Value.HistoricCLV)
		for i, v := range sc.columns {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s is %g", featureNames[i], v)
		}
	})
}

func requireProbabilities(t require.TestingT, doc *Scores) {
	for name, p := range map[string]float64{
		"probability": doc.Churn.Probability, "alive": doc.Churn.PAlive, "overdue": doc.Churn.OverduePercentile, "average": doc.Churn.Average,
	} {
		require.True(t, p >= 0 && p <= 1, "%s is %g", name, p)
	}
	orders := doc.Value.PredictedOrders
	require.True(t, orders >= 0 && orders <= 366, "%g orders are expected", orders)
	for _, r := range doc.Reasons {
		require.True(t, math.Abs(r.Effect) <= 1e6, "%s: %g", r.Text, r.Effect)
	}
}

// The effects of the reasons add up under learned models, too, and say what the
// customer did.
func TestLearnedReasonsAddUp(t *testing.T) {
	kinds := map[phraseKind]bool{}
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		s.draw(t, 8)
		s.browse(t, 8)
		sc, m := newLearnedScorer(t, drawLearned(t, 90), s.rules, nil)
		var doc Scores
		sc.Compute("c", &s.l, m, s.l.Last+drawSilence(t, "silence")-1000, &doc)
		requireReasons(t, &doc, 1e-9)
		for _, r := range doc.Reasons {
			kinds[r.Text.kind] = true
		}
	})
	for _, kind := range []phraseKind{history, sinceLast, sinceOnly, habit, spending, browsing, messages, complaining} {
		require.True(t, kinds[kind], "%d", kind)
	}
	ls, learned := simulated()
	sc, m := newLearnedScorer(t, learned, testRules(), nil)
	text := "the average customer is at " + strconv.FormatFloat(learned.Average, 'f', 2, 64)
	var doc Scores
	for i := range ls {
		sc.Compute("c", &ls[i], m, epoch+730*day, &doc)
		requireReasons(t, &doc, 1e-9)
		requireProbabilities(t, &doc)
		require.Contains(t, doc.Reasons[0].Text.String(), text)
	}
}

// A first-time buyer's exit is not known in advance where a model was learned.
func TestLearnedFirstOrderIsSearched(t *testing.T) {
	_, learned := simulated()
	sc, m := newLearnedScorer(t, learned, testRules(), func(c *Config) { c.RFM.WindowDays = 0 })
	m.Cuts = Cuts{}
	s := newShop()
	s.order(epoch, 20_000_000, 0)
	var em Emission
	var doc Scores
	sc.Update("c", &s.l, m, epoch, &em, &em, &doc, nil)
	z, _, _ := learned.Churn.Bend.At(churn.LogOdds(sc.curve.at(0).rhythm) + sc.curve.level + sc.here.up + sc.here.down)
	p := churn.Logistic(z)
	require.InDelta(t, p, doc.Churn.Probability, 1e-12)
	require.NotZero(t, em.Next)
	require.NotEqual(t, epoch+m.freshExit.at, em.Next)
}
