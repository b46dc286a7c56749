package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// till drives a Core of three partitions by hand, a transaction at a time.
type till struct {
	t      *testing.T
	cfg    Config
	store  *state.Store
	core   *Core
	log    *testLog
	offset [3]int64
	outs   []Output // of the latest transaction
}

// saidOffers is what a change says of the offers.
type saidOffers struct {
	Customer string
	Moved    bool     // they are among what changed
	Offers   []string // of the document
}

// offerEncoder writes what a change says of the offers.
type offerEncoder struct{ plainEncoder }

func (offerEncoder) AppendChange(dst []byte, c *score.Change, _ []byte) []byte {
	s := saidOffers{Customer: c.CustomerID}
	for i := range c.Changed {
		if c.Changed[i].Field == "next_best" {
			s.Moved = true
		}
	}
	if c.Scores != nil {
		s.Offers = offeredIDs(c.Scores.NextBest)
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return append(dst, b...)
}

func offeredIDs(offers []score.Offer) []string {
	ids := []string{}
	for i := range offers {
		ids = append(ids, offers[i].ItemID)
	}
	return ids
}

func newTill(t *testing.T, more ...func(*Config)) *till {
	s := &till{t: t, log: newTestLog(3), cfg: testConfig(), store: openStore(t, vfs.NewMem(), 1<<20)}
	s.cfg.Score.Learn.Sample = 0
	s.cfg.Score.Offers = score.MaxOffers
	s.cfg.ClockLag = 0
	for _, change := range more {
		change(&s.cfg)
	}
	s.open(0, 1, 2)
	t.Cleanup(func() {
		s.core.Close()
		require.NoError(t, s.store.Close())
	})
	return s
}

// open begins a session on what is committed, with the partitions opened in this
// order.
func (s *till) open(partitions ...int32) {
	if s.core != nil {
		s.core.closeAll()
		s.core.Close()
	}
	s.core = newTestCore(s.cfg, s.store, future())
	s.core.enc = offerEncoder{}
	require.NoError(s.t, s.core.Join(s.t.Context(), s.log.reader()))
	require.NoError(s.t, s.core.Sync(partitions))
	s.core.background.Wait() // for the audience
}

// process applies events in the open transaction; those of a customer are in one
// partition.
func (s *till) process(evs ...event.Event) {
	s.t.Helper()
	batches := make([]Batch, 3)
	for i := range evs {
		key := evs[i].CustomerID
		if key == "" {
			key = evs[i].Items[0].ID
		}
		p := event.Hash(key) % 3
		value, err := json.Marshal(&evs[i])
		require.NoError(s.t, err)
		b := &batches[p]
		b.Partition = int32(p)
		b.Records = append(b.Records, Record{Offset: s.offset[p], Key: []byte(key), Value: value})
		s.offset[p]++
	}
	batches = slices.DeleteFunc(batches, func(b Batch) bool { return len(b.Records) == 0 })
	if len(batches) == 0 {
		return
	}
	_, err := s.core.Process(batches, s.core.now().UnixMilli())
	require.NoError(s.t, err)
}

// run carries events through a transaction.
func (s *till) run(evs ...event.Event) {
	s.t.Helper()
	s.process(evs...)
	require.NoError(s.t, s.core.Finish(0))
	s.outs = nil
	s.core.eachOutput(func(outs []Output) {
		for _, o := range outs {
			o.Key, o.Value = slices.Clone(o.Key), slices.Clone(o.Value)
			s.outs = append(s.outs, o)
		}
	})
	s.log.commit(s.t, s.core)
}

// said are the latest transaction's changes of a customer.
func (s *till) said(customer string) (changes []saidOffers) {
	for _, o := range s.outs {
		if o.To != Changes || string(o.Key) != customer {
			continue
		}
		var c saidOffers
		require.NoError(s.t, json.Unmarshal(o.Value, &c))
		changes = append(changes, c)
	}
	return changes
}

// offers are those of a customer's document now.
func (s *till) offers(customer string) []string {
	s.t.Helper()
	doc, err := s.core.Customer(s.t.Context(), customer, 0)
	require.NoError(s.t, err)
	return offeredIDs(doc.NextBest)
}

// opening is the day 0 here.
var opening = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()

func onDay(day float64) int64 { return opening + int64(day*dayMS) }

func things(ids ...string) (is []event.Item) {
	for _, id := range ids {
		is = append(is, event.Item{ID: id, Quantity: event.One})
	}
	return is
}

func ordered(customer string, day float64, ids ...string) event.Event {
	id := fmt.Sprintf("%s/%g", customer, day)
	return event.Event{
		ID: "e" + id, Type: event.OrderCompleted, CustomerID: customer, OrderID: id, Time: onDay(day), Amount: event.One, HasAmount: true, Items: things(ids...),
	}
}

func updated(id string, day float64, state event.ItemState) event.Event {
	return event.Event{ID: fmt.Sprintf("u%s/%g", id, day), Type: event.ItemUpdated, Time: onDay(day), Items: things(id), State: state}
}

// pairs are orders of A and B together, one for each customer, who buys both
// again, and others of Z.
func pairs(n int) (evs []event.Event) {
	for i := range n {
		c, d := "pair"+strconv.Itoa(i), float64(i)/100
		evs = append(evs, ordered(c, d, "A", "B"), ordered("other"+strconv.Itoa(i), d, "Z"), ordered(c, 20+d, "A", "B"))
	}
	sortByTime(evs)
	return evs
}

// Who buys what it was offered is offered it no longer, from the very change on
// that the order causes: neither as something new nor as a repeat, although others
// buy it again.
func TestWhatIsBoughtIsOfferedNoMore(t *testing.T) {
	s := newTill(t)
	s.run(pairs(40)...)
	s.run(ordered("c", 30, "A"))
	said := s.said("c")
	require.Len(t, said, 1)
	require.True(t, said[0].Moved)
	require.Contains(t, said[0].Offers, "B")
	require.Equal(t, said[0].Offers, s.offers("c"))
	s.run(ordered("c", 31, "B"))
	said = s.said("c")
	require.Len(t, said, 1)
	require.True(t, said[0].Moved)
	require.NotContains(t, said[0].Offers, "B")
	require.NotContains(t, s.offers("c"), "B")

	// Two orders of one transaction: the second change lacks it.
	s.run(ordered("d", 31, "A"), ordered("d", 31.5, "B"))
	said = s.said("d")
	require.Len(t, said, 2)
	require.Contains(t, said[0].Offers, "B")
	require.NotContains(t, said[1].Offers, "B")
}

// What the cart holds is not in the document that is asked for.
func TestTheCartIsNotOffered(t *testing.T) {
	s := newTill(t)
	s.run(pairs(40)...)
	s.run(ordered("c", 30, "A"))
	require.Contains(t, s.offers("c"), "B")
	s.run(event.Event{ID: "x", Type: event.ProductAdded, CustomerID: "c", Time: onDay(31), Items: things("B")})
	require.NotContains(t, s.offers("c"), "B")
	s.run(event.Event{ID: "y", Type: event.ProductRemoved, CustomerID: "c", Time: onDay(32), Items: things("B")})
	require.Contains(t, s.offers("c"), "B")
}

// What becomes of an item shows in documents asked for and in each customer's next
// change. It is no customer: there are no facts, no change, no dead letter. It is
// known again after a restart.
func TestItemUpdated(t *testing.T) {
	gone := event.ItemState{HasAvailable: true}
	back := event.ItemState{HasAvailable: true, Available: true}
	for name, st := range map[string]struct{ out, in event.ItemState }{
		"out of stock": {gone, back},
		"hidden":       {event.ItemState{HasHidden: true, Hidden: true}, event.ItemState{HasHidden: true}},
		"consent":      {event.ItemState{HasConsent: true, Consent: "alcohol"}, event.ItemState{HasConsent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTill(t)
			s.run(pairs(40)...)
			s.run(ordered("c", 30, "A"), ordered("d", 30, "A"))
			require.Contains(t, s.offers("c"), "B")
			before, _ := facts(t, s.store)

			s.run(updated("B", 31, st.out))
			for _, o := range s.outs {
				require.Contains(t, []Topic{Changelog, Affinities, Pairs}, o.To, "%s", o.Key)
			}
			require.NotContains(t, s.offers("c"), "B", "asked for")
			s.run(ordered("c", 32, "Z"))
			require.NotEmpty(t, s.said("c"))
			require.NotContains(t, s.said("c")[0].Offers, "B", "told")
			after, _ := facts(t, s.store)
			delete(after, "c")
			delete(before, "c")
			require.Equal(t, before, after)
			stats := s.core.Stats()
			require.Empty(t, stats.Rejects)
			require.Zero(t, stats.Unkeyed)
			require.Zero(t, stats.Duplicates)

			s.open(2, 0, 1)
			require.NotContains(t, s.offers("d"), "B", "after a restart")
			s.run(updated("B", 29, st.in)) // is older, and comes late
			require.NotContains(t, s.offers("d"), "B")
			s.run(updated("B", 33, st.in))
			require.Contains(t, s.offers("d"), "B")
			for _, order := range [][]int32{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
				s.open(order...)
				require.Contains(t, s.offers("d"), "B", "partitions %v", order)
			}
		})
	}
}

// What several partitions have stored of an item is the same item whichever of
// them is read last.
func TestItemsOfSeveralPartitions(t *testing.T) {
	s := newTill(t)
	var customers [3]string
	for i := range 100 {
		c := "c" + strconv.Itoa(i)
		customers[event.Hash(c)%3] = c
	}
	say := func(p int, day float64, category string, price int64) {
		e := ordered(customers[p], day, "A")
		e.Items[0].Category, e.Items[0].Price = category, event.Micro(price)*event.One
		s.run(e)
	}
	say(0, 1, "wine", 10)
	say(1, 2, "wine", 12)
	say(2, 3, "red wine", 12)
	s.run(updated("A", 4, event.ItemState{HasAvailable: true}))
	say(0, 5, "red wine", 9)
	s.run(updated("A", 6, event.ItemState{HasAvailable: true, Available: true}))
	say(1, 2.5, "white wine", 1) // late
	want, _ := s.core.dict.Lookup(event.Hash("A"))
	require.Equal(t, "red wine", want.Category)
	require.Equal(t, 9*event.One, want.Price)
	require.False(t, want.Unavailable)
	for _, order := range [][]int32{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		s.open(order...)
		got := s.core.dict.Get(event.Hash("A"))
		require.Equal(t, []any{want.Category, want.Price, want.Unavailable}, []any{got.Category, got.Price, got.Unavailable}, "partitions %v", order)
	}
}

// browsing is a stream of all that the counts are made of: orders, refunds of all
// sorts, changes of orders, erasures, views in sessions; the last of it undone.
func browsing(seed uint64) []event.Event {
	rng := rand.New(rand.NewPCG(seed, 3))
	evs := events(rand.New(rand.NewPCG(seed, 0)), 300, 30)
	for i := range evs {
		evs[i].Amount, evs[i].HasAmount = event.One, evs[i].Type == event.OrderCompleted
	}
	begin := evs[0].Time
	for i := range 200 {
		c := fmt.Sprintf("c%d", rng.IntN(30))
		e := event.Event{
			ID: fmt.Sprintf("v%d", i), Type: event.ProductViewed, CustomerID: c, Time: begin + rng.Int64N(20*dayMS), SessionID: fmt.Sprintf("s%d", rng.IntN(3)),
			Items: things(fmt.Sprintf("i%d", rng.IntN(6))),
		}
		switch rng.IntN(12) {
		case 0:
			e.Type, e.OrderID, e.Items = event.OrderCancelled, fmt.Sprintf("o%d", rng.IntN(300)), nil
		case 1:
			e.Type, e.OrderID, e.Items = event.OrderUpdated, fmt.Sprintf("o%d", rng.IntN(300)), things("j1", "j2")
		case 2:
			e.Type, e.OrderID, e.Items = event.OrderRefunded, fmt.Sprintf("o%d", rng.IntN(300)), nil
		}
		evs = append(evs, e)
	}
	sortByTime(evs)
	end := evs[len(evs)-1].Time + 40*dayMS
	evs = append(evs, event.Event{ID: "last", Type: event.OrderCompleted, CustomerID: "last", OrderID: "last", Time: end, Amount: event.One, HasAmount: true, Items: things("i1", "i2")})
	return append(evs, event.Event{ID: "erased", Type: event.ErasureRequested, CustomerID: "last", Time: end})
}

// The counts are those of the facts, to the bit: the same after a restart, which
// adds up what is there, as before it, when things came and went; and the same
// whatever order they came in, cut into whatever transactions.
func TestCountsAreThoseOfTheFacts(t *testing.T) {
	for seed := range uint64(4) {
		evs := browsing(seed)
		var want map[string]float64
		var items map[string]basket.Item
		for variant := range 4 {
			s := newTill(t, func(c *Config) { c.ClockLag = 24 * time.Hour })
			arrived := evs
			if variant > 0 {
				arrived = delayed(rand.New(rand.NewPCG(seed, uint64(variant))), evs, 23*time.Hour)
			}
			for n := 20 + 60*variant; len(arrived) > 0; arrived = arrived[min(n, len(arrived)):] {
				s.run(arrived[:min(n, len(arrived))]...)
			}
			got := countsOf(s.core.counts)
			for k := range basket.Kind(basket.NumKinds) {
				require.Positive(t, got[fmt.Sprint("total ", k)])
			}
			if want == nil {
				want, items = got, itemsOf(s.core)
			}
			require.Equal(t, want, got, "seed %d, arrival %d", seed, variant)
			require.Equal(t, items, itemsOf(s.core))
			for _, order := range [][]int32{{0, 1, 2}, {2, 1, 0}} {
				s.open(order...)
				require.Equal(t, want, countsOf(s.core.counts), "seed %d, restarted", seed)
			}
		}
	}
}

// Documents as of an instant, offers and all, hang neither on the order of arrival
// nor on transactions and partitions.
func TestOffersDoNotHangOnArrival(t *testing.T) {
	for seed := range uint64(3) {
		evs := browsing(seed)
		asOf := evs[len(evs)-1].Time
		var want []string
		for variant := range 3 {
			s := newTill(t)
			arrived := evs
			if variant > 0 {
				arrived = delayed(rand.New(rand.NewPCG(seed, uint64(variant))), evs, 23*time.Hour)
			}
			for n := 20 + 60*variant; len(arrived) > 0; arrived = arrived[min(n, len(arrived)):] {
				s.run(arrived[:min(n, len(arrived))]...)
			}
			var got []string
			offers := 0
			require.NoError(t, s.core.EachCustomer(t.Context(), asOf, func(doc *score.Scores) error {
				b, err := json.Marshal(doc)
				got = append(got, string(b))
				offers += len(doc.NextBest)
				return err
			}))
			slices.Sort(got)
			require.Greater(t, offers, 20)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got, "seed %d, arrival %d", seed, variant)
		}
	}
}

