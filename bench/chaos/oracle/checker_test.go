package oracle

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// What the engine leaves when nothing happens to it is what the oracle expects,
// to the byte; and there is enough of everything.
func TestAnUndisturbedRunHasNoFaults(t *testing.T) {
	w := honest(t, 30_000)
	want := w.want(t)
	counts, findings := w.check(want)
	require.True(t, counts.Zero(), "%s: %v", counts, findings)
	require.Equal(t, "lost, doubled, reordered, torn, wrong: 0 0 0 0 0", counts.String())
	kinds := map[string]int{}
	for i := range w.changes {
		var c struct{ Cause struct{ Kind, Timer string } }
		require.NoError(t, json.Unmarshal(w.changes[i].Value, &c))
		kinds[c.Cause.Kind]++
	}
	require.Greater(t, kinds["event"], 1000)
	require.Greater(t, kinds["timer"], 1000)
	require.Equal(t, want.Timers(), kinds["timer"])
	require.Len(t, w.letters, want.Letters())
	require.Len(t, w.changes, want.Changes())
	require.Less(t, len(w.scores), len(w.changes), "documents of one transaction are told once")
}

// at is the i-th change of a customer who has many, as an index of w.changes.
func (w *topics) at(t *testing.T, i int) int {
	t.Helper()
	id := w.busy(t)
	for n := range w.changes {
		if string(w.changes[n].Key) == id {
			if i--; i < 0 {
				return n
			}
		}
	}
	t.Fatal("the busy customer has too few changes")
	return 0
}

// busy is a customer with at least six changes, whose latest document was told in
// a transaction of its own.
func (w *topics) busy(t *testing.T) string {
	t.Helper()
	changes, scores := map[string]int{}, map[string]int{}
	for _, r := range w.changes {
		changes[string(r.Key)]++
	}
	for _, r := range w.scores {
		scores[string(r.Key)]++
	}
	for _, r := range w.changes {
		if id := string(r.Key); changes[id] >= 6 && scores[id] >= 4 {
			return id
		}
	}
	t.Fatal("no busy customer")
	return ""
}

// last is the index of a key's latest record.
func last(rs []Record, key string) int {
	for i := len(rs) - 1; i >= 0; i-- {
		if string(rs[i].Key) == key {
			return i
		}
	}
	return -1
}

func without(rs []Record, i int) []Record { return slices.Delete(rs, i, i+1) }

func changed(r Record, old, replacement string) Record {
	v := bytes.Replace(r.Value, []byte(old), []byte(replacement), 1)
	if bytes.Equal(v, r.Value) {
		panic("the record does not hold " + old)
	}
	r.Value = v
	return r
}

func (w *topics) position(t *testing.T, move func(*pipeline.Position)) {
	t.Helper()
	i := last(w.state, string(binary.BigEndian.AppendUint32([]byte{'p'}, 0)))
	pos, err := pipeline.DecodePosition(w.state[i].Value)
	require.NoError(t, err)
	move(&pos)
	w.state[i].Value = pos.Append(nil)
}

