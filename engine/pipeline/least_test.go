package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// endLeast is End of a session without transactions: outputs, membership, changelog,
// offsets, one after the other, and anything may happen in between.
func (s *session) endLeast(commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	w := s.w
	rewound := func() (bool, map[int32]int64, error) {
		s.done = false
		for p, first := range s.first {
			s.start[p] = max(first, w.group[p])
		}
		return false, nil, nil
	}
	if !commit || w.fault("abort") {
		return rewound()
	}
	switch {
	case w.fault("kill among the outputs"):
		s.tell(true)
		panic(killed{"among the outputs"})
	case w.fault("an output refused"):
		s.tell(true)
		return false, nil, errors.New("connection lost")
	}
	s.tell(false)
	w.kill("before the changelog")
	if w.fault("expelled") {
		return rewound()
	}
	switch {
	case w.fault("kill in the changelog"):
		s.log(true)
		panic(killed{"in the changelog"})
	case w.fault("a changelog record refused"):
		s.log(true)
		return false, nil, errors.New("connection lost")
	}
	positions := s.log(false)
	w.kill("before the offsets")
	if w.fault("a late writer") {
		s.late()
		return false, nil, errors.New("something else has written")
	}
	if w.fault("offsets refused") {
		return false, nil, errors.New("the group has gone on")
	}
	for p, n := range next {
		w.group[p] = n
	}
	w.kill("after the commit, before the store")
	return true, positions, nil
}

// tell writes what is not for the changelog; where it is cut short, of each topic the
// beginning.
func (s *session) tell(cut bool) {
	var most [Population + 1]int
	for _, o := range s.outs {
		most[o.To]++
	}
	for i, n := range most {
		if cut {
			most[i] = s.w.rng.IntN(n + 1)
		}
	}
	for _, o := range s.outs {
		if most[o.To]--; o.To == Changelog || most[o.To] < 0 {
			continue
		}
		if o.To == Pairs {
			s.w.said.add(o)
			continue
		}
		s.w.outs = append(s.w.outs, o)
	}
}

// log writes the changelog; where it is cut short, of each partition the beginning.
func (s *session) log(cut bool) map[int32]int64 {
	w, positions, logs := s.w, map[int32]int64{}, map[int32][]LogRecord{}
	for _, o := range s.outs {
		if o.To == Changelog {
			at := w.logEnd(o.Partition) + int64(len(logs[o.Partition]))
			logs[o.Partition] = append(logs[o.Partition], LogRecord{Offset: at, Key: o.Key, Value: o.Value})
			positions[o.Partition] = at + 1
		}
	}
	for p := range int32(len(w.log)) {
		recs := logs[p]
		if cut {
			recs = recs[:w.rng.IntN(len(recs)+1)]
		}
		if len(recs) > 0 {
			w.log[p] = append(w.log[p], txn{recs, w.logEnd(p) + int64(len(recs))})
		}
	}
	return positions
}

// late has somebody write an old value behind everybody's back.
func (s *session) late() {
	w := s.w
	p := int32(w.rng.IntN(len(w.log)))
	if len(w.log[p]) == 0 {
		return
	}
	old := w.log[p][w.rng.IntN(len(w.log[p]))].recs[0]
	old.Offset, old.Stale = w.logEnd(p), true
	w.log[p] = append(w.log[p], txn{[]LogRecord{old}, old.Offset + 1})
}

// noStale wants every key that was written late to be written again, wherever the
// partition has committed since, so that a compaction keeps the right value.
func (w *world) noStale(t *testing.T, seed uint64) {
	t.Helper()
	for p, log := range w.log {
		late := map[string]bool{}
		commits := 0
		for _, tx := range log {
			for _, r := range tx.recs {
				switch {
				case r.Stale && !IsCommit(r.Key):
					late[string(r.Key)], commits = true, 0
				case IsCommit(r.Key):
					commits++
				default:
					delete(late, string(r.Key))
				}
			}
		}
		require.True(t, len(late) == 0 || commits == 0, "seed %d: partition %d: %d keys", seed, p, len(late))
	}
}