// An order that is judged counts once, when its transaction is committed: not for
// a transaction that was not, not when it is delivered again or told otherwise.
func TestJudgedOrders(t *testing.T) {
	judged := func(share float64) func(*Config) { return func(c *Config) { c.NextBest.Judged = share } }
	orders := func(s *till) float64 { return s.core.Stats().Verdict[nextbest.ByPopularity][nextbest.AllItems].Orders }
	s := newTill(t, judged(1))
	evs := pairs(10)
	s.run(evs[:20]...)
	s.run(evs[20:]...)
	require.EqualValues(t, len(evs), orders(s))
	require.Len(t, s.core.lessons.latest, len(evs))

	s.process(ordered("c", 30, "A"))
	require.EqualValues(t, len(evs), orders(s), "not committed yet")
	s.run()
	require.EqualValues(t, len(evs)+1, orders(s))

	again := evs[0]
	other := evs[1]
	other.ID, other.Items, other.Time = "other", things("A", "Z"), other.Time-1
	before, _ := facts(t, s.store)
	s.run(again, again, other)
	after, _ := facts(t, s.store)
	require.NotEqual(t, before, after, "the order is another")
	require.EqualValues(t, len(evs)+1, orders(s), "but known already")
	s.run(event.Event{ID: "x", Type: event.ErasureRequested, CustomerID: "other1", Time: onDay(40)}, ordered("other1", 39, "A"))
	require.EqualValues(t, len(evs)+1, orders(s), "forgotten before it came")
	none := ordered("c", 31)
	s.run(none, event.Event{ID: "v", Type: event.ProductViewed, CustomerID: "c", Time: onDay(32), Items: things("A")})
	require.EqualValues(t, len(evs)+1, orders(s), "of no items, and no order")

	v := s.core.Stats().Verdict
	require.EqualValues(t, 10, v[nextbest.ByDangol][nextbest.OldItems].Orders, "those of who bought the same before")
	require.EqualValues(t, 10, v[nextbest.ByDangol][nextbest.OldItems].Recall)

	// A transaction that is not committed ends the session: nothing of it counts.
	s.process(ordered("c", 33, "B"))
	require.NoError(t, s.core.Finish(0))
	s.open(0, 1, 2)
	require.Zero(t, orders(s))
	s.run(ordered("c", 33, "B"))
	require.EqualValues(t, 1, orders(s))

	some := newTill(t, judged(.3))
	var all []event.Event
	for i := range 300 {
		all = append(all, ordered("c"+strconv.Itoa(i), 1, "A"))
	}
	some.run(all...)
	require.InDelta(t, 90, orders(some), 30)
	none0 := newTill(t, judged(0))
	none0.run(all...)
	require.Zero(t, orders(none0))
}