// Each planted fault is found, and called by its name.
func TestPlantedFaults(t *testing.T) {
	clean := honest(t, 6_000)
	for name, tc := range map[string]struct {
		plant func(t *testing.T, w *topics)
		want  Counts
	}{
		"a change is missing":          {func(t *testing.T, w *topics) { w.changes = without(w.changes, w.at(t, 2)) }, Counts{Lost: 1}},
		"the latest change is missing": {func(t *testing.T, w *topics) { w.changes = without(w.changes, last(w.changes, w.busy(t))) }, Counts{Lost: 1}},
		"a dead letter is missing":     {func(_ *testing.T, w *topics) { w.letters = without(w.letters, 3) }, Counts{Lost: 1}},
		"the input's end is not reached": {func(t *testing.T, w *topics) {
			w.committed[0]--
			w.position(t, func(p *pipeline.Position) { p.Next-- })
		}, Counts{Lost: 1}},
		"a partition has no commit record": {func(_ *testing.T, w *topics) { w.state = w.state[:len(w.state)-1] }, Counts{Lost: 1}},
		"the last transaction of a customer is missing everywhere": {func(t *testing.T, w *topics) {
			w.forgetLatest(t)
		}, Counts{Lost: 1}},

		"a change is doubled": {func(t *testing.T, w *topics) {
			w.changes = append(w.changes, w.changes[w.at(t, 2)])
		}, Counts{Doubled: 1}},
		"a change is said twice, with other words": {func(t *testing.T, w *topics) {
			w.changes = append(w.changes, changed(w.changes[w.at(t, 2)], `"at":"2026`, `"at":"2027`))
		}, Counts{Doubled: 1}},
		"a dead letter is doubled": {func(_ *testing.T, w *topics) { w.letters = append(w.letters, w.letters[3]) }, Counts{Doubled: 1}},
		"a document is doubled": {func(t *testing.T, w *topics) {
			w.scores = append(w.scores, w.scores[last(w.scores, w.busy(t))])
		}, Counts{Doubled: 1}},

		"two changes are swapped": {func(t *testing.T, w *topics) {
			a, b := w.at(t, 2), w.at(t, 3)
			w.changes[a], w.changes[b] = w.changes[b], w.changes[a]
		}, Counts{Reordered: 1}},
		"a commit record goes back, and on": {func(t *testing.T, w *topics) {
			i := last(w.state, string(binary.BigEndian.AppendUint32([]byte{'p'}, 0)))
			w.state = slices.Insert(w.state, i+1, changed(w.state[i], string(w.state[i].Value), string(pipeline.Position{Next: 7}.Append(nil))), w.state[i])
		}, Counts{Reordered: 1}},
		"a state goes back, and on": {func(t *testing.T, w *topics) {
			id := "c" + w.busy(t)
			latest, first := last(w.state, id), slices.IndexFunc(w.state, func(r Record) bool { return string(r.Key) == id })
			w.state = slices.Insert(w.state, latest+1, w.state[first], w.state[latest])
		}, Counts{Reordered: 1}},

		"the latest document is older than the latest change": {func(t *testing.T, w *topics) {
			w.scores = without(w.scores, last(w.scores, w.busy(t)))
		}, Counts{Torn: 1}},
		"there is a tombstone for a document": {func(t *testing.T, w *topics) {
			w.scores = append(w.scores, Record{Key: []byte(w.busy(t))})
		}, Counts{Torn: 1}},
		"the state is older than the latest change": {func(t *testing.T, w *topics) {
			w.state = without(w.state, w.latestState(t, w.busy(t)))
		}, Counts{Torn: 1}},
		"a customer has changes and no state": {func(t *testing.T, w *topics) {
			id := "c" + w.busy(t)
			w.state = slices.DeleteFunc(w.state, func(r Record) bool { return string(r.Key) == id })
		}, Counts{Torn: 1}},
		"the group's offset is beyond the outputs":     {func(_ *testing.T, w *topics) { w.committed[0] += 3 }, Counts{Torn: 1}},
		"the group's offset is behind the outputs":     {func(_ *testing.T, w *topics) { w.committed[0] -= 3 }, Counts{Torn: 1}},
		"a partition's group offset is not there":      {func(_ *testing.T, w *topics) { delete(w.committed, 0) }, Counts{Torn: 1}},
		"a commit record ends early, with the changes": {func(t *testing.T, w *topics) { w.position(t, func(p *pipeline.Position) { p.Next-- }) }, Counts{Torn: 1, Lost: 1}},

		"a change's instant differs": {func(t *testing.T, w *topics) {
			w.changes[w.at(t, 2)] = changed(w.changes[w.at(t, 2)], `"at":"2026`, `"at":"2027`)
		}, Counts{Wrong: 1}},
		"one byte of a change differs": {func(t *testing.T, w *topics) {
			r := &w.changes[w.at(t, 3)]
			r.Value = bytes.Clone(r.Value)
			r.Value[len(r.Value)-1] ^= 1
		}, Counts{Wrong: 1}},
		"a document differs": {func(t *testing.T, w *topics) {
			i := last(w.scores, w.busy(t))
			w.scores[i] = changed(w.scores[i], `"journey":{`, `"journey": {`)
		}, Counts{Wrong: 1}},
		"a dead letter has another reason": {func(_ *testing.T, w *topics) {
			w.letters[3].Headers = slices.Clone(w.letters[3].Headers)
			w.letters[3].Headers[0].Value = []byte("because")
		}, Counts{Wrong: 1}},
		"a dead letter is of a good record": {func(_ *testing.T, w *topics) {
			extra := w.letters[3]
			extra.Headers = slices.Clone(extra.Headers)
			extra.Headers[3].Value = []byte("999999")
			w.letters = append(w.letters, extra)
		}, Counts{Wrong: 1}},
		"a change is of nobody": {func(t *testing.T, w *topics) {
			extra := w.changes[w.at(t, 2)]
			extra.Key = []byte("nobody")
			w.changes = append(w.changes, extra)
		}, Counts{Wrong: 1}},
		"one version too many": {func(t *testing.T, w *topics) {
			w.changes = append(w.changes, changed(w.changes[last(w.changes, w.busy(t))], `"version":`, `"version":9`))
		}, Counts{Wrong: 1}},
		"one byte of the facts differs": {func(t *testing.T, w *topics) {
			r := &w.state[w.latestState(t, w.busy(t))]
			e, err := pipeline.ReadLogEntry(0, r.Key, r.Value)
			require.NoError(t, err)
			flipped := bytes.Clone(e.Facts)
			flipped[len(flipped)/2] ^= 1
			r.Value = bytes.Replace(r.Value, e.Facts, flipped, 1)
		}, Counts{Wrong: 1}},
		"the clock differs":                {func(t *testing.T, w *topics) { w.position(t, func(p *pipeline.Position) { p.Clock++ }) }, Counts{Wrong: 1}},
		"a changelog record is unreadable": {func(_ *testing.T, w *topics) { w.state = append(w.state, Record{Key: []byte("cx"), Value: []byte{1}}) }, Counts{Wrong: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := clean.clone()
			tc.plant(t, w)
			counts, findings := w.check(clean.want(t))
			require.Equal(t, tc.want, counts, "%s", findings)
			require.NotEmpty(t, findings)
		})
	}
}

