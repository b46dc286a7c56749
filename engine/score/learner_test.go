package score

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// sunday is an evening before a Monday of the simulation: whole weeks have
// passed.
const sunday = 1830470400000 - 105*day - 1 // Monday 2027-09-20, less a millisecond

// learner has met the first n simulated customers, one after the other.
func learner(cfg *Config, at int64, n int) *Learner {
	ls, _ := simulated()
	rules := testRules()
	l := NewLearner(cfg, &rules, at)
	for i := range n {
		l.Add(HashOf(strconv.Itoa(i)), &ls[i])
	}
	return l
}

// The customers in any order, and whatever they did after the instant, teach
// the same, to the bit.
func TestLearnedIsAFunctionOfTheFacts(t *testing.T) {
	cfg, rules := DefaultConfig(), testRules()
	cfg.Learn.MinLabels = 200
	const n = 450
	want := learner(&cfg, sunday, n).Learn(BuiltIn(cfg.HorizonDays))
	require.NotNil(t, want.Churn)
	require.Empty(t, want.Refused)

	sim, order := simulator{seed: 1, days: 730, browses: true}, rand.New(rand.NewPCG(3, 3)).Perm(n)
	l := NewLearner(&cfg, &rules, sunday)
	for _, i := range order {
		var then ledger.Ledger
		for _, ev := range sim.customer(i) {
			if ev.Time <= sunday {
				then.Apply(&ev, &rules)
			}
		}
		l.Add(HashOf(strconv.Itoa(i)), &then)
	}
	require.Equal(t, want, l.Learn(BuiltIn(cfg.HorizonDays)))
}

// A snapshot sees nothing that happened after its instant; its label does.
func TestSnapshotsSeeNothingLater(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HorizonDays = 30
	rapid.Check(t, func(t *rapid.T) {
		s := newShop()
		s.draw(t, 6)
		s.browse(t, 8)
		at := s.l.Last + 90*day + rapid.Int64Range(0, 7*day).Draw(t, "until")
		before := NewLearner(&cfg, &s.rules, at)
		before.Add(1, &s.l)
		const j = 2
		instant := before.shots[j]
		require.Greater(t, instant, s.l.Last)
		was := before.members[0].labels

		first := s.l.Orders[0]
		next := int64(never)
		for range rapid.IntRange(0, 6).Draw(t, "later") {
			later := rapid.Int64Range(instant+1, at).Draw(t, "at")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				s.order(later, 500*event.One, 0)
				next = min(next, later)
			case 1:
				s.l.Adjustments = append(s.l.Adjustments[:0], ledger.Adjustment{Order: first.Hash, Event: 1, Time: later, Kind: ledger.Cancelled})
			case 2:
				s.apply(event.Event{Type: event.ComplaintRaised, Time: later})
			default:
				s.apply(event.Event{Type: rapid.SampledFrom([]event.Type{event.CartViewed, event.MessageOpened}).Draw(t, "type"), Time: later})
			}
		}
		after := NewLearner(&cfg, &s.rules, at)
		after.Add(1, &s.l)
		if len(after.members) == 0 { // the only order was cancelled
			return
		}
		now := map[int]label{}
		for _, b := range after.members[0].labels {
			now[b.snapshot] = b
		}
		for _, b := range was[j:] {
			require.Equal(t, b.shot, now[b.snapshot].shot)
		}
		require.Equal(t, next, now[j].next)
		require.Equal(t, int64(never), was[j].next)
	})
}

// Of a bot whose orders since a snapshot are kept as sums only, nobody knows
// what it was like then; a buyer whose order was cancelled later was one.
func TestSnapshotsOfTheUnusual(t *testing.T) {
	cfg, bot := DefaultConfig(), newShop()
	at := epoch + 400*day
	bot.order(epoch, event.One, 0)
	for i := range int64(700) {
		bot.order(at-60*day+i*hour, event.One, 0)
	}
	require.Positive(t, bot.l.Fold.Orders)
	n := NewLearner(&cfg, &bot.rules, at)
	n.Add(1, &bot.l)
	require.Equal(t, 1, len(n.members))
	for _, b := range n.members[0].labels {
		require.Greater(t, n.shots[b.snapshot], at-60*day)
	}

	s := newShop()
	s.order(at-200*day, event.One, 0)
	s.order(at-20*day, event.One, 0)
	s.apply(event.Event{Type: event.OrderCancelled, Time: at - 150*day, OrderID: "o1"})
	m := NewLearner(&cfg, &s.rules, at)
	m.Add(1, &s.l)
	var cancelled, bought int
	for _, b := range m.members[0].labels {
		require.Equal(t, 1, b.occasion)
		require.False(t, m.shots[b.snapshot] >= at-150*day && m.shots[b.snapshot] < at-20*day, "nobody's")
		if m.shots[b.snapshot] < at-150*day {
			cancelled++
		} else {
			bought++
		}
	}
	require.Positive(t, cancelled)
	require.Positive(t, bought)
}

const hour = 3_600_000