// The audience of an item are those who may be offered it, the likeliest first,
// the same after a restart. Who was erased is nobody.
func TestAudience(t *testing.T) {
	s := newTill(t)
	s.run(pairs(40)...)
	var evs []event.Event
	for i := range 20 {
		evs = append(evs, ordered("a"+strconv.Itoa(i), 30, "A"), ordered("z"+strconv.Itoa(i), 30, "Z"))
	}
	s.run(evs...)
	s.run(event.Event{ID: "x", Type: event.ErasureRequested, CustomerID: "a3", Time: onDay(31)},
		event.Event{ID: "y", Type: event.OrderCancelled, CustomerID: "a4", Time: onDay(31), OrderID: "a4/30"},
		event.Event{ID: "w", Type: event.ProductAdded, CustomerID: "a5", Time: onDay(31), Items: things("B")},
		ordered("a6", 31, "B"))
	audience := func() (ids []string) {
		targets, err := s.core.Audience(t.Context(), "B", 200)
		require.NoError(t, err)
		for i, a := range targets {
			ids = append(ids, a.CustomerID)
			require.Equal(t, "B", a.ItemID)
			require.True(t, i == 0 || targets[i-1].Score > a.Score || targets[i-1].Score == a.Score && ids[i-1] < a.CustomerID)
		}
		return ids
	}
	want := audience()
	for i := range 20 {
		id := "a" + strconv.Itoa(i)
		if i >= 3 && i <= 6 {
			require.NotContains(t, want, id)
		} else {
			require.Contains(t, want, id)
		}
	}
	require.NotContains(t, want, "z1", "what leads to B is A, not Z")
	s.open(1, 0, 2)
	require.ElementsMatch(t, want, audience())
	top, err := s.core.Audience(t.Context(), "B", 3)
	require.NoError(t, err)
	require.Len(t, top, 3)
	_, err = s.core.Audience(t.Context(), "unknown", 3)
	require.ErrorIs(t, err, ErrNotFound)
	s.run(event.Event{ID: "x2", Type: event.ErasureRequested, CustomerID: "a0", Time: onDay(32)}, updated("Z", 32, event.ItemState{HasHidden: true, Hidden: true}))
	require.NotContains(t, audience(), "a0")
	hidden, err := s.core.Audience(t.Context(), "Z", 3)
	require.NoError(t, err)
	require.Empty(t, hidden)
}