// Without transactions nothing is lost, whatever dies at whatever moment: the facts
// are those of an uninterrupted replay, for events are recognised by what they are.
// What was said of each customer is what an undisturbed process says, in its order and
// without a gap; a crash has the latest of it said again, under the same numbers and in
// the same words. The last word on each customer is its ledger's version.
func TestAtLeastOnce(t *testing.T) {
	seeds := 30
	if testing.Short() {
		seeds = 10
	}
	fired, again := map[string]int{}, 0
	for seed := range uint64(seeds) {
		evs := events(rand.New(rand.NewPCG(seed, 0)), 400, 12)
		cfg := testConfig()
		cfg.Score.Learn.Sample = 0
		fixCuts(t, &cfg)
		w := newWorld(seed, evs, 3, 30)
		w.least = true
		if seed%2 == 1 {
			cfg.Clock = LiveClock
			w.until = today + 100*24*3_600_000
		}
		store := w.live(t, cfg)
		for k, n := range w.fired {
			fired[k] += n
		}
		versions := checkFacts(t, cfg, evs, store, seed)
		timersHaveFired(t, store, w.until)
		require.NoError(t, store.Close())

		calm := newWorld(seed, evs, 3, 0)
		calm.until = w.until
		require.NoError(t, calm.live(t, cfg).Close())
		once := said(t, calm)
		heard := said(t, w)
		require.Len(t, heard, len(once))
		for id, all := range heard {
			var told []string // without what was said again
			for _, v := range all {
				n := 0
				_, err := fmt.Sscan(v, &n)
				require.NoError(t, err)
				require.LessOrEqual(t, n, len(told)+1, "seed %d: %s: a gap", seed, id)
				if n <= len(told) {
					require.Equal(t, told[n-1], v, "seed %d: %s: other words", seed, id)
					again++
					continue
				}
				told = append(told, v)
			}
			require.Equal(t, once[id], told, "seed %d: %s", seed, id)
		}
		checkLeast(t, w, versions)
		w.noStale(t, seed)
	}
	require.NotZero(t, again)
	for _, step := range []string{
		"abort", "kill among the outputs", "an output refused", "kill before the changelog", "expelled", "kill in the changelog",
		"a changelog record refused", "a late writer", "kill before the offsets", "offsets refused", "kill after the commit, before the store",
		"kill in a restore", "kill after a restore", "group offset set back", "records polled again",
	} {
		require.NotZero(t, fired[step], "%q never happened", step)
	}
}

// checkLeast wants the last word on each customer on both topics, and each bad record
// among the dead letters.
func checkLeast(t *testing.T, w *world, versions map[string]uint64) {
	t.Helper()
	last, docs, letters := map[string]uint64{}, map[string]uint64{}, map[string]bool{}
	for _, o := range w.outs {
		var v uint64
		switch o.To {
		case Changes:
			_, err := fmt.Sscan(string(o.Value), &v)
			require.NoError(t, err)
			last[string(o.Key)] = v
		case Scores:
			if delete(docs, string(o.Key)); o.Value != nil {
				_, err := fmt.Sscan(string(o.Value), &v)
				require.NoError(t, err)
				docs[string(o.Key)] = v
			}
		case DeadLetters:
			i := slices.IndexFunc(o.Headers, func(h Header) bool { return h.Key == "partition" })
			letters[fmt.Sprintf("%s/%s", o.Headers[i].Value, o.Headers[i+1].Value)] = true
		}
	}
	require.Equal(t, versions, last)
	for id, v := range docs {
		require.Equal(t, versions[id], v, "document of %s", id)
	}
	for p, in := range w.input {
		for _, r := range in {
			require.Equal(t, len(r.Value) == 0, letters[fmt.Sprintf("%d/%d", p, r.Offset)], "dead letter of %d/%d", p, r.Offset)
		}
	}
}
