package ledger

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

func TestFactsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if rapid.IntRange(0, 9).Draw(t, "busy") == 0 {
			w = drawBusy(t)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 6))
		events, r := w.make(rng), w.rules()
		var l Ledger
		for _, e := range w.arrival(rng, events, 0) {
			l.Apply(&e, &r)
		}
		facts := l.AppendFacts([]byte("before"))
		require.Equal(t, "before", string(facts[:6]))
		facts = facts[6:]
		got := usedLedger(t)
		require.NoError(t, DecodeFacts(facts, got, nil))
		require.Empty(t, cmp.Diff(&l, got, cmpopts.IgnoreUnexported(Ledger{}), cmpopts.EquateEmpty()))
		require.Equal(t, facts, got.AppendFacts(nil))

		cut := rng.IntN(len(facts))
		require.Error(t, DecodeFacts(facts[:cut], got, nil), "cut at %d", cut)
		require.Empty(t, cmp.Diff(&Ledger{}, got, cmpopts.IgnoreUnexported(Ledger{}), cmpopts.EquateEmpty()))
		require.ErrorIs(t, DecodeFacts(append(facts, 0), got, nil), ErrCorrupt)
	})
}

// usedLedger has something in all of its slices, so that leftovers would show.
func usedLedger(t require.TestingT) *Ledger {
	l := new(Ledger)
	for _, g := range goldens() {
		require.NoError(t, DecodeFacts(g.facts, l, nil))
	}
	return l
}

func TestFactsSize(t *testing.T) {
	for _, g := range goldens() {
		t.Logf("%s: %d bytes", g.name, len(g.facts))
		if g.name == "five_orders" {
			require.Len(t, g.l.Orders, 5)
			require.Len(t, g.l.Views, 4)
			require.LessOrEqual(t, len(g.facts), 250)
		}
		if g.name == "browser" { // 12 to 16 bytes a view
			require.Len(t, g.l.Views, 16)
			require.LessOrEqual(t, len(g.facts), 400)
		}
	}
	var l Ledger
	for _, e := range fiveOrders() {
		for i := range e.Items {
			e.Items[i].Cost, e.Items[i].HasCost = e.Amount/5, true
			e.Items[i].Quantity = event.One
		}
		e.Coupon = "SPRING"
		l.Apply(&e, &Rules{Lateness: dayMs})
	}
	costed := len(l.AppendFacts(nil))
	t.Logf("five orders with their costs and coupons: %d bytes", costed)
	require.LessOrEqual(t, costed, 265)
}

func TestDecodeFactsErrors(t *testing.T) {
	l := usedLedger(t)
	require.ErrorIs(t, DecodeFacts(nil, l, nil), ErrCorrupt)
	require.ErrorIs(t, DecodeFacts([]byte{4, 0, 0, 0}, l, nil), ErrVersion)
	require.ErrorIs(t, DecodeFacts([]byte{0}, l, nil), ErrVersion)
	for name, b := range map[string][]byte{
		"only a version":             {1},
		"unknown section":            append([]byte{1}, binary.AppendUvarint(nil, allSections+1)...),
		"longer number than needed":  {1, 0x80, 0, 0, 0},
		"orders, but never an event": {1, hasOrders, 0, 0, 0, 0},
		"a million orders":           {1, hasOrders, 100, 0, 0xc0, 0x84, 0x3d, 0},
		"a channel of no bytes":      {1, hasChannels, 100, 0, 1, 0},
		"first before 1970":          {1, 0, 1, 200},
	} {
		for _, b[0] = range []byte{1, 2, 3} {
			require.ErrorIs(t, DecodeFacts(b, l, nil), ErrCorrupt, name)
			require.Zero(t, l.Last, name)
		}
	}
	// All of a customer on day 100, with one section.
	only := func(version, section byte, b ...byte) error {
		facts := binary.AppendUvarint([]byte{version, section}, 100*dayMs)
		return DecodeFacts(append(append(facts, 2), b...), l, nil) // First is a second before Last
	}
	// A view in the week of 98: bit 0 of Visited, which is not written.
	view := func(weeks ...byte) error { return only(factsVersion, hasWeeks, weeks...) }
	require.NoError(t, view(0, 0))
	require.Equal(t, Week(100), l.Week)
	for name, weeks := range map[string][]byte{
		"bit 0 of Visited":           {0, 1, 1},
		"a byte of no bits":          {0, 1, 0},
		"a cart in no week":          {1, 0, 0},
		"a cart in a week unseen":    {1, 0, 1, 2},
		"an open in a week unseen":   {2, 0, 1, 2},
		"weeks before 1970":          {0, 2, 255},
		"two weeks after the last":   {4 << 2, 0},
		"as many before as can't be": {61 << 2, 0},
	} {
		require.ErrorIs(t, view(weeks...), ErrCorrupt, name)
	}
	item := func(b byte) []byte { return []byte{b, 0, 0, 0, 0, 0, 0, 0} }
	looks := func(heads ...[]byte) (b []byte) {
		return append([]byte{byte(len(heads) / 2)}, slices.Concat(heads...)...)
	}
	session := func(b byte) []byte { return append(item(1), b, 0, 0, 0) }
	require.NoError(t, only(3, hasViews, looks([]byte{0}, item(2), []byte{0}, item(1))...))
	require.NoError(t, only(3, hasViews, looks([]byte{1}, session(7), []byte{5}, session(0))...))
	require.Equal(t, []View{{1, 100*dayMs - 1000, 0}, {1, 100 * dayMs, 7}}, l.Views)
	require.NoError(t, only(2, hasViews, looks(item(1), []byte{0}, item(2), []byte{2})...))
	require.Equal(t, []View{{2, 100*dayMs - 1000, 0}, {1, 100 * dayMs, 0}}, l.Views)
	for name, views := range map[string][]byte{
		"an item twice at once":     looks([]byte{0}, item(1), []byte{0}, item(1)),
		"items the other way round": looks([]byte{0}, item(1), []byte{0}, item(2)),
		"a view before First":       looks([]byte{0}, item(1), []byte{8}, item(1)),
		"no session twice":          looks([]byte{1}, session(0)),
		"a session again":           looks([]byte{1}, session(7), []byte{5}, session(7)),
		"a session cut off":         looks([]byte{1}, session(7)[:11]),
		"an item cut off":           looks([]byte{0}, item(1), []byte{1}, item(1)[:7]),
		"more than are kept":        append([]byte{17}, make([]byte, 17*9)...),
	} {
		require.ErrorIs(t, only(3, hasViews, views...), ErrCorrupt, name)
	}
	require.ErrorIs(t, only(2, hasViews, looks(item(1), []byte{0}, item(1), []byte{2})...), ErrCorrupt, "an item twice")
}

