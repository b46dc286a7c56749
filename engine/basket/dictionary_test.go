package basket

import (
	"encoding/hex"
	"testing"
	"unsafe"

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
	require.Equal(t, it, *d.Get(event.Hash("A")))
	require.Nil(t, d.Get(event.Hash("B")))
	_, ok = d.Lookup(event.Hash("B"))
	require.False(t, ok)
	require.Equal(t, 1, d.Len())
}

func TestDictionaryKeepsTheLatestState(t *testing.T) {
	d := NewDictionary()
	say := func(at int64, state event.ItemState) bool {
		ev := event.Event{Type: event.ItemUpdated, Time: at, State: state, Items: []event.Item{{ID: "B"}, {ID: "A", Category: "wine", Price: 9 * event.One}}}
		_, changed := d.Update(&ev, 1)
		return changed
	}
	available := func(yes bool) event.ItemState { return event.ItemState{Available: yes, HasAvailable: true} }
	hidden := func(yes bool) event.ItemState { return event.ItemState{Hidden: yes, HasHidden: true} }
	needs := func(consent string) event.ItemState { return event.ItemState{Consent: consent, HasConsent: true} }
	require.True(t, say(10, event.ItemState{}), "new")
	require.Equal(t, Item{ID: "A", Category: "wine", Price: 9 * event.One, Categorised: 10, Priced: 10}, *d.Get(event.Hash("A")))
	for _, c := range []struct {
		at      int64
		state   event.ItemState
		changed bool
		why     string
	}{
		{10, available(true), false, "as it was taken to be"},
		{10, available(false), true, "the more cautious of one instant"},
		{10, available(true), false, "the less cautious of one instant"},
		{20, available(true), true, "back again"},
		{15, available(false), false, "older than what is known"},
		{30, available(false), true, "sold out"},
		{10, hidden(true), true, "each has a time of its own"},
		{10, hidden(false), false, "the less cautious of one instant"},
		{10, needs("alcohol"), true, "said for the first time"},
		{10, needs("tobacco"), true, "the greater of one instant"},
		{10, needs("alcohol"), false, "the lesser of one instant"},
		{40, event.ItemState{Available: true, Hidden: true, Consent: "x"}, false, "says nothing"},
		{40, needs(""), true, "free again"},
		{50, needs(""), false, "still"},
	} {
		require.Equal(t, c.changed, say(c.at, c.state), "%d %s", c.at, c.why)
	}
	require.Equal(t, Item{
		ID: "A", Category: "wine", Price: 9 * event.One, Unavailable: true, Hidden: true,
		Categorised: 50, Priced: 50, Stocked: 30, Shown: 10, Restricted: 50,
	}, *d.Get(event.Hash("A")))
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
		it    event.Item
		at    int64
		state event.ItemState
	}
	words := rapid.Custom(func(t *rapid.T) word {
		return word{event.Item{
			ID:       rapid.SampledFrom([]string{"A", "B"}).Draw(t, "id"),
			Category: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "category"),
			Price:    event.Micro(rapid.Int64Range(0, 2).Draw(t, "price")),
		}, rapid.Int64Range(1, 4).Draw(t, "at"), event.ItemState{
			Available: rapid.Bool().Draw(t, "available"), HasAvailable: rapid.Bool().Draw(t, "has available"),
			Hidden: rapid.Bool().Draw(t, "hidden"), HasHidden: rapid.Bool().Draw(t, "has hidden"),
			Consent: rapid.SampledFrom([]string{"", "alcohol", "tobacco"}).Draw(t, "consent"), HasConsent: rapid.Bool().Draw(t, "has consent"),
		}}
	})
	learn := func(d *Dictionary, w *word) {
		if w.state.HasAvailable || w.state.HasHidden || w.state.HasConsent {
			d.Update(&event.Event{Type: event.ItemUpdated, Time: w.at, Items: []event.Item{w.it}, State: w.state}, 0)
			return
		}
		d.Observe(&w.it, w.at)
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(words, 0, 12).Draw(t, "words")
		a, b := NewDictionary(), NewDictionary()
		for i := range all {
			learn(a, &all[i])
		}
		for _, w := range rapid.Permutation(all).Draw(t, "order") {
			learn(b, &w)
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
	d.add(event.Hash("second"), Item{ID: "first", Category: "x", Categorised: 1}) // as if the hashes were equal
	e, changed := d.Observe(&event.Item{ID: "second", Category: "y"}, 2)
	require.False(t, changed)
	require.Equal(t, "first", e.ID)
	require.Equal(t, "x", e.Category)
	d.Restore(Item{ID: "second"})
	ev := event.Event{Time: 3, Items: []event.Item{{ID: "second"}}, State: event.ItemState{Hidden: true, HasHidden: true}}
	e, changed = d.Update(&ev, 0)
	require.False(t, changed)
	require.False(t, e.Hidden)
	require.Equal(t, 3, d.Collisions())
	require.Equal(t, 1, d.Len())
}

func TestObserveCopiesWhatItKeeps(t *testing.T) {
	d := NewDictionary()
	it := event.Item{ID: "A", Category: "x", Price: 1}
	d.Observe(&it, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { d.Observe(&it, 2) }))
	consent := []byte("alcohol")
	ev := event.Event{Time: 3, Items: []event.Item{it}, State: event.ItemState{HasConsent: true, Consent: unsafe.String(&consent[0], len(consent))}}
	d.Update(&ev, 0)
	require.Zero(t, testing.AllocsPerRun(100, func() { ev.Time++; d.Update(&ev, 0) }))
	clear(consent)
	require.Equal(t, "alcohol", d.Get(event.Hash("A")).Consent)
}

