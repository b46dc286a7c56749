package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

const dayMS = 24 * 3_600_000

// buyers makes the orders, refunds and erasures of customers who buy at a pace
// of their own until they stop, from the beginning of a year on, by time.
func buyers(rng *rand.Rand, customers, days int) []event.Event {
	began := time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC).UnixMilli()
	var evs []event.Event
	for c := range customers {
		id := fmt.Sprintf("c%d", c)
		pace := 8 * math.Exp(rng.NormFloat64()*0.7+1)
		spend := 10 + 30*(rng.ExpFloat64()+rng.ExpFloat64())
		at := float64(days) * rng.Float64() * 0.6
		for n := 0; at < float64(days); n++ {
			e := event.Event{
				ID: fmt.Sprintf("%s-%d", id, n), CustomerID: id, Time: began + int64(at*dayMS), Type: event.OrderCompleted,
				OrderID: fmt.Sprintf("%s-%d", id, n), HasAmount: true,
				Amount: event.Micro(spend * (0.5 + rng.ExpFloat64()) * float64(event.One)),
			}
			evs = append(evs, e)
			view := event.Event{ID: e.ID + "v", CustomerID: id, Type: event.ProductViewed, Time: e.Time - dayMS/4, Items: []event.Item{{ID: "i"}}}
			if rng.IntN(3) == 0 {
				evs = append(evs, view)
			}
			if rng.IntN(25) == 0 {
				evs = append(evs, event.Event{ID: e.ID + "r", CustomerID: id, Type: event.OrderCancelled, Time: e.Time + dayMS/2, OrderID: e.OrderID})
			}
			if rng.IntN(60) == 0 {
				evs = append(evs, event.Event{ID: e.ID + "x", CustomerID: id, Type: event.ErasureRequested, Time: e.Time + dayMS})
			}
			at += pace * (rng.ExpFloat64() + rng.ExpFloat64()) / 2
			if rng.IntN(8) == 0 {
				break
			}
		}
	}
	sortByTime(evs)
	return evs
}

func sortByTime(evs []event.Event) {
	slices.SortStableFunc(evs, func(a, b event.Event) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID)) })
}

