package basket

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

// A dictionary that is saved and loaded, in whatever order and however often, names
// the same.
func TestLoadedDictionaryIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDictionary()
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			ev := event.Event{Type: event.ItemUpdated, Time: rapid.Int64Range(0, 99).Draw(t, "at")}
			ev.Items = []event.Item{{
				ID:       rapid.StringN(0, 9, 90).Draw(t, "id"),
				Category: rapid.SampledFrom([]string{"", "wine", "beer"}).Draw(t, "category"), Price: event.Micro(rapid.Int64().Draw(t, "price")),
			}}
			ev.State = event.ItemState{HasHidden: true, Hidden: rapid.Bool().Draw(t, "hidden"), HasConsent: true, Consent: rapid.SampledFrom([]string{"", "age"}).Draw(t, "consent")}
			d.Update(&ev, 0)
		}
		most := rapid.SampledFrom([]int{0, 100, 1000}).Draw(t, "most")
		var chunks [][]byte
		require.NoError(t, d.Save(most, func(chunk []byte) error {
			if most > 0 {
				require.LessOrEqual(t, len(chunk), max(most, 140))
			}
			chunks = append(chunks, slices.Clone(chunk))
			return nil
		}))
		got, mixed := NewDictionary(), NewDictionary()
		for _, chunk := range chunks {
			require.NoError(t, got.Load(chunk))
		}
		require.Equal(t, d.items, got.items)
		require.Equal(t, d.categories, got.categories)
		for _, chunk := range rapid.Permutation(append(chunks, chunks...)).Draw(t, "order") {
			require.NoError(t, mixed.Load(chunk))
		}
		require.Equal(t, d.Len(), mixed.Len())
		d.Each(func(it *Item) { require.Equal(t, it, mixed.Get(event.Hash(it.ID))) })
	})
}

func TestDamagedDictionary(t *testing.T) {
	d := NewDictionary()
	for _, id := range []string{"A", "B", "C"} {
		d.Observe(&event.Item{ID: id, Category: "wine"}, 9)
	}
	full, n := errors.New("full"), 0
	require.Equal(t, full, d.Save(0, func([]byte) error { n++; return full }))
	require.Equal(t, 1, n)
	require.NoError(t, d.Save(1000, func(chunk []byte) error {
		for i := range chunk {
			if err := NewDictionary().Load(chunk[:i]); i == 0 || i%((len(chunk)-1)/3) != 1 {
				require.ErrorIs(t, err, ErrItem)
			}
		}
		return nil
	}))
	require.EqualError(t, d.Load([]byte{9}), "stored item: version 9 of a chunk of entries is unknown to this binary, which reads 1")
	require.EqualError(t, d.Load([]byte{1, 1, 9}), "stored item: version 9 is unknown to this binary, which reads 2")
}

func FuzzLoadDictionary(f *testing.F) {
	d := NewDictionary()
	d.Observe(&event.Item{ID: "A", Category: "wine"}, 9)
	d.Observe(&event.Item{ID: "B", Price: 5}, 9)
	if err := d.Save(1000, func(chunk []byte) error { f.Add(slices.Clone(chunk)); return nil }); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, again := NewDictionary(), NewDictionary()
		if err := d.Load(b); err != nil {
			require.ErrorIs(t, err, ErrItem)
		}
		require.NoError(t, d.Save(50, again.Load))
		require.Equal(t, d.items, again.items)
	})
}