// What the affinities topic is told is what goes with an item, once for as long as
// it stays so; where nothing does any more, the record is taken back. Who begins
// anew tells all of it again, and takes back what another may have left.
func TestAffinitiesTopic(t *testing.T) {
	s := newTill(t, func(c *Config) { c.Basket.Publish = 2 })
	told := map[string]int{}
	drain := func() {
		for {
			n := 0
			for _, o := range s.outs {
				if o.To != Affinities {
					continue
				}
				if n++; o.Value == nil {
					told["no more of "+string(o.Key)]++
				} else {
					told[string(o.Key)]++
				}
			}
			require.LessOrEqual(t, n, 2, "in one transaction")
			if p := &s.core.publisher; p.head == len(p.queue) {
				return
			}
			s.run()
		}
	}
	run := func(evs ...event.Event) {
		s.run(evs...)
		drain()
	}
	run(pairs(40)...)
	require.Equal(t, map[string]int{"A": 1, "B": 1}, told, "Z goes with nothing")
	run(ordered("c", 30, "Z"))
	require.Equal(t, map[string]int{"A": 1, "B": 1}, told, "nothing new")
	var more, back []event.Event
	for i := range 30 {
		e := ordered("more"+strconv.Itoa(i), 31, "A", "C")
		more = append(more, e)
		back = append(back, event.Event{ID: e.OrderID, Type: event.OrderCancelled, CustomerID: e.CustomerID, OrderID: e.OrderID, Time: onDay(32)})
	}
	run(more...)
	require.Equal(t, map[string]int{"A": 2, "B": 1, "C": 1}, told, "what goes with B is as it was")
	run(back...)
	require.Equal(t, map[string]int{"A": 3, "B": 1, "C": 1, "no more of C": 1}, told)
	s.open(0, 1, 2)
	s.run()
	drain()
	require.Equal(t, map[string]int{"A": 4, "B": 2, "C": 1, "no more of C": 2, "no more of Z": 1}, told)
}

