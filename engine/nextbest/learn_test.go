package nextbest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/score"
)

// truths by which lessons are simulated: the mixture of the voices, and the weights
// of the columns of new items and of those that customers had.
var (
	trueMix   = [score.NumVoices]float64{.4, .15, .1, .05, .3}
	trueNew   = [score.NumNew]float64{1, .5, 1.2, -.3}
	trueAgain = [score.NumAgain]float64{1, -.5, .2, .8, .1, .4, .6, .3}
)

// simulated are lessons of customers who buy each candidate with the probability
// that the truths give it. One in three has looked at nothing: that voice is silent.
func simulated(n int, seed uint64) []Lesson {
	rng := rand.New(rand.NewPCG(seed, 1))
	lessons := make([]Lesson, n)
	for i := range lessons {
		l := &lessons[i]
		l.Order, l.At = rng.Uint64(), int64(i)
		old, fresh := 6, 10+rng.IntN(10)
		said := make([]voices, fresh) // each voice is a distribution over the new ones
		for v := range l.Sums {
			if v == score.VoiceSession && rng.IntN(3) == 0 {
				continue
			}
			for j := range said {
				said[j][v] = math.Exp(1.5 * rng.NormFloat64())
				l.Sums[v] += said[j][v]
			}
			for j := range said {
				said[j][v] /= l.Sums[v]
			}
		}
		orders := rng.NormFloat64()
		for j := range old + fresh {
			e := Example{Again: j < old, Weight: 1}
			w, z := trueNew[:], -.3
			if e.Again {
				w, z = trueAgain[:], -1.
			}
			for c := range w {
				switch {
				case e.Again && c == score.AgainDue && rng.IntN(3) == 0:
					e.X[c] = float32(math.NaN())
					continue
				case e.Again && c == score.AgainOrders, !e.Again && c == score.NewOrders: // the same for all of a list
					e.X[c] = float32(orders)
				case !e.Again && c == score.NewLooked:
					e.X[c] = float32(rng.IntN(2))
				case !e.Again && c == score.NewMix:
					v := said[j-old]
					for k := range v {
						e.Voices[k] = float32(v[k])
					}
					z += w[c] * math.Log(v.mix(&trueMix, &l.Sums)+leastMix)
					continue
				default:
					e.X[c] = float32(rng.NormFloat64())
				}
				z += w[c] * float64(e.X[c])
			}
			e.Bought = rng.Float64() < churn.Logistic(z)
			if !e.Bought {
				if rng.IntN(skipped) != 0 {
					continue
				}
				e.Weight = skipped
			}
			l.Examples = append(l.Examples, e)
		}
	}
	return lessons
}

// order is the columns from the greatest weight to the least.
func order(w []float64) []int {
	at := make([]int, len(w))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(w[b], w[a]) })
	return at
}

// What is learned has the weights that the lessons were made with, in their order
// and about their size, and foretells as much as is bought: overall, and where it
// foretells little or much.
func TestLearnRecoversTheTruth(t *testing.T) {
	m, err := Learn(simulated(4000, 1), score.BuiltInOffers())
	require.NoError(t, err)
	require.NoError(t, m.Check())
	require.Equal(t, 4000, m.Lists)
	t.Log(trueMix, m.Mix)
	require.Equal(t, order(trueMix[:]), order(m.Mix[:]))
	require.InDeltaSlice(t, trueMix[:], m.Mix[:], .05)
	others := simulated(4000, 2)
	for part, c := range []struct {
		fit   *churn.Model
		truth []float64
	}{{m.New, trueNew[:]}, {m.Again, trueAgain[:]}} {
		t.Log(c.truth, c.fit.Weights)
		require.Equal(t, order(c.truth), order(c.fit.Weights), PartNames[1+part])
		for i, w := range c.truth {
			require.InDelta(t, w, c.fit.Weights[i], .12, "%s items, column %d", PartNames[1+part], i)
		}
		type outcome struct{ p, bought, weight float64 }
		var all []outcome
		for i := range others {
			for j := range others[i].Examples {
				e := &others[i].Examples[j]
				if e.Again != (part == 1) {
					continue
				}
				x := make([]float64, len(c.truth))
				for k := range x {
					x[k] = float64(e.X[k])
				}
				if !e.Again {
					x[score.NewMix] = logMix(&others[i], e, &m.Mix)
				}
				o := outcome{p: churn.Logistic(c.fit.Logit(0, x)), weight: float64(e.Weight)}
				if e.Bought {
					o.bought = 1
				}
				all = append(all, o)
			}
		}
		slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.p, b.p) })
		level := func(os []outcome) (foretold, bought float64) {
			n := 0.
			for _, o := range os {
				foretold, bought, n = foretold+o.weight*o.p, bought+o.weight*o.bought, n+o.weight
			}
			return foretold / n, bought / n
		}
		foretold, bought := level(all)
		t.Logf("%s items: foretold %.4f, bought %.4f", PartNames[1+part], foretold, bought)
		require.InEpsilon(t, bought, foretold, .04)
		for _, half := range [][]outcome{all[:len(all)/2], all[len(all)/2 : len(all)*9/10], all[len(all)*9/10:]} {
			foretold, bought := level(half)
			require.InDelta(t, bought, foretold, .02+.06*bought)
		}
	}
}

