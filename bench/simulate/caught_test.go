//go:build synctests

package simulate

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// plants are the faults in the program that the checks must find: how each is planted,
// what happens more often than else so that it matters, and which checks may be the
// first to see it.
var plants = []struct {
	name   string
	plant  func(w *planted)
	checks []string
}{
	{"the state is written before the commit", func(f *planted) {
		f.rates = map[string]int{"kill before EndTxn": 1500, "cut before EndTxn": 1000}
		f.onSession = func(l *life, s pipeline.Session, _ *kgo.Client) pipeline.Session {
			return &early{Session: s, life: l}
		}
	}, []string{saidVersions, saidTheSame, lettersOnce, scoresLatest, changelogIs}},
	{"offsets are committed beside the transaction", func(f *planted) {
		f.rates = map[string]int{"kill before EndTxn": 1500}
		f.onSession = func(_ *life, s pipeline.Session, group *kgo.Client) pipeline.Session { return &apart{s, group} }
	}, []string{gaveUp, saidTheSame, offsetsAre}},
	{"a session goes on after an error of its end", func(f *planted) {
		f.rates = map[string]int{"answer to the end lost": 2000}
		f.onSession = func(_ *life, s pipeline.Session, _ *kgo.Client) pipeline.Session { return &stubborn{s} }
	}, []string{saidVersions, saidTheSame, lettersOnce, changelogIs, cameToNoEnd}},
	{"a restore goes to an old last stable offset", func(f *planted) {
		f.scenario = func(s *scenario) { s.instances = 3 }
		f.rates = map[string]int{"kill before poll": 300, "frozen before poll": 200}
		f.onKeeper = toOldEnd
	}, []string{gaveUp, saidVersions, saidTheSame, changelogIs}},
	{"timers are not restored", func(f *planted) {
		f.rates = map[string]int{"kill before poll": 300, "state deleted": 5000}
		f.onKeeper = withoutTimers
	}, []string{saidTheSame, changelogIs}},
	{"a restore ends in the middle of a transaction", func(f *planted) {
		f.rates = map[string]int{"kill before poll": 300, "state deleted": 5000}
		f.onKeeper = byHalves
	}, []string{gaveUp, saidVersions, saidTheSame, changelogIs, factsReplayed}},
	{"a restore takes what was aborted", func(f *planted) {
		f.rates = map[string]int{"kill before EndTxn": 1500, "state deleted": 5000}
		f.onKeeper = uncommitted
	}, []string{saidVersions, saidTheSame, lettersOnce, changelogIs, factsReplayed}},
	{"dead letters are outside the transaction", func(f *planted) {
		f.rates = map[string]int{"kill before EndTxn": 1500, "cut before EndTxn": 1000}
		f.onSession = func(l *life, s pipeline.Session, _ *kgo.Client) pipeline.Session {
			return &aside{s, l.inst.w, pipeline.DeadLetters}
		}
	}, []string{lettersOnce}},
	{"the shared log is outside the transaction", func(f *planted) {
		f.rates = map[string]int{"kill before EndTxn": 1500, "cut before EndTxn": 1000}
		f.onSession = func(l *life, s pipeline.Session, _ *kgo.Client) pipeline.Session {
			return &aside{s, l.inst.w, pipeline.Pairs}
		}
	}, []string{countsAre, populationIs, gaveUp}},
	{"a snapshot has read more than it says", func(f *planted) {
		f.rates = map[string]int{"kill after a snapshot save": 4000}
		f.onSharedLog = func(_ *life, s pipeline.SharedLog) pipeline.SharedLog { return &forgetful{s} }
	}, []string{countsAre, populationIs}},
	{"a delivery twice counts twice", func(f *planted) {
		n := new(atomic.Int64)
		f.onDecoder = func(d pipeline.Decoder) pipeline.Decoder { return gullible{d, n} }
	}, []string{saidTheSame, factsReplayed}},
	{"records do not come again after an abort", func(f *planted) {
		f.scenario = func(s *scenario) { s.instances = 3 }
		f.onSession = func(_ *life, s pipeline.Session, _ *kgo.Client) pipeline.Session {
			return &forward{s, map[int32]int64{}}
		}
	}, []string{cameToNoEnd, saidTheSame, factsReplayed, lettersOnce}},
	{"records below the state's position count again", func(f *planted) {
		f.troubles = []string{"group offsets lost", "killed from outside"}
		both := map[*life]*starts{}
		f.onKeeper = func(l *life, k pipeline.Keeper) pipeline.Keeper {
			f.mu.Lock()
			defer f.mu.Unlock()
			both[l] = &starts{l, map[int32]int64{}}
			return &credulous{k, both[l]}
		}
		f.onSession = func(l *life, s pipeline.Session, _ *kgo.Client) pipeline.Session {
			f.mu.Lock()
			defer f.mu.Unlock()
			return &recounting{s, both[l]}
		}
	}, []string{lettersOnce, saidTheSame, factsReplayed, cameToNoEnd}},
}

// plantSeeds is within how many seeds a planted fault must be found.
const plantSeeds = 25

// Each fault that is planted is found, by a check that is to see it, in a world in
// which the program without it is found faultless.
func TestPlantedFaultsAreCaught(t *testing.T) {
	for _, p := range plants {
		t.Run(strings.ReplaceAll(p.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(plantSeeds) {
				f := &planted{}
				p.plant(f)
				o := simulate(t, seed, f, nil)
				if len(o.wrong) == 0 {
					continue
				}
				caught := slices.DeleteFunc(slices.Clone(p.checks), func(c string) bool { return o.wrong[c] == "" })
				if len(caught) == 0 {
					t.Fatalf("seed %d: found by none of %v, but: %v", seed, p.checks, o.wrong)
				}
				sound := &planted{rates: f.rates, troubles: f.troubles, scenario: f.scenario}
				report(t, seed, simulate(t, seed, sound, nil))
				t.Logf("seed %d: %s: %.200s", seed, strings.Join(caught, ", "), o.wrong[caught[0]])
				return
			}
			t.Errorf("not found in %d seeds", plantSeeds)
		})
	}
}
