package pipeline

import (
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// instance is one of several processes of an application in a world.
type instance struct {
	t     *testing.T
	w     *world
	cfg   Config
	parts []int32 // that it has
	disk  *vfs.MemFS
	store *state.Store
	core  *Core
	loop  *Loop
	s     *session
}

// lives does something in which the process may die, and says whether it lives.
func (i *instance) lives(do func()) (lives bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	do()
	return true
}

// start starts the process, as often as it takes.
func (i *instance) start() {
	for {
		i.store = openStore(i.t, i.disk, 1<<20)
		i.core = newTestCore(i.cfg, i.store, i.w)
		require.NoError(i.t, i.core.Join(i.t.Context(), i.w.said.reader()))
		i.loop = &Loop{Core: i.core, Cfg: LoopConfig{CommitInterval: time.Hour, MaxRecords: i.w.most}, Now: i.core.now, Log: slog.New(slog.DiscardHandler)}
		if i.lives(i.open) {
			return
		}
		i.crash()
	}
}

func (i *instance) open() {
	i.s = &session{w: i.w, first: map[int32]int64{}, start: map[int32]int64{}}
	for _, p := range i.parts {
		require.NoError(i.t, i.s.give(i.t.Context(), i.core, p))
	}
}

// crash leaves of the disk what a crash leaves.
func (i *instance) crash() {
	next := i.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: i.w.rng.IntN(101), RNG: i.w.rng})
	i.stop()
	i.disk = next
}

func (i *instance) stop() {
	i.core.closeAll()
	i.core.Close()
	_ = i.store.Close()
}

// do does something, and starts the process again if it dies of it.
func (i *instance) do(what func()) {
	if !i.lives(what) {
		i.crash()
		i.start()
	}
}

// work carries a transaction through.
func (i *instance) work() {
	i.w.wall.Add(500)
	if i.s.done || i.w.rng.IntN(3) == 0 {
		i.core.background.Wait()
	}
	if err := i.loop.transaction(i.t.Context(), i.s); err != nil {
		require.NotErrorIs(i.t, err, ErrFatal)
		i.core.closeAll()
		i.open()
	}
}

// take takes over a partition of another.
func (i *instance) take(p int32, of *instance) {
	of.parts = slices.DeleteFunc(of.parts, func(o int32) bool { return o == p })
	of.s.lose(p)
	require.NoError(i.t, of.core.Sync(of.s.Assigned()))
	i.parts = append(i.parts, p)
	i.do(func() { require.NoError(i.t, i.s.give(i.t.Context(), i.core, p)) })
}

// settled says that the instance has nothing more to do.
func (i *instance) settled() bool {
	return i.s.done && !i.core.timersDue() && i.core.settled() && i.core.restAt.Equal(i.core.busyAt)
}

// many runs instances until all is settled. Partitions move and instances die at
// random.
func many(t *testing.T, w *world, cfg Config, n int) []*instance {
	t.Helper()
	var all []*instance
	for k := range n {
		i := &instance{t: t, w: w, cfg: cfg, disk: vfs.NewCrashableMem()}
		for p := k; p < len(w.input); p += n {
			i.parts = append(i.parts, int32(p))
		}
		i.start()
		all = append(all, i)
	}
	moves := 0
	for step := 0; ; step++ {
		require.Less(t, step, 10_000, "it never settles")
		i := all[w.rng.IntN(n)]
		if to := all[w.rng.IntN(n)]; to != i && len(i.parts) > 0 && (moves == 0 || w.fault("a partition moves")) {
			moves++
			to.take(i.parts[w.rng.IntN(len(i.parts))], i)
		}
		if n > 1 && (step == 10 || w.fault("an instance dies")) {
			i.crash()
			i.start()
		}
		i.do(i.work)
		if !slices.ContainsFunc(all, func(i *instance) bool { return !i.s.done }) {
			w.faults = 0 // let it settle
		}
		if !slices.ContainsFunc(all, func(i *instance) bool { return !i.settled() }) {
			return all
		}
	}
}

// population is that of all instances, without what hangs on the way there: the
// segments from which customers came, and the bands, which are kept for a while when
// a probability goes back over a line.
func population(c *Core) *score.Population {
	p := c.agg.Population(0, c.models.Load().Cuts)
	p.Migrations, p.Bands = nil, nil
	return p
}