// Queries are answered beside the transactions and the fits; the race detector
// looks on.
func TestQueriesBesideTheLoop(t *testing.T) {
	s := newTill(t, func(c *Config) {
		c.Score.Learn = score.LearnConfig{Sample: 300, Every: 7 * 24 * time.Hour, MinLabels: 100}
		c.Score.HorizonDays = 30
		c.NextBest.Judged, c.Sweep = 1, 10
	})
	s.run(pairs(60)...)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	answered := make([]int, 6)
	for i, ask := range []func() error{
		func() error { _, err := s.core.Customer(ctx, "pair1", 0); return err },
		func() error { _, err := s.core.Affinities(ctx, "A", "same_order", 5); return err },
		func() error { _, _, err := s.core.Together(ctx, []string{"A", "B"}, "same_order", 5); return err },
		func() error { _, err := s.core.Audience(ctx, "B", 5); return err },
		func() error { _, err := s.core.Customer(ctx, "pair1", onDay(15)); return err },
		func() error { s.core.Stats(); _, err := s.core.Population(ctx, 0); return err },
	} {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := ask(); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				answered[i]++
			}
		})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 60 {
		var evs []event.Event
		for range 5 {
			evs = append(evs, ordered("pair"+strconv.Itoa(rng.IntN(60)), 50+float64(i)+rng.Float64(), "A", "i"+strconv.Itoa(rng.IntN(30))))
		}
		s.run(append(evs, updated("B", 50+float64(i), event.ItemState{HasAvailable: true, Available: i%2 == 0}))...)
		s.core.considerFit()
	}
	stop()
	wg.Wait()
	for _, n := range answered {
		require.Positive(t, n)
	}
}

// The latest word on an item counts, also where it is what was known before, or
// comes after an older one.
func TestLatestWordOnAnItem(t *testing.T) {
	said := func(day float64, category string) event.Event {
		e := ordered("c1", day, "A")
		e.Items[0].Category = category
		return e
	}
	for name, transactions := range map[string][][]event.Event{
		"back within a transaction": {{said(1, "x")}, {said(2, "x")}, {said(3, "y"), said(4, "x")}},
		"late, then again":          {{said(10, "y")}, {said(5, "x")}, {said(20, "x")}},
	} {
		s := newTill(t)
		for _, evs := range transactions {
			s.run(evs...)
		}
		it, ok := s.core.dict.Lookup(event.Hash("A"))
		require.True(t, ok)
		require.Equal(t, "x", it.Category, name)
	}
}