func TestItemBytes(t *testing.T) {
	it := Item{ID: "A-1", Category: "pizza", Price: 9_900_000, Categorised: 1_000, Priced: -1, Hidden: true, Consent: "age", Stocked: 2, Shown: 300, Restricted: 4}
	golden := "02" + "03412d31" + "0570697a7a61" + "c0bfb809" + "d00f" + "01" + "02" + "03616765" + "04" + "d804" + "08"
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
	b[18] |= 4
	_, err = DecodeItem(b)
	require.EqualError(t, err, "stored item: its state is 0x6, which says more than is known")
	b[0] = 3
	_, err = DecodeItem(b)
	require.EqualError(t, err, "stored item: version 3 is unknown to this binary, which reads 2")
	b[0] = 1
	_, err = DecodeItem(b)
	require.ErrorIs(t, err, ErrItem)
}

func TestItemsSurviveBeingStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := Item{
			ID: rapid.String().Draw(t, "id"), Category: rapid.String().Draw(t, "category"),
			Price:       event.Micro(rapid.Int64().Draw(t, "price")),
			Categorised: rapid.Int64().Draw(t, "categorised"), Priced: rapid.Int64().Draw(t, "priced"),
			Unavailable: rapid.Bool().Draw(t, "unavailable"), Hidden: rapid.Bool().Draw(t, "hidden"), Consent: rapid.String().Draw(t, "consent"),
			Stocked: rapid.Int64().Draw(t, "stocked"), Shown: rapid.Int64().Draw(t, "shown"), Restricted: rapid.Int64().Draw(t, "restricted"),
		}
		got, err := DecodeItem(AppendItem(nil, &it))
		require.NoError(t, err)
		require.Equal(t, it, got)
		d := NewDictionary()
		d.Restore(got)
		found, ok := d.Lookup(event.Hash(it.ID))
		require.True(t, ok)
		require.Equal(t, it, found)
	})
}

// Entries of one item that different partitions stored are the same item whatever
// order they are read in, each with the latest word.
func TestStoredItemsJoin(t *testing.T) {
	said := rapid.Custom(func(t *rapid.T) Item {
		at := func(label string) int64 { return rapid.Int64Range(0, 3).Draw(t, label) }
		return Item{
			ID: "A", Category: rapid.SampledFrom([]string{"", "wine", "beer"}).Draw(t, "category"), Categorised: at("categorised"),
			Price: event.Micro(rapid.Int64Range(0, 3).Draw(t, "price")), Priced: at("priced"),
			Unavailable: rapid.Bool().Draw(t, "unavailable"), Stocked: at("stocked"),
			Hidden: rapid.Bool().Draw(t, "hidden"), Shown: at("shown"),
			Consent: rapid.SampledFrom([]string{"", "alcohol"}).Draw(t, "consent"), Restricted: at("restricted"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(said, 1, 4).Draw(t, "stored")
		d, other := NewDictionary(), NewDictionary()
		for _, it := range all {
			d.Restore(it)
		}
		for _, it := range rapid.Permutation(all).Draw(t, "another order") {
			other.Restore(it)
		}
		require.Equal(t, *d.Get(event.Hash("A")), *other.Get(event.Hash("A")))
	})
	d := NewDictionary()
	d.Restore(Item{ID: "A", Category: "wine", Categorised: 5, Stocked: 20, Priced: 1, Price: 7})
	d.Restore(Item{ID: "A", Category: "beer", Categorised: 9, Unavailable: true, Stocked: 10, Priced: 1, Price: 6})
	require.Equal(t, Item{ID: "A", Category: "beer", Categorised: 9, Stocked: 20, Priced: 1, Price: 7}, *d.Get(event.Hash("A")))
}

func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte{2, 1, 'A', 0, 2, 4, 6, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 1, 'A', 0, 2, 4, 6, 3, 1, 'c', 2, 4, 6})
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
