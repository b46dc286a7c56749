package oracle

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/state"
)

// What a store holds is compared as the topics are.
func TestLocal(t *testing.T) {
	for name, tc := range map[string]struct {
		plant func(t *testing.T, w *topics, b *state.Batch)
		want  Counts
	}{
		"nothing": {func(*testing.T, *topics, *state.Batch) {}, Counts{}},
		"a customer is missing": {func(t *testing.T, w *topics, b *state.Batch) {
			require.NoError(t, b.Put(0, []byte("c"+w.busy(t)), nil, 0))
		}, Counts{Lost: 1}},
		"a customer is of an earlier version": {func(t *testing.T, w *topics, b *state.Batch) {
			key := []byte("c" + w.busy(t))
			for _, r := range w.state {
				if bytes.Equal(r.Key, key) {
					val, due := logValue(r.Value)
					require.NoError(t, b.Put(0, key, val, due))
					return
				}
			}
		}, Counts{Torn: 1}},
		"a timer is lost": {func(t *testing.T, w *topics, b *state.Batch) {
			key := []byte("c" + w.busy(t))
			val, _, ok, err := w.store.Get(0, key, nil)
			require.True(t, ok)
			require.NoError(t, err)
			require.NoError(t, b.Put(0, key, val, 0))
		}, Counts{Wrong: 1}},
		"somebody is in it who should not be": {func(t *testing.T, w *topics, b *state.Batch) {
			val, due, ok, err := w.store.Get(0, []byte("c"+w.busy(t)), nil)
			require.True(t, ok)
			require.NoError(t, err)
			require.NoError(t, b.Put(0, []byte("cnobody"), val, due))
		}, Counts{Wrong: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := honest(t, 3_000)
			b := w.store.NewBatch()
			tc.plant(t, w, b)
			require.NoError(t, b.Commit())
			c := NewChecker(w.want(t))
			require.NoError(t, c.Local("the store", 0, w.store))
			require.Equal(t, tc.want, c.counts, "%v", c.findings)
		})
	}
}