// delayed is another order of arrival, within the allowed lateness.
func delayed(rng *rand.Rand, evs []event.Event, lateness time.Duration) []event.Event {
	type arrival struct {
		ev event.Event
		at int64
	}
	var all []arrival
	for _, e := range evs {
		all = append(all, arrival{e, e.Time + rng.Int64N(lateness.Milliseconds())})
		if rng.IntN(20) == 0 { // delivered twice
			all = append(all, arrival{e, e.Time + rng.Int64N(lateness.Milliseconds())})
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	out := make([]event.Event, len(all))
	for i := range all {
		out[i] = all[i].ev
	}
	return out
}

func learningConfig(t testing.TB) Config {
	cfg := testConfig()
	cfg.Score.HorizonDays = 30
	cfg.Score.Learn = score.LearnConfig{Sample: 500, Every: 7 * 24 * time.Hour, MinLabels: 100}
	cfg.Sweep = 16
	cfg.NextBest.Judged = 0 // what a process has judged dies with it
	fixCuts(t, &cfg)
	return cfg
}

// sameNumbers compares two values field by field, numbers to a relative
// tolerance.
func sameNumbers(t *testing.T, want, got reflect.Value, path string) {
	t.Helper()
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			sameNumbers(t, want.Field(i), got.Field(i), path+"."+want.Type().Field(i).Name)
		}
	case reflect.Pointer:
		require.Equal(t, want.IsNil(), got.IsNil(), path)
		if !want.IsNil() {
			sameNumbers(t, want.Elem(), got.Elem(), path)
		}
	case reflect.Slice, reflect.Array:
		require.Equal(t, want.Len(), got.Len(), path)
		for i := range want.Len() {
			sameNumbers(t, want.Index(i), got.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Float64:
		a, b := want.Float(), got.Float()
		require.LessOrEqual(t, math.Abs(a-b), 1e-6*max(math.Abs(a), math.Abs(b), 1e-3), "%s: %v, want %v", path, b, a)
	default:
		require.True(t, want.Equal(got), "%s: %v, want %v", path, got, want)
	}
}

// sameModels compares all but what hangs on the fits before: how many there
// were, and what is known of how they did.
func sameModels(t *testing.T, want, got *score.Learned) {
	t.Helper()
	a, b := *want, *got
	for _, l := range []*score.Learned{&a, &b} {
		l.Version, l.Judged, l.Past = 0, nil, nil
	}
	sameNumbers(t, reflect.ValueOf(a), reflect.ValueOf(b), "models")
}

// nothingFromBefore says that no fit was refused of which then an earlier one
// stands. (Without a churn model the rhythm answers alone, whatever was before.)
func nothingFromBefore(t *testing.T, l *score.Learned) {
	t.Helper()
	for _, refused := range l.Refused {
		require.Contains(t, refused, "churn:")
	}
}

// Models are learned while everything that can die dies: the facts are those of
// a replay, each customer's changes are numbered without gap, and so are the
// models; those that it ends with are an undisturbed process's, and what every
// partition and the models topic hold. What was said on the way is not compared:
// it hangs on when a fit was through.
func TestLearningSurvivesKills(t *testing.T) {
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	most := 0
	for seed := range uint64(seeds) {
		evs := delayed(rand.New(rand.NewPCG(seed, 1)), buyers(rand.New(rand.NewPCG(seed, 0)), 260, 130), 20*time.Hour)
		cfg := learningConfig(t)
		if seed%2 == 0 {
			cfg.Score.Learn.Sample = 205 // of more buyers, some of whom are erased
		}
		w := newWorld(seed, evs, 3, 15)
		w.most = 30
		store := w.live(t, cfg)
		plain := cfg
		plain.Score.Learn.Sample = 0
		checkOutputs(t, w, checkFacts(t, plain, evs, store, seed))

		calm := newWorld(seed, evs, 3, 0)
		calm.most = w.most
		require.NoError(t, calm.live(t, cfg).Close())
		nothingFromBefore(t, calm.learned)
		sameModels(t, calm.learned, w.learned)

		published := 1
		for _, o := range w.outs {
			if o.To == Models {
				l, err := plainEncoder{}.ParseModels(o.Value)
				require.NoError(t, err)
				published++
				require.Equal(t, published, l.Version)
			}
		}
		most = max(most, published)
		require.Equal(t, published, w.learned.Version)
		nothingStale(t, cfg, store, w.learned)
		t.Logf("seed %d: %d models, undisturbed %d", seed, w.learned.Version, calm.learned.Version)
		require.NoError(t, store.Close())
	}
	if !testing.Short() {
		require.Greater(t, most, 2, "models followed models")
	}
}

// nothingStale says that what is kept of every customer is what the models would
// keep now.
func nothingStale(t *testing.T, cfg Config, store *state.Store, learned *score.Learned) {
	t.Helper()
	core := newTestCore(cfg, store, future())
	models := score.MustModels(&cfg.Score, learned)
	rules := core.rules()
	maker := score.NewScorer(cfg.Score, rules, nil)
	parts, err := store.Partitions()
	require.NoError(t, err)
	seen := 0
	for _, p := range parts {
		pos, _, err := core.position(p)
		require.NoError(t, err)
		require.NoError(t, core.each(p, &rules, func(id []byte, led *ledger.Ledger, em *score.Emission) error {
			if !em.Buyer {
				return nil
			}
			seen++
			var doc score.Scores
			var next score.Emission
			now := max(pos.Clock, em.AsOf)
			deltas := maker.Update(string(id), led, models, now, em, &next, &doc, nil)
			require.Empty(t, deltas, "customer %s is stale", id)
			require.Equal(t, next.Timer, em.Timer, "customer %s", id)
			require.Equal(t, next.Next, em.Next, "customer %s", id)
			return nil
		}))
	}
	require.Positive(t, seen)
}

// The same events in other orders within the lateness, cut into other
// transactions and spread over other partitions, leave the same models and the
// same documents.
func TestModelsDoNotHangOnArrival(t *testing.T) {
	evs := buyers(rand.New(rand.NewPCG(3, 0)), 260, 150)
	cfg := learningConfig(t)
	var models, past *score.Learned
	var docs []string
	for seed := range uint64(4) {
		arrived := evs
		if seed > 0 {
			arrived = delayed(rand.New(rand.NewPCG(seed, 1)), evs, 23*time.Hour)
		}
		w := newWorld(seed, arrived, 1+2*int(seed%2), 0)
		w.most = 20 + 30*int(seed)
		store := w.live(t, cfg)
		core := newTestCore(cfg, store, w)
		parts, err := store.Partitions()
		require.NoError(t, err)
		require.NoError(t, core.Sync(parts))
		asOf := w.learned.At
		at, err := core.ModelsAt(t.Context(), asOf)
		require.NoError(t, err)
		var got []string
		require.NoError(t, core.EachCustomer(t.Context(), asOf, func(doc *score.Scores) error {
			b, err := json.Marshal(doc)
			got = append(got, string(b))
			return err
		}))
		slices.Sort(got)
		if seed == 0 {
			models, past, docs = w.learned, at, got
		}
		nothingFromBefore(t, w.learned)
		sameModels(t, models, w.learned)
		require.Equal(t, past, at)
		require.Equal(t, docs, got)
		sameFit(t, &at.Fitted, &w.learned.Fitted)
		core.closeAll()
		require.NoError(t, store.Close())
	}
}

// sameFit compares what a cold start and a warm one have come to.
func sameFit(t *testing.T, want, got *score.Fitted) {
	t.Helper()
	sameNumbers(t, reflect.ValueOf(*want), reflect.ValueOf(*got), "fitted")
}

// Examine tells the same of every customer as EachCustomer.
func TestExamineIsEachCustomer(t *testing.T) {
	evs := buyers(rand.New(rand.NewPCG(5, 0)), 60, 100)
	cfg := learningConfig(t)
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	core := newTestCore(cfg, store, future())
	core.leastBuyers = 20
	_, err := (&Replay{Core: core}).Run(t.Context(), yield(evs), 0)
	require.NoError(t, err)
	asOf := evs[len(evs)/2].Time
	var want, got []string
	require.NoError(t, core.EachCustomer(t.Context(), asOf, func(doc *score.Scores) error {
		b, err := json.Marshal(doc)
		want = append(want, string(b))
		return err
	}))
	buyers := 0
	require.NoError(t, core.Examine(t.Context(), asOf, func(x *Examined) error {
		b, err := json.Marshal(x.Doc)
		got = append(got, string(b))
		require.Equal(t, x.Doc.Churn != nil, x.Buyer)
		require.LessOrEqual(t, x.Facts.Last, asOf)
		if x.Buyer {
			buyers++
			require.Greater(t, x.Rivals.MBGNBD, 0.0)
		}
		return err
	}))
	require.Positive(t, buyers)
	require.Equal(t, want, got)
}

// A replay that learns nothing on the way tells the same of an instant as one
// that does.
func TestReplayWithoutFits(t *testing.T) {
	evs := buyers(rand.New(rand.NewPCG(6, 0)), 60, 100)
	cfg := learningConfig(t)
	asOf := evs[len(evs)-1].Time
	var models [2]*score.Learned
	var docs [2][]string
	for i, noFits := range []bool{false, true} {
		store := openStore(t, vfs.NewMem(), 1<<20)
		core := newTestCore(cfg, store, future())
		core.leastBuyers = 20
		_, err := (&Replay{Core: core, NoFits: noFits}).Run(t.Context(), yield(evs), 0)
		require.NoError(t, err)
		now, err := core.Models(t.Context())
		require.NoError(t, err)
		require.Equal(t, noFits, now.At == 0)
		models[i], err = core.ModelsAt(t.Context(), asOf)
		require.NoError(t, err)
		require.NoError(t, core.Examine(t.Context(), asOf, func(x *Examined) error {
			b, err := json.Marshal(x.Doc)
			docs[i] = append(docs[i], string(b))
			return err
		}))
		require.NoError(t, store.Close())
	}
	require.Equal(t, models[0], models[1])
	require.NotEmpty(t, docs[0])
	require.Equal(t, docs[0], docs[1])
}
