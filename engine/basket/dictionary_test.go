package basket

import (
	"encoding/hex"
	"testing"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDictionaryKeepsTheLatestWord(t *testing.T) {
	d := NewDictionary()
	say := func(category string, price int, at int64) bool {
		_, changed := d.Observe(&event.Item{ID: "A", Category: category, Price: event.Micro(price) * event.One}, at)
		return changed
	}
	require.True(t, say("", 0, 10), "new")
	require.False(t, say("", 0, 20), "says nothing")
	require.True(t, say("pizza", 9, 20))
	require.False(t, say("pizza", 9, 30))
	require.False(t, say("pasta", 8, 25), "older than what is known")
	require.True(t, say("", 8, 40))
	require.True(t, say("pasta", 0, 40))
	it, ok := d.Lookup(event.Hash("A"))
	require.True(t, ok)
	require.Equal(t, Item{ID: "A", Category: "pasta", Price: 8 * event.One, Categorised: 40, Priced: 40}, it)
	_, ok = d.Lookup(event.Hash("B"))
	require.False(t, ok)
	require.Equal(t, 1, d.Len())
}

func TestCategory(t *testing.T) {
	d := NewDictionary()
	for id, category := range map[string]string{"A": "pizza", "B": "pizza", "C": "wine", "D": ""} {
		d.Observe(&event.Item{ID: id, Category: category}, 1)
	}
	a, ok := d.Category(event.Hash("A"))
	require.True(t, ok)
	b, _ := d.Category(event.Hash("B"))
	require.Equal(t, a, b)
	c, _ := d.Category(event.Hash("C"))
	require.NotEqual(t, a, c)
	for _, id := range []string{"D", "never seen"} {
		_, ok := d.Category(event.Hash(id))
		require.False(t, ok, id)
	}
}

func TestDictionaryDoesNotCareAboutTheOrderOfArrival(t *testing.T) {
	type word struct {
		it event.Item
		at int64
	}
	words := rapid.Custom(func(t *rapid.T) word {
		return word{event.Item{
			ID:       rapid.SampledFrom([]string{"A", "B"}).Draw(t, "id"),
			Category: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "category"),
			Price:    event.Micro(rapid.Int64Range(0, 2).Draw(t, "price")),
		}, rapid.Int64Range(1, 4).Draw(t, "at")}
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(words, 0, 12).Draw(t, "words")
		a, b := NewDictionary(), NewDictionary()
		for i := range all {
			a.Observe(&all[i].it, all[i].at)
		}
		for _, w := range rapid.Permutation(all).Draw(t, "order") {
			b.Observe(&w.it, w.at)
		}
		for _, id := range []string{"A", "B"} {
			x, _ := a.Lookup(event.Hash(id))
			y, _ := b.Lookup(event.Hash(id))
			require.Equal(t, x, y)
		}
	})
}

func TestOfTwoIDsWithOneHashTheFirstWins(t *testing.T) {
	d := NewDictionary()
	d.Observe(&event.Item{ID: "first", Category: "x"}, 1)
	d.index[event.Hash("second")] = 0 // as if the hashes were equal
	e, changed := d.Observe(&event.Item{ID: "second", Category: "y"}, 2)
	require.False(t, changed)
	require.Equal(t, "first", e.ID)
	require.Equal(t, "x", e.Category)
	d.Restore(Item{ID: "second"})
	require.Equal(t, 2, d.Collisions())
	require.Equal(t, 1, d.Len())
}

func TestObserveCopiesWhatItKeeps(t *testing.T) {
	d := NewDictionary()
	it := event.Item{ID: "A", Category: "x", Price: 1}
	d.Observe(&it, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { d.Observe(&it, 2) }))
}

func TestItemBytes(t *testing.T) {
	it := Item{ID: "A-1", Category: "pizza", Price: 9_900_000, Categorised: 1_000, Priced: -1}
	golden := "01" + "03412d31" + "0570697a7a61" + "c0bfb809" + "d00f" + "01"
	require.Equal(t, golden, hex.EncodeToString(AppendItem(nil, &it)))
	b, err := hex.DecodeString(golden)
	require.NoError(t, err)
	got, err := DecodeItem(b)
	require.NoError(t, err)
	require.Equal(t, it, got)

	for n := range b {
		_, err := DecodeItem(b[:n])
		require.ErrorIs(t, err, ErrItem, "the first %d bytes", n)
	}
	_, err = DecodeItem(append(b, 0))
	require.ErrorIs(t, err, ErrItem)
	b[0] = 2
	_, err = DecodeItem(b)
	require.EqualError(t, err, "stored item: version 2 is unknown to this binary, which reads up to 1")
}

func TestItemsSurviveBeingStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := Item{
			ID: rapid.String().Draw(t, "id"), Category: rapid.String().Draw(t, "category"),
			Price:       event.Micro(rapid.Int64().Draw(t, "price")),
			Categorised: rapid.Int64().Draw(t, "categorised"), Priced: rapid.Int64().Draw(t, "priced"),
		}
		got, err := DecodeItem(AppendItem(nil, &it))
		require.NoError(t, err)
		require.Equal(t, it, got)
		d := NewDictionary()
		d.Restore(Item{ID: it.ID, Category: "before"})
		d.Restore(got)
		found, ok := d.Lookup(event.Hash(it.ID))
		require.True(t, ok)
		require.Equal(t, it, found)
	})
}

func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte{1, 1, 'A', 0, 2, 4, 6})
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := DecodeItem(b)
		if err != nil {
			return
		}
		again, err := DecodeItem(AppendItem(nil, &it))
		require.NoError(t, err)
		require.Equal(t, it, again)
	})
}