// latestState is the index of a customer's latest state, if that is the only one
// of its version.
func (w *topics) latestState(t *testing.T, id string) int {
	t.Helper()
	i := last(w.state, "c"+id)
	require.GreaterOrEqual(t, i, 0)
	return i
}

// forgetLatest takes one customer's latest transaction out of all three topics.
func (w *topics) forgetLatest(t *testing.T) {
	t.Helper()
	for _, r := range w.changes {
		id := string(r.Key)
		if w.whole(id) {
			w.changes = without(w.changes, last(w.changes, id))
			w.scores = without(w.scores, last(w.scores, id))
			w.state = without(w.state, last(w.state, "c"+id))
			return
		}
	}
	t.Fatal("nobody's latest transaction stands alone")
}

// whole says that a customer's latest two states are one version apart, and so
// are the documents.
func (w *topics) whole(id string) bool {
	var states, docs []uint64
	for _, r := range w.state {
		if string(r.Key) == "c"+id {
			e, _ := pipeline.ReadLogEntry(0, r.Key, r.Value)
			states = append(states, e.Emission.Version)
		}
	}
	for _, r := range w.scores {
		if string(r.Key) == id {
			v := versionOf(r.Value)
			docs = append(docs, v)
		}
	}
	s, d := len(states), len(docs)
	return s > 2 && d > 2 && states[s-1] == states[s-2]+1 && docs[d-1] == docs[d-2]+1 && states[s-1] == docs[d-1]
}

// Of many faults the first are told, all are counted.
func TestCountsGoOn(t *testing.T) {
	w := honest(t, 6_000)
	n := len(w.changes)
	w.changes = nil
	counts, findings := w.check(w.want(t))
	require.Equal(t, n, counts[Lost], fmt.Sprint(counts))
	require.Len(t, findings, keptFindings)
}

// Under a configuration by which changes hang on timing there is no oracle.
func TestConfigThatNoOracleKnows(t *testing.T) {
	c := testConfig(t)
	c.Score.RFM.Cuts, c.Score.Offers, c.Score.Learn.Sample = "live", 3, 20_000
	_, err := New(c, NewWant())
	require.ErrorContains(t, err, "rfm.cuts")
	require.ErrorContains(t, err, "offers")
	require.ErrorContains(t, err, "learn.sample")
}

func TestWithoutCategories(t *testing.T) {
	require.Equal(t, `{"items":[{"item_id":"A","quantity":1},{"item_id":"B","price":"1"}]}`,
		string(WithoutCategories(nil, []byte(`{"items":[{"item_id":"A","category":"x y","quantity":1},{"item_id":"B","category":"z","price":"1"}]}`))))
}

// What the counts held just then is left out of the comparison, and nothing else.
func TestTextHash(t *testing.T) {
	a := textHash([]byte(`{"x":1,"evidence":{"models":{"rhythm":1,"basket":17,"rfm":0}}}`))
	require.Equal(t, a, textHash([]byte(`{"x":1,"evidence":{"models":{"rhythm":1,"basket":4,"rfm":0}}}`)))
	require.NotEqual(t, a, textHash([]byte(`{"x":1,"evidence":{"models":{"rhythm":1,"basket":17,"rfm":1}}}`)))
	require.NotEqual(t, a, textHash([]byte(`{"x":2,"evidence":{"models":{"rhythm":1,"basket":17,"rfm":0}}}`)))
	require.Zero(t, textHash(nil))
}