// Lessons in another order teach the same, to the bit.
func TestLearnDoesNotHangOnTheOrderOfLessons(t *testing.T) {
	lessons := simulated(400, 3)
	want, err := Learn(lessons, score.BuiltInOffers())
	require.NoError(t, err)
	for seed := range uint64(5) {
		mixed := slices.Clone(lessons)
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		got, err := Learn(mixed, score.BuiltInOffers())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// Where there is too little to learn from, what was known stands, part by part,
// and who asks is told of each.
func TestLearnOfTooLittle(t *testing.T) {
	before, err := Learn(simulated(400, 4), score.BuiltInOffers())
	require.NoError(t, err)
	m, err := Learn(nil, before)
	require.ErrorIs(t, err, churn.ErrTooFew)
	require.ErrorContains(t, err, "offers of new items")
	require.ErrorContains(t, err, "offers of repeated items")
	require.Equal(t, before, m)

	lessons := simulated(400, 5)
	for i := range lessons {
		lessons[i].Examples = slices.DeleteFunc(lessons[i].Examples, func(e Example) bool { return e.Again })
	}
	m, err = Learn(lessons, before)
	require.ErrorContains(t, err, "offers of repeated items")
	require.NotContains(t, err.Error(), "new items")
	require.Same(t, before.Again, m.Again)
	require.NotEqual(t, before.New, m.New)
}

// The shares of the voices are those under which what was bought is likeliest, what
// is built in counting as so many lists: no other shares do better.
func TestMixtureClimbsTheLikelihood(t *testing.T) {
	lessons := simulated(300, 7)
	lessons = slices.DeleteFunc(lessons, func(l Lesson) bool { return l.Sums[score.VoiceSession] == 0 })
	likelihood := func(shares *[score.NumVoices]float64) float64 {
		sum := 0.
		for v, w := range score.BuiltInOffers().Mix {
			sum += believedLists * w * math.Log(shares[v])
		}
		for i := range lessons {
			l := &lessons[i]
			n := 0.
			for j := range l.Examples {
				if e := &l.Examples[j]; e.Bought && !e.Again {
					n++
				}
			}
			for j := range l.Examples {
				if e := &l.Examples[j]; e.Bought && !e.Again {
					p := 0.
					for v, w := range shares {
						p += w * float64(e.Voices[v])
					}
					sum += math.Log(p) / n
				}
			}
		}
		return sum
	}
	best := mixture(lessons)
	top := likelihood(&best)
	rng := rand.New(rand.NewPCG(1, 8))
	for range 200 {
		other, sum := best, 0.
		for v := range other {
			other[v] *= math.Exp(.3 * rng.NormFloat64())
			sum += other[v]
		}
		for v := range other {
			other[v] /= sum
		}
		require.Less(t, likelihood(&other), top+1e-3)
	}
	sum := 0.
	for _, w := range best {
		sum += w
	}
	require.InDelta(t, 1, sum, 1e-12)
	built := mixture(nil)
	require.InDeltaSlice(t, score.BuiltInOffers().Mix[:], built[:], 1e-12)
}

// The gradient and the second derivative are those of the penalised
// log-likelihood, of which the weights are the top; what no list speaks of stays
// as it was believed to be.
func TestListwiseClimbsTheLikelihood(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	const columns = 4
	var lists []list
	for range 30 {
		var l list
		for range 3 + rng.IntN(6) {
			x := make([]float64, columns)
			for c := range x {
				x[c] = rng.NormFloat64()
			}
			x[3] = 1 // the same for all
			l.x, l.weight, l.bought = append(l.x, x), append(l.weight, float64(1+rng.IntN(4))), append(l.bought, false)
		}
		for i := range 1 + rng.IntN(2) {
			l.bought[i] = true
			l.n++
		}
		lists = append(lists, l)
	}
	const penalty = 2.
	believed := []float64{.5, -1, 0, .25}
	likelihood := func(w []float64) float64 {
		sum := 0.
		for _, l := range lists {
			all := 0.
			for j, x := range l.x {
				all += l.weight[j] * math.Exp(dot(w, x))
			}
			for j, x := range l.x {
				if l.bought[j] {
					sum += (dot(w, x) - math.Log(all)) / l.n
				}
			}
		}
		for c := range w {
			sum -= penalty / 2 * (w[c] - believed[c]) * (w[c] - believed[c])
		}
		return sum
	}
	const h = 1e-4
	nudged := func(w []float64, steps ...int) []float64 {
		w = slices.Clone(w)
		for _, s := range steps { // a column from 1, below 0: downwards
			if s > 0 {
				w[s-1] += h
			} else {
				w[-s-1] -= h
			}
		}
		return w
	}
	for range 5 {
		w := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		g, hessian := slope(lists, w, believed, penalty)
		for a := range columns {
			numeric := (likelihood(nudged(w, a+1)) - likelihood(nudged(w, -a-1))) / (2 * h)
			require.InDelta(t, numeric, g.AtVec(a), 1e-5)
			for b := range columns {
				numeric := (likelihood(nudged(w, a+1, b+1)) - likelihood(nudged(w, a+1, -b-1)) -
					likelihood(nudged(w, -a-1, b+1)) + likelihood(nudged(w, -a-1, -b-1))) / (4 * h * h)
				require.InDelta(t, -numeric, hessian.At(a, b), 1e-4)
			}
		}
	}
	top := listwise(lists, believed, penalty)
	g, _ := slope(lists, top, believed, penalty)
	for a := range columns {
		require.InDelta(t, 0, g.AtVec(a), 1e-8)
	}
	require.InDelta(t, believed[3], top[3], 1e-12, "lists say nothing of what is the same for all")
	require.InDeltaSlice(t, believed, listwise(nil, believed, penalty), 1e-12, "nothing was learned")
}