// Damaged bytes are refused, or read as other facts; they never panic.
func TestDecodeFactsDamaged(t *testing.T) {
	used, rng := usedLedger(t), rand.New(rand.NewPCG(1, 7))
	gs := goldens()
	refused := 0
	for range 20_000 {
		b := append([]byte(nil), gs[rng.IntN(len(gs))].facts...)
		for range 1 + rng.IntN(3) {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		if DecodeFacts(b, used, nil) != nil {
			refused++
			continue
		}
		facts := used.AppendFacts(nil)
		require.NoError(t, DecodeFacts(facts, used, nil))
		require.Equal(t, facts, used.AppendFacts(nil))
	}
	require.Greater(t, refused, 1000)
}

// The largest of everything has room in the buffer that AppendFacts makes.
func TestFactsLargest(t *testing.T) {
	const most = event.Micro(1<<63 - 1)
	l := Ledger{First: 1, Last: lastTime, Erased: 1, CartCleared: 1, Week: 63, Visited: 1<<64 - 1, Carted: 1<<64 - 1, Engaged: 1<<64 - 1, Sent: 1, Opened: 1, Clicked: 1, SurveyTime: 1, SurveyRating: -128}
	for i := range HardOrders {
		o := Order{Hash: mask48 - HardOrders + uint64(i), Placed: 2, Revised: 1, Amount: most, Discount: most, Cost: most, Costed: true, Coupon: true, Channel: fmt.Sprintf("%064d", i)}
		for j := range MaxItems {
			o.Items = append(o.Items, 1<<64-100+uint64(j))
		}
		l.Orders = append(l.Orders, o)
		if i < MaxPending {
			l.Pending = append(l.Pending, o)
			l.Pending[i].Placed = 0
		}
		if i < MaxAdjustments {
			l.Adjustments = append(l.Adjustments, Adjustment{o.Hash, mask48, 1, Refunded, most})
		}
		if i < HardMarks {
			l.Marks = append(l.Marks, Mark{Share, 1, uint32(i)})
		}
		if i < MaxCart {
			l.Cart = append(l.Cart, CartLine{uint64(i), 1, true})
		}
		if i < MaxViews {
			l.Views = append(l.Views, View{1<<64 - 100 + uint64(i), 1, 1<<32 - 1 - uint32(i)})
		}
		if i < MaxConsents {
			l.Consents = append(l.Consents, Consent{o.Channel, 1, true})
		}
	}
	for k := Complaint; k < numMarks; k++ {
		l.MarkFold[k] = 1<<63 - 1
	}
	l.Fold = Fold{1<<63 - 1, 1<<63 - 1, -1, lastTime / dayMs, 1<<63 - 1, most, most, most, most, most, 1<<63 - 1}
	facts := l.AppendFacts(nil)
	require.LessOrEqual(t, len(facts), l.bound())
	var got Ledger
	require.NoError(t, DecodeFacts(facts, &got, nil))
	require.Empty(t, diff(&l, &got))
}

// Whatever DecodeFacts accepts can be applied to and written again, and reads as
// the same facts.
func FuzzDecodeFacts(f *testing.F) {
	for _, g := range goldens() {
		f.Add(g.facts)
	}
	for version := 1; version <= 2; version++ {
		for _, facts := range goldenFile(f, version) {
			f.Add(facts)
		}
	}
	used := usedLedger(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if DecodeFacts(b, used, nil) != nil {
			return
		}
		var again Ledger
		facts := used.AppendFacts(nil)
		require.NoError(t, DecodeFacts(facts, &again, nil))
		require.Equal(t, facts, again.AppendFacts(nil))
		r := Rules{Lateness: dayMs}
		for s := again.Sales(&r); s.Next(); {
			require.GreaterOrEqual(t, s.Net, event.Micro(0))
		}
		again.Before(again.Last-dayMs, &r, used)
		for _, typ := range event.Types() {
			for _, d := range []int64{-3 * dayMs, 0, 100 * dayMs} {
				e := event.Event{Type: typ, Time: max(1, again.Last+d), OrderID: "o", Items: []event.Item{{ID: "a"}}}
				again.Apply(&e, &r)
			}
		}
		require.NoError(t, DecodeFacts(again.AppendFacts(nil), used, nil))
	})
}