// documents are all customers' now, by id, without what hangs on the way there.
func documents(t *testing.T, all []*instance) map[string]any {
	t.Helper()
	docs := map[string]any{}
	for _, i := range all {
		for _, p := range i.core.partitions() {
			require.NoError(t, i.store.Scan(p, []byte{customerKey}, func(key, _ []byte, _ int64) error {
				doc, err := i.core.Customer(t.Context(), string(key[1:]), 0)
				if err != nil {
					return nil //nolint:nilerr // erased
				}
				doc.Version, doc.NextChange, doc.Evidence = 0, score.NextChange{}, score.Evidence{}
				if doc.RFM != nil {
					doc.RFM.PreviousSegment = ""
				}
				if doc.Churn != nil {
					doc.Churn.Band = ""
				}
				b, err := json.Marshal(doc)
				require.NoError(t, err)
				require.NotContains(t, docs, doc.CustomerID)
				var v any
				require.NoError(t, json.Unmarshal(b, &v))
				docs[doc.CustomerID] = v
				return nil
			}))
		}
	}
	return docs
}

// alike compares JSON values: numbers, and amounts in strings, to 1e-6, since fits
// begin at those before.
func alike(t *testing.T, want, got any, path string) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		require.True(t, ok && len(g) == len(w), path)
		for k := range w {
			alike(t, w[k], g[k], path+"."+k)
		}
	case []any:
		g, ok := got.([]any)
		require.True(t, ok && len(g) == len(w), path)
		for i := range w {
			alike(t, w[i], g[i], path)
		}
	case float64:
		require.InDelta(t, w, got, 1e-6*max(1, math.Abs(w)), path)
	case string:
		amount, err := strconv.ParseFloat(w, 64)
		if err != nil {
			require.Equal(t, want, got, path)
			return
		}
		g, err := strconv.ParseFloat(got.(string), 64)
		require.NoError(t, err, path)
		alike(t, amount, g, path)
	default:
		require.Equal(t, want, got, path)
	}
}

// withEmpty adds a partition in which nothing happens.
func withEmpty(w *world) *world {
	w.input, w.log = append(w.input, nil), append(w.log, nil)
	w.said = newTestLog(len(w.input))
	return w
}

// Three instances, between whom partitions move and which die, come to the same
// counts, to the bit, population, models and documents as one that nothing happens
// to.
func TestManyAreAsOne(t *testing.T) {
	labels := 0
	for seed := range uint64(2) {
		evs := delayed(rand.New(rand.NewPCG(seed, 1)), buyers(rand.New(rand.NewPCG(seed, 0)), 260, 130), 20*time.Hour)
		for i := range evs {
			if evs[i].Type == event.OrderCompleted {
				evs[i].Items = things("i"+string(rune('a'+i%7)), "j"+string(rune('a'+i%5)))
			}
		}
		cfg := learningConfig(t)
		cfg.Score.RFM.Cuts = score.DefaultConfig().RFM.Cuts
		cfg.Sweep = 64
		one := withEmpty(newWorld(seed, evs, 6, 0))
		calm := many(t, one, cfg, 1)
		three := withEmpty(newWorld(seed, evs, 6, 25))
		three.most = 30
		wild := many(t, three, cfg, 3)
		learned := calm[0].core.models.Load().Learned()
		t.Logf("seed %d: %v, %d models, churn of %d labels, refused %v", seed, three.fired, learned.Version, learned.Labels, learned.Refused)
		labels += learned.Labels
		want := calm[0].core
		for _, i := range wild {
			require.Equal(t, countsOf(want.counts), countsOf(i.core.counts), "seed %d", seed)
			require.Equal(t, itemsOf(want), itemsOf(i.core))
			require.Equal(t, population(want), population(i.core))
			sameModels(t, want.models.Load().Learned(), i.core.models.Load().Learned())
		}
		got, wanted := documents(t, wild), documents(t, calm)
		require.Len(t, got, len(wanted))
		for id := range wanted {
			alike(t, wanted[id], got[id], id)
		}
		for _, i := range append(calm, wild...) {
			i.stop()
		}
	}
	require.NotZero(t, labels, "no churn model was learned")
}
