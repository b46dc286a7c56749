package shop

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// together are the pairs of articles that go together, each once.
func together(habits []Affinity) map[[2]string]bool {
	there := map[[2]string]bool{}
	for _, h := range habits {
		there[sorted(h.Item, h.With)] = true
	}
	for _, p := range Implied(habits) {
		there[sorted(p[0], p[1])] = true
	}
	return there
}

func sorted(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// left are the habits that don't end, or those that do.
func left(ends bool) (habits []Affinity) {
	for _, h := range Affinities() {
		if h.Ends == ends {
			habits = append(habits, h)
		}
	}
	return habits
}

// held are the pairs that hold by what orders say.
func held(t *testing.T, c *basket.Counts) map[[2]string]bool {
	found := map[[2]string]bool{}
	items := Items()
	for i, a := range items {
		for _, b := range items[i+1:] {
			x, y := event.Hash(a.ID), event.Hash(b.ID)
			holds := c.Holds(basket.SameOrder, x, y)
			require.Equal(t, holds, c.Holds(basket.SameOrder, y, x), "%s, %s: the same both ways", a.ID, b.ID)
			if holds {
				found[sorted(a.ID, b.ID)] = true
			}
		}
	}
	return found
}

func TestImpliedAreThePairsThatHabitsLeadTo(t *testing.T) {
	of := func(pairs ...[2]string) (habits []Affinity) {
		for _, p := range pairs {
			habits = append(habits, Affinity{Item: p[0], With: p[1]})
		}
		return habits
	}
	require.Empty(t, Implied(of([2]string{"a", "b"}, [2]string{"c", "b"})), "what leads to one article")
	require.Equal(t, [][2]string{{"b", "c"}}, Implied(of([2]string{"a", "b"}, [2]string{"a", "c"})))
	require.ElementsMatch(t, [][2]string{{"a", "c"}, {"a", "d"}, {"b", "d"}}, Implied(of([2]string{"c", "d"}, [2]string{"b", "c"}, [2]string{"a", "b"})))
	require.Empty(t, Implied(of([2]string{"a", "b"}, [2]string{"b", "c"}, [2]string{"c", "a"})))
	require.Equal(t, [][2]string{{"gnocchi", "malbec"}}, Implied(Affinities()))
}

// Over very many customers, each with a basket, what was planted goes together
// and nothing else: the rest has a lift below 1.
func TestNothingElseGoesTogether(t *testing.T) {
	cfg := basket.DefaultConfig()
	cfg.HalfLife, cfg.Triples = 0, 0
	s, counts, c := New(DefaultConfig()), basket.New(cfg), customer{}
	var row basket.Row
	for range 400_000 {
		s.welcome(&c, s.c.Start)
		row.To = row.To[:0]
		for _, l := range s.basket(&c, s.c.Start) {
			row.To = append(row.To, event.Hash(s.cat.items[l.item].ID))
		}
		counts.Apply(&row, 1)
	}
	there := together(Affinities())
	require.Equal(t, there, held(t, counts))
	var both, expected float64
	items := Items()
	for i, a := range items {
		for _, b := range items[i+1:] {
			if v := counts.Table2(basket.SameOrder, event.Hash(a.ID), event.Hash(b.ID)); !there[sorted(a.ID, b.ID)] {
				both, expected = both+v.Both, expected+v.A*v.B/v.N
			}
		}
	}
	t.Logf("lift of the others: %.3f", both/expected)
	require.InDelta(t, .86, both/expected, .01)
}

// Records are those of a shop whose habits don't end, until they do.
func TestStopChangesNothingBefore(t *testing.T) {
	c := DefaultConfig()
	c.Customers = 500
	forever := New(c)
	c.Stop = 20 * 24 * time.Hour
	a, b := New(c), New(c)
	stop, differ := c.Start+c.Stop.Milliseconds(), false
	for range 40_000 {
		x, y, z := a.Next(), b.Next(), forever.Next()
		same := bytes.Equal(x.Value, z.Value)
		require.True(t, bytes.Equal(x.Value, y.Value), "the same Config gives the same records")
		require.True(t, same || x.Arrival >= stop)
		differ = differ || !same
	}
	require.True(t, differ)
}

// counted is a shop whose orders are counted as the engine counts them: by way
// of its wire formats and its customers' ledgers.
type counted struct {
	t       *testing.T
	shop    *Shop
	decoder *decode.JSON
	rules   ledger.Rules
	source  *basket.Source
	counts  *basket.Counts
	ledgers map[string]*[2]ledger.Ledger // before and after an event
}

func newCounted(t *testing.T, c Config, b basket.Config) *counted {
	d, err := decode.NewJSON(decode.DefaultConfig())
	require.NoError(t, err)
	l := ledger.DefaultConfig()
	x := &counted{
		t: t, shop: New(c), decoder: d, rules: l.Rules(ledger.NewCalendar(time.UTC)),
		counts: basket.New(b), ledgers: map[string]*[2]ledger.Ledger{},
	}
	x.source = basket.NewSource(b, &x.rules)
	return x
}

// until counts what arrives before an instant.
func (x *counted) until(at int64) {
	var ev event.Event
	for r := x.shop.Next(); r.Arrival < at; r = x.shop.Next() {
		switch r.Type {
		case event.OrderCompleted, event.OrderUpdated, event.OrderRefunded, event.OrderCancelled, event.ErasureRequested:
		default:
			continue // says nothing of orders
		}
		require.NoError(x.t, x.decoder.Decode(r.Value, &ev))
		l := x.ledgers[r.Customer]
		if l == nil {
			l = new([2]ledger.Ledger)
			x.ledgers[r.Customer] = l
		}
		l[1].Apply(&ev, &x.rules)
		x.source.Orders(&l[0], &l[1], x.counts.Apply)
		l[0].Apply(&ev, &x.rules)
	}
}

// The engine finds every habit of the shop and nothing that is not there, at
// each look; one that its customers give up is gone within two half-lives, and
// the others stay.
func TestEngineFindsTheHabitsAndNothingElse(t *testing.T) {
	const half = 30 // days
	b := basket.DefaultConfig()
	b.HalfLife = half * 24 * time.Hour
	ended := left(true)
	require.NotEmpty(t, ended)
	looks, others := 0, 0
	for seed := range uint64(3) {
		c := DefaultConfig()
		c.Seed, c.Customers, c.Stop = 1+seed, 2000, 3*half*24*time.Hour
		x := newCounted(t, c, b)
		at := func(halves float64) int64 { return c.Start + int64(halves*half*float64(day)) }
		for halves := 2.; halves <= 5.5; halves += .5 {
			x.until(at(halves))
			found := held(t, x.counts)
			for _, h := range ended {
				pair := sorted(h.Item, h.With)
				if halves <= 3 {
					require.True(t, found[pair], "seed %d, %g half-lives: %v", c.Seed, halves, pair)
				}
				if halves >= 3+2 {
					require.False(t, found[pair], "seed %d: %v, %g half-lives after it has ended", c.Seed, pair, halves-3)
				}
				delete(found, pair)
			}
			for _, h := range left(false) {
				require.True(t, found[sorted(h.Item, h.With)], "seed %d, %g half-lives: %+v", c.Seed, halves, h)
			}
			there := together(left(false))
			for pair := range found {
				if !there[pair] {
					t.Logf("seed %d, %g half-lives: %v", c.Seed, halves, pair)
					others++
				}
			}
			looks++
		}
	}
	t.Logf("%d looks, %d others", looks, others)
	require.Zero(t, others, "what is not there; %.2f would be allowed", float64(looks)*(1-b.Certainty))
}
