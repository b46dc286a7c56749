package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
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

type golden struct {
	name  string
	l     *Ledger
	facts []byte // as this binary writes them
}

// goldens are ledgers that use every section of the bytes.
func goldens() []golden {
	var gs []golden
	add := func(name string, lateness int64, events ...event.Event) {
		l := new(Ledger)
		for i := range events {
			l.Apply(&events[i], &Rules{Lateness: lateness})
		}
		gs = append(gs, golden{name, l, l.AppendFacts(nil)})
	}
	items := func(ids ...string) (is []event.Item) {
		for _, id := range ids {
			is = append(is, event.Item{ID: id, Quantity: event.One})
		}
		return is
	}
	at := hour
	add("empty", 0)
	add("viewer", dayMs, event.Event{Type: event.ProductViewed, Time: at(1) + 7, Items: items("a", "b")})
	five := fiveOrders()
	add("five_orders", dayMs, five...)
	add("everything", dayMs,
		event.Event{Type: event.ErasureRequested, Time: at(1)},
		event.Event{Type: event.OrderCompleted, Time: at(30), OrderID: "o1", Amount: 20_000_000, Discount: 1, Channel: "app", Items: items("a", "b")},
		event.Event{Type: event.OrderUpdated, Time: at(31), OrderID: "o1", Amount: 30_990_000, Channel: "web", Items: items("a", "b", "c")},
		event.Event{Type: event.OrderCompleted, Time: at(90), OrderID: "o2", Amount: 5_000_000},
		event.Event{Type: event.OrderCompleted, Time: at(91) + 1, OrderID: "o2", Amount: 6_000_000, Channel: "shop", Items: items("d")},
		event.Event{Type: event.OrderUpdated, Time: at(92), OrderID: "o3", Amount: 7_000_000, Discount: 2_000_000},
		event.Event{Type: event.OrderRefunded, Time: at(93), OrderID: "o1", ID: "r1", Amount: 990_000, HasAmount: true},
		event.Event{Type: event.OrderRefunded, Time: at(94), OrderID: "o2", ID: "r2"},
		event.Event{Type: event.OrderCancelled, Time: at(95), OrderID: "o4", ID: "r3"},
		event.Event{Type: event.ProductAdded, Time: at(96), Items: items("x", "y")},
		event.Event{Type: event.ProductRemoved, Time: at(97), Items: items("x")},
		event.Event{Type: event.MessageSent, Time: at(98)},
		event.Event{Type: event.MessageOpened, Time: at(99)},
		event.Event{Type: event.MessageClicked, Time: at(100)},
		event.Event{Type: event.SurveyAnswered, Time: at(101), Rating: 9},
		event.Event{Type: event.ComplaintRaised, Time: at(102), ID: "m1"},
		event.Event{Type: event.ReferralMade, Time: at(103), ID: "m2"},
		event.Event{Type: event.ConsentUpdated, Time: at(104), Channel: "email", Granted: true},
		event.Event{Type: event.ConsentUpdated, Time: at(105)},
	)
	var many []event.Event
	for i := range 300 {
		many = append(many,
			event.Event{Type: event.OrderCompleted, Time: at(30 * i), OrderID: fmt.Sprint(i), Amount: 9_990_000, Discount: 990_000},
			event.Event{Type: event.ProductShared, Time: at(30*i + 1), ID: fmt.Sprint("s", i)},
			event.Event{Type: event.PageViewed, Time: at(30*i + 2)},
		)
	}
	add("folded", 0, many...)
	return gs
}

// fiveOrders is a regular: five orders of two or three articles, all different,
// three weeks apart, and four views of late.
func fiveOrders() []event.Event {
	var events []event.Event
	item := 0
	for i := range 5 {
		t := epoch + int64(i)*21*dayMs + int64(i*i)*7_654_321
		view := event.Event{Type: event.ProductViewed, Time: t - 301_234, Items: []event.Item{{ID: fmt.Sprint("v", i)}}}
		order := event.Event{Type: event.OrderCompleted, Time: t, OrderID: fmt.Sprint("order", i), Amount: event.Micro(3790+i*1200) * 10_000, Channel: []string{"app", "web"}[i/3]}
		if i%3 == 1 {
			order.Discount = 2_500_000
		}
		for range 2 + i%2 {
			order.Items = append(order.Items, event.Item{ID: fmt.Sprint("article", item)})
			item++
		}
		events = append(events, view, order)
	}
	last := events[len(events)-1].Time
	for i := range 4 {
		events = append(events, event.Event{Type: event.ProductViewed, Time: last + 3*dayMs + int64(i)*45_678, Items: []event.Item{{ID: fmt.Sprint("w", i)}}})
	}
	return events
}

// The bytes of version 1 stay as they are: what this binary writes is what the
// file has, and what the file has reads as the same facts. The file is written
// once for a version, by hand, and never changed.
func TestGoldenFacts(t *testing.T) {
	data, err := os.ReadFile("testdata/facts_v1.golden")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	gs := goldens()
	require.Len(t, lines, len(gs))
	for i, g := range gs {
		name, digits, _ := strings.Cut(lines[i], " ")
		require.Equal(t, g.name, name)
		require.Equal(t, digits, hex.EncodeToString(g.facts), name)
		facts, err := hex.DecodeString(digits)
		require.NoError(t, err)
		var l Ledger
		require.NoError(t, DecodeFacts(facts, &l, nil))
		require.Empty(t, diff(g.l, &l), name)
	}
}

func TestFactsSize(t *testing.T) {
	for _, g := range goldens() {
		t.Logf("%s: %d bytes", g.name, len(g.facts))
		if g.name == "five_orders" {
			require.Len(t, g.l.Orders, 5)
			require.Len(t, g.l.Views, 4)
			require.LessOrEqual(t, len(g.facts), 250)
		}
	}
}

func TestDecodeFactsErrors(t *testing.T) {
	l := usedLedger(t)
	require.ErrorIs(t, DecodeFacts(nil, l, nil), ErrCorrupt)
	require.ErrorIs(t, DecodeFacts([]byte{2, 0, 0, 0}, l, nil), ErrVersion)
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
		require.ErrorIs(t, DecodeFacts(b, l, nil), ErrCorrupt, name)
		require.Zero(t, l.Last, name)
	}
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
	l := Ledger{First: 1, Last: lastTime, Erased: 1, CartCleared: 1, VisitDay: 0, Visits: 1<<64 - 1, Sent: 1, Opened: 1, Clicked: 1, SurveyTime: 1, SurveyRating: -128}
	for i := range HardOrders {
		o := Order{Hash: mask48 - HardOrders + uint64(i), Placed: 2, Revised: 1, Amount: most, Discount: most, Channel: fmt.Sprintf("%064d", i)}
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
			l.Views = append(l.Views, ItemTime{uint64(i), 1})
		}
		if i < MaxConsents {
			l.Consents = append(l.Consents, Consent{o.Channel, 1, true})
		}
	}
	for k := Complaint; k < numMarks; k++ {
		l.MarkFold[k] = 1<<63 - 1
	}
	l.Fold = Fold{1<<63 - 1, 1<<63 - 1, -1, lastTime / dayMs, 1<<63 - 1, most, most, most, 1<<63 - 1}
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