// What a label says, against a plain reading of the orders: the rhythm's word
// for as much of the horizon as has passed, and whether an order came in it.
func TestRowsOfOpenHorizons(t *testing.T) {
	cfg := DefaultConfig()
	n := learner(&cfg, sunday, 200)
	ls, learned := simulated()
	q := answererOf(&learned.Fitted, &cfg)
	byHash := map[uint64]*ledger.Ledger{}
	for i := range 200 {
		byHash[HashOf(strconv.Itoa(i))] = &ls[i]
	}
	rows, open := n.rows(q, 0, len(n.shots), sunday), 0
	require.NotEmpty(t, rows)
	for _, r := range rows {
		at := n.shots[r.Snapshot]
		span := min(sunday-at, 90*day)
		if span < 90*day {
			open++
		}
		last, ordered, h := int64(0), false, rhythm.History{}
		for _, o := range byHash[r.Group].Orders {
			switch {
			case o.Placed <= at:
				if last != 0 && o.Placed/day > last/day {
					gap := float64(o.Placed/day - last/day)
					h.Repeats, h.Sum, h.LnSum = h.Repeats+1, h.Sum+gap, h.LnSum+math.Log(gap)
				}
				last = o.Placed
			case o.Placed <= at+span:
				ordered = true
			}
		}
		require.Equal(t, !ordered, r.Churned)
		var post rhythm.Posterior
		q.prior.Posterior(h, &post)
		word := post.OrderWithin(rhythm.Days(last, at), float64(span)/day)
		require.InDelta(t, -churn.LogOdds(word), r.Offset, 1e-9)
	}
	require.Positive(t, open)
	require.Less(t, open, len(rows))
}

// Where there is too little, or nothing to be learned, what was known stands,
// and why is said.
func TestRefusalsKeepWhatWasKnown(t *testing.T) {
	cfg, rules := DefaultConfig(), testRules()
	_, prev := simulated()
	before := *prev
	l := learner(&cfg, sunday, 40).Learn(prev)
	require.Equal(t, before, *prev)
	require.Len(t, l.Refused, 3)
	require.Regexp(t, `^rhythm: degenerate fit: \d+ customers with \d+ gaps, .* at least 200`, l.Refused[0])
	require.Regexp(t, `^spend: spend model is degenerate: \d+ customers, at least 50`, l.Refused[1])
	require.Regexp(t, `^churn: too few labels: \d+ of the latest horizon, learn.min_labels is 500`, l.Refused[2])
	require.Equal(t, prev.Rhythm, l.Rhythm)
	require.Equal(t, prev.Spend, l.Spend)
	require.Equal(t, prev.MeanSpend, l.MeanSpend)
	require.Nil(t, l.Churn, "the rhythm answers alone")
	require.Zero(t, l.Labels)
	require.Equal(t, prev.Version+1, l.Version)
	require.Less(t, l.Customers, 40)
	_, err := NewModels(&cfg, l)
	require.NoError(t, err)

	// Everybody spends the same, and nobody ever comes back.
	n := NewLearner(&cfg, &rules, epoch+700*day)
	for i := range 600 {
		s := newShop()
		s.order(epoch+int64(i)*day, 30*event.One, 0)
		n.Add(uint64(i), &s.l)
	}
	l = n.Learn(BuiltIn(cfg.HorizonDays))
	require.Len(t, l.Refused, 3)
	require.Contains(t, l.Refused[0], "rhythm: degenerate fit: 600 customers with 0 gaps")
	require.Contains(t, l.Refused[1], "customers all spend alike: 30 each")
	require.Contains(t, l.Refused[2], "0 stayed")
	require.Equal(t, rhythm.DefaultParams(), l.Rhythm)
	require.Nil(t, l.Churn)
	require.InDelta(t, 30, l.MeanSpend, 1e-9)

	// Nobody at all.
	l = NewLearner(&cfg, &rules, epoch).Learn(prev)
	require.Nil(t, l.Churn, "the rhythm answers alone")
	require.Empty(t, l.Judged)
	_, err = NewModels(&cfg, l)
	require.NoError(t, err)
}

// foolish is in force from an instant on and says the contrary of what is so.
func foolish(at int64, past ...Past) *Learned {
	l := BuiltIn(90)
	l.Version, l.At, l.Past = 2, at, past
	m := silentModel()
	m.Bias = 4
	m.Weights[xSilence], m.Hi[xSilence] = -3, 10
	l.Churn = m
	return l
}

// A label is judged by the model that was in force when it began: one that came
// later changes no figure, one from before does.
func TestJudgedByTheModelInForce(t *testing.T) {
	cfg := DefaultConfig()
	n := learner(&cfg, sunday, 600)
	start := BuiltIn(cfg.HorizonDays)
	first := Past{Fitted: start.Fitted}
	judge := func(prev *Learned) []Quality {
		var l Learned
		n.judgePast(prev, &l)
		return l.Judged
	}
	want := judge(start)
	require.Len(t, want, 4)
	require.Equal(t, "dangol", want[0].Name)
	require.Greater(t, want[0].AUC, 0.75)
	begun := n.shots[n.judged()[0]]
	require.Equal(t, want, judge(foolish(begun+1, first)))
	got := judge(foolish(begun, first))
	require.Less(t, got[0].AUC, want[0].AUC)
	got = judge(foolish(1, first))
	require.Less(t, got[0].AUC, 0.5)
	require.Equal(t, want[3], got[3], "MBG/NBD is as it was")
	require.Empty(t, judge(foolish(begun+1)), "nothing was in force")
}

// However often models are learned, of those that were in force when a label
// begins enough are kept until it is judged.
func TestPastReachesBack(t *testing.T) {
	cfg, rules := DefaultConfig(), testRules()
	for _, days := range []int64{1, 3, 7, 30} {
		every := days * day
		prev := BuiltIn(cfg.HorizonDays)
		var ats []int64
		for at := int64(sunday - 400*day); at <= sunday; at += every {
			n := NewLearner(&cfg, &rules, at)
			for _, j := range n.judged() {
				inForce, known := lastUpTo(ats, n.shots[j]), false
				for _, p := range append([]Past{{At: prev.At}}, prev.Past...) {
					known = known || p.At == inForce
				}
				require.True(t, known, "every %d days: the model of %d days before", days, (at-inForce)/day)
			}
			l := &Learned{At: at, Fitted: prev.Fitted}
			n.judgePast(prev, l)
			prev, ats = l, append(ats, at)
		}
		require.LessOrEqual(t, len(prev.Past), 64)
	}
}

// lastUpTo is the latest of ascending instants up to one; 0: none.
func lastUpTo(ats []int64, until int64) (last int64) {
	for _, at := range ats {
		if at <= until {
			last = at
		}
	}
	return last
}

// As many are expected to leave as the rhythm expects, but for the part of the
// latest horizon's level that stands out from the seasons.
func TestSteadyHoldsTheLevel(t *testing.T) {
	cfg := DefaultConfig()
	n := learner(&cfg, sunday, 400)
	_, learned := simulated()
	q := answererOf(&learned.Fitted, &cfg)
	rows := n.rows(q, 0, len(n.shots), sunday)
	levels, kept := n.levels(rows), 0.
	require.NotEmpty(t, levels)
	if levels[0]*levels[0] > wander(levels) {
		kept = levels[0] - wander(levels)/levels[0]
	}
	for _, shift := range []float64{-2, -.1, 0, 1.5} {
		m := *learned.Churn
		m.Bias += shift
		n.steady(&m, rows, q)
		var want, got float64
		for i := range n.members {
			x, offset := q.row(&n.members[i].now, q.horizon)
			want += churn.Logistic(offset + kept)
			got += m.Probability(offset, x)
		}
		require.InDelta(t, want, got, 1e-6)
	}
}

// A level that seasons explain is left; one that they do not is kept nearly
// whole.
func TestSteadyKeepsWhatStandsOut(t *testing.T) {
	cfg := DefaultConfig()
	n := learner(&cfg, sunday, 150)
	learned := BuiltIn(cfg.HorizonDays)
	q := answererOf(&learned.Fitted, &cfg)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct{ shift, least, most float64 }{{0, 0, 0}, {.05, 0, 0}, {1, .85, 1.1}, {-1, -1.1, -.85}, {3, 2.8, 3.2}} {
		rows := make([]churn.Row, 20_000)
		for i := range rows {
			offset := 1.5 * rng.NormFloat64()
			rows[i] = churn.Row{Snapshot: int32(n.firstResolved(sunday)), Offset: offset, X: make([]float64, numFeatures), Churned: rng.Float64() < churn.Logistic(offset+c.shift)}
		}
		m := silentModel()
		n.steady(m, rows, q)
		require.GreaterOrEqual(t, m.Bias, c.least, "shifted by %g", c.shift)
		require.LessOrEqual(t, m.Bias, c.most, "shifted by %g", c.shift)
	}
}

// What horizons differ by among themselves is no level of the latest one.
func TestLevelsThatWander(t *testing.T) {
	require.InDelta(t, season*season, wander([]float64{.3}), 1e-12)
	require.InDelta(t, season*season/4, wander([]float64{.3, .3, .3, .3}), 1e-12)
	require.Greater(t, wander([]float64{-.02, -.06, -.21, -.32}), .02*.02, "a level within the trend is not kept")
}

// Log-odds moved by the level add up to what happened.
func TestLevelMeetsWhatHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odds := rapid.SliceOfN(rapid.Float64Range(-4, 4), 5, 60).Draw(t, "odds")
		happened := float64(rapid.IntRange(1, len(odds)-1).Draw(t, "happened"))
		level, sum := levelOf(odds, happened), 0.
		for _, z := range odds {
			sum += churn.Logistic(z + level)
		}
		if math.Abs(level) < 5 {
			require.InDelta(t, happened, sum, 1e-6)
		}
	})
}

// Whether somebody browses tells who leaves in the simulated shop; how much
// somebody spends does not, and is left out.
func TestGatesOfTheSimulatedShop(t *testing.T) {
	_, learned := simulated()
	w := learned.Churn.Weights
	require.Zero(t, w[xSpend])
	require.Less(t, w[xVisited], 0.)
	require.Empty(t, learned.Refused)
}
