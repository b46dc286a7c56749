package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// A simulated world: the broker's side of things lives on, the process dies
// and comes back with what a crash leaves of its disk. Everything is in memory
// and follows from a seed.
type world struct {
	rng   *rand.Rand
	input [][]Record
	group map[int32]int64
	log   [][]txn // by partition
	outs  []Output
	said  *testLog
	disk  *vfs.MemFS
	wall  atomic.Int64 // Unix ms

	least  bool // sessions work without transactions
	faults int  // probability of a fault at each step, in 1/1000
	fired  map[string]int
	until  int64 // live clock: the wall time at which every partition's clock must have arrived

	most    int            // records of a transaction
	learned *score.Learned // by the process that came to the end
}

// logStart is the offset of the first record: the log was trimmed before.
const logStart = 1000

const identity = 7

type txn struct {
	recs []LogRecord
	end  int64
}

type killed struct{ at string }

// fault says whether the named one happens now.
func (w *world) fault(name string) bool {
	if w.rng.IntN(1000) >= w.faults {
		return false
	}
	w.fired[name]++
	return true
}

func (w *world) kill(at string) {
	if w.fault("kill " + at) {
		panic(killed{at})
	}
}

func (w *world) logEnd(p int32) int64 {
	if n := len(w.log[p]); n > 0 {
		return w.log[p][n-1].end
	}
	return 0
}

// session is the world's answer to pipeline.Session.
type session struct {
	w     *world
	first map[int32]int64 // where it began
	start map[int32]int64
	outs  []Output
	done  bool
}

// open opens a session that has some partitions; without any, all.
func (w *world) open(ctx context.Context, keeper Keeper, parts ...int32) (*session, error) {
	s := &session{w: w, first: map[int32]int64{}, start: map[int32]int64{}}
	if len(parts) == 0 {
		for p := range int32(len(w.input)) {
			parts = append(parts, p)
		}
	}
	for _, p := range parts {
		if err := s.give(ctx, keeper, p); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// give assigns a partition to the session.
func (s *session) give(ctx context.Context, keeper Keeper, p int32) error {
	w := s.w
	if g, ok := w.group[p]; ok && w.fault("group offset set back") {
		w.group[p] = logStart + w.rng.Int64N(g-logStart+1)
	}
	committed, ok := w.group[p]
	if !ok {
		committed = -1
	}
	start, err := keeper.Restore(ctx, Assignment{Partition: p, Committed: committed, Start: logStart, Identity: identity}, w)
	if err != nil {
		return err
	}
	s.start[p] = start
	if w.fault("records polled again") {
		s.start[p] = max(logStart, start-w.rng.Int64N(20))
	}
	s.first[p] = s.start[p]
	w.kill("after a restore")
	return nil
}

// lose takes a partition away.
func (s *session) lose(p int32) {
	delete(s.start, p)
	delete(s.first, p)
}

func (w *world) Read(_ context.Context, p int32, from int64, fn func([]LogRecord, int64) error) (int64, error) {
	if from > w.logEnd(p) {
		return 0, fmt.Errorf("%w: the state has read further than the log goes", ErrFatal)
	}
	dies := -1
	if n := len(w.log[p]); n > 0 && w.fault("kill in a restore") {
		dies = w.rng.IntN(n)
	}
	for i, t := range w.log[p] {
		if i == dies {
			panic(killed{"in a restore"})
		}
		if t.end > from {
			if err := fn(t.recs, w.logEnd(p)); err != nil {
				return 0, err
			}
		}
	}
	return w.logEnd(p), nil
}

func (w *world) Follow(context.Context, int32, int64, func([]LogRecord) error) error { return nil }

func (s *session) Assigned() []int32 {
	var ps []int32
	for p := range s.start {
		ps = append(ps, p)
	}
	slices.Sort(ps)
	return ps
}

func (s *session) Ends(context.Context, map[int32]int64) (map[int32]int64, error) {
	ends := map[int32]int64{}
	for p, in := range s.w.input {
		ends[int32(p)] = logStart + int64(len(in))
	}
	return ends, nil
}

func (s *session) Begin() error { s.w.kill("before a transaction"); s.outs = nil; return nil }

func (s *session) Poll(_ context.Context, most int) ([]Batch, error) {
	s.w.kill("before a poll")
	if s.w.fault("poll error") {
		return nil, errors.New("connection lost")
	}
	var bs []Batch
	first := s.w.rng.IntN(len(s.w.input)) // so that none has to wait for the others
	for i := range s.w.input {
		p := int32((first + i) % len(s.w.input))
		if _, ours := s.start[p]; !ours {
			continue
		}
		in, from := s.w.input[p], s.start[p]-logStart
		n := min(int64(s.w.rng.IntN(40)), int64(len(in))-from, int64(most))
		if n <= 0 {
			continue
		}
		bs = append(bs, Batch{Partition: p, End: logStart + int64(len(in)), EndAt: s.w.wall.Load(), Records: slices.Clone(in[from : from+n])})
		s.start[p], most = logStart+from+n, most-int(n)
	}
	s.done = len(bs) == 0
	for p, next := range s.start {
		if next < logStart+int64(len(s.w.input[p])) {
			s.done = false
		}
	}
	return bs, nil
}

func (s *session) Produce(outs []Output) {
	for _, o := range outs {
		o.Key, o.Value = bytes.Clone(o.Key), bytes.Clone(o.Value)
		s.outs = append(s.outs, o)
	}
	s.w.kill("after producing")
}

func (s *session) End(_ context.Context, commit bool, next map[int32]int64) (bool, map[int32]int64, error) {
	w := s.w
	w.kill("before the end")
	if w.least {
		return s.endLeast(commit, next)
	}
	if !commit || w.fault("abort") {
		s.done = false
		for p, first := range s.first { // the client goes back to what is committed
			if s.start[p] = first; w.group[p] > first {
				s.start[p] = w.group[p]
			}
		}
		return false, nil, nil
	}
	if w.fault("end error, not committed") {
		return false, nil, errors.New("connection lost")
	}
	positions := s.commit(next)
	w.kill("after the commit, before the store")
	if w.fault("end error, committed") {
		return false, nil, errors.New("connection lost")
	}
	return true, positions, nil
}

func (s *session) commit(next map[int32]int64) map[int32]int64 {
	w := s.w
	positions := map[int32]int64{}
	logs := map[int32][]LogRecord{}
	for _, o := range s.outs {
		if o.To == Pairs {
			w.said.add(o)
			continue
		}
		if o.To != Changelog {
			w.outs = append(w.outs, o)
			continue
		}
		at := w.logEnd(o.Partition) + int64(len(logs[o.Partition]))
		logs[o.Partition] = append(logs[o.Partition], LogRecord{Offset: at, Key: o.Key, Value: o.Value})
		positions[o.Partition] = at + 1
	}
	for p, recs := range logs {
		// Commit markers occupy an offset, aborted ones more.
		w.log[p] = append(w.log[p], txn{recs, w.logEnd(p) + int64(len(recs)) + 1 + int64(w.rng.IntN(2))})
	}
	for p, n := range next {
		w.group[p] = n
	}
	return positions
}

func (s *session) Close() {}

// plainJSON decodes what the tests encode.
type plainJSON struct{}

func (plainJSON) Decode(data []byte, ev *event.Event) error {
	if len(data) == 0 {
		return &event.Reject{Reason: event.Empty, Offset: -1}
	}
	return json.Unmarshal(data, ev)
}

func (plainJSON) Release() {}

// plainEncoder writes what the checks need.
type plainEncoder struct{}

func (plainEncoder) AppendScores(dst []byte, s *score.Scores) []byte {
	return fmt.Appendf(dst, "%d", s.Version)
}

func (e plainEncoder) AppendChange(dst []byte, c *score.Change, doc []byte) []byte {
	if c.Scores != nil && string(doc) != string(e.AppendScores(nil, c.Scores)) {
		panic("a change with another document: " + string(doc))
	}
	return fmt.Appendf(dst, "%d %s %s%s %d", c.Version, c.Cause.Kind, c.Cause.Timer, c.Cause.EventID, c.At)
}

func (plainEncoder) AppendAffinities(dst []byte, a *score.ItemAffinities) []byte {
	return append(dst, a.ItemID...)
}

func (plainEncoder) AppendModels(dst []byte, l *score.Learned) []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	return append(dst, b...)
}

func (plainEncoder) ParseModels(b []byte) (*score.Learned, error) {
	l := new(score.Learned)
	return l, json.Unmarshal(b, l)
}

func testConfig() Config {
	return Config{
		Ledger: ledger.DefaultConfig(), Score: score.DefaultConfig(), Basket: basket.DefaultConfig(),
		NextBest: nextbest.DefaultConfig(), Zone: time.UTC, Topic: "events", Late: ApplyLate, Clock: EventClock,
		ClockLag: 24 * time.Hour, FutureSkew: time.Minute,
	}
}

// fixCuts makes scores depend on nobody else but through what is learned.
func fixCuts(t testing.TB, cfg *Config) {
	t.Helper()
	cfg.Score.Offers = 0
	cfg.Score.RFM.Cuts = "fixed"
	cfg.Score.RFM.Fixed.Recency = []float64{5, 10, 20, 40}
	cfg.Score.RFM.Fixed.Frequency = []float64{1, 2, 4, 8}
	cfg.Score.RFM.Fixed.Monetary = []float64{50, 100, 200, 400}
	require.NoError(t, cfg.Score.Validate())
}

func openStore(t testing.TB, fs vfs.FS, hot int64) *state.Store {
	t.Helper()
	cfg := state.DefaultConfig()
	cfg.Dir, cfg.HotBytes = "state", hot
	store, err := state.Open(cfg, fs, state.Observer{})
	require.NoError(t, err)
	return store
}

func newTestCore(cfg Config, store *state.Store, w *world) *Core {
	now := func() time.Time { return time.UnixMilli(w.wall.Load()) }
	c := NewCore(cfg, store, plainEncoder{}, func() (Decoder, error) { return plainJSON{}, nil }, now)
	c.places = 3 // so that residents drive each other out
	c.leastBuyers = 100
	c.leastLog = 20_000
	return c
}

// live runs processes until the input is used up: each dies at some fault, and
// the next one goes on from what the crash left.
func (w *world) live(t *testing.T, cfg Config) *state.Store {
	for lives := 0; ; lives++ {
		require.Less(t, lives, 1000, "no progress: %v", w.fired)
		store := openStore(t, w.disk, 1<<20)
		if w.life(t, cfg, store) {
			return store
		}
		next := w.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: w.rng.IntN(101), RNG: w.rng})
		_ = store.Close() // its disk is of another world by now
		w.disk = next
	}
}

func (w *world) life(t *testing.T, cfg Config, store *state.Store) (finished bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	core := newTestCore(cfg, store, w)
	defer core.Close()
	require.NoError(t, core.Join(t.Context(), w.said.reader()))
	loop := &Loop{Core: core, Cfg: LoopConfig{CommitInterval: time.Hour, MaxRecords: w.most}, Now: core.now, Log: slog.New(slog.DiscardHandler)}
	for {
		s, err := w.open(t.Context(), core)
		require.NoError(t, err)
		w.modelsAreThoseOfTheStore(t, core)
		for err == nil {
			w.wall.Add(1500)
			if s.done && w.until > 0 {
				w.wall.Add(40 * 3_600_000)
			}
			if s.done || w.rng.IntN(4) == 0 {
				core.background.Wait() // what goes on beside it may also end later, or with the process
			}
			if err = loop.transaction(t.Context(), s); err == nil && s.done && !core.timersDue() && core.arrived(w.until) && core.settled() {
				w.learned = core.models.Load().Learned()
				w.modelsAreThoseOfTheStore(t, core)
				core.closeAll()
				return true
			}
			require.NotErrorIs(t, err, ErrFatal)
			if w.fault("flush") {
				require.NoError(t, store.Flush())
			}
		}
		core.closeAll()
	}
}

// arrived says whether every partition's clock has reached a time.
func (c *Core) arrived(until int64) bool {
	for _, s := range c.shards {
		if s.pos.MaxTime != 0 && s.pos.Clock < until {
			return false
		}
	}
	return true
}

// settled says that nothing more will be learned, and that everybody has been
// looked at for what was.
func (c *Core) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, l := c.nextFit(), &c.learning
	learning := c.shards[0] != nil && c.cfg.Score.Learn.Sample > 0 && c.agg.Buyers() >= c.leastBuyers && next.follows(&l.last)
	busy := l.running || l.done != nil || l.survey != nil || l.question != nil || l.answering || len(l.answers) > 0
	ends, _ := c.shared.log.Ends(context.Background())
	for _, s := range c.shards {
		if c.cfg.Sweep > 0 && (s.swept != c.moved || s.sweeping != 0) {
			return false
		}
	}
	return !learning && !busy && reached(c.shared.at, ends)
}

// modelsAreThoseOfTheStore compares the models that were kept up to date with
// those that a scan gives.
func (w *world) modelsAreThoseOfTheStore(t *testing.T, core *Core) {
	t.Helper()
	if w.least {
		return // what was told twice counts twice
	}
	core.background.Wait()
	require.NoError(t, core.pull())
	agg, counts := score.NewAggregate(), basket.New(core.cfg.Basket)
	rules := core.rules()
	source := basket.NewSource(core.cfg.Basket, &rules)
	parts, err := core.store.Partitions()
	require.NoError(t, err)
	for _, p := range parts {
		require.NoError(t, core.each(p, &rules, func(_ []byte, led *ledger.Ledger, em *score.Emission) error {
			agg.Add(em)
			source.Each(led, counts.Apply)
			return nil
		}))
	}
	counts.Advance(core.counts.Now())
	var cuts score.Cuts // published with hysteresis
	require.Equal(t, agg.Population(0, cuts), core.agg.Population(0, cuts))
	require.Equal(t, countsOf(counts), countsOf(core.counts))
}

// countsOf is all that co-occurrence counts hold, to the bit, by name: their
// places hang on who came first.
func countsOf(c *basket.Counts) map[string]float64 {
	m := map[string]float64{"pairs": float64(c.Pairs()), "triples": float64(c.Triples()), "giants": float64(c.Giants()), "now": float64(c.Now())}
	c.EachItem(func(item uint64, n float64) { m[fmt.Sprintf("orders %x", item)] = n })
	for k := range basket.Kind(basket.NumKinds) {
		m[fmt.Sprint("total ", k)] = c.Total(k)
		c.EachPair(k, func(a, b uint64, n float64) {
			m[fmt.Sprintf("%s %x %x", k, a, b)] = n
			v := c.Table2(k, a, b)
			m[fmt.Sprintf("%s %x before", k, a)], m[fmt.Sprintf("%s %x after", k, b)] = v.A, v.B
			on, back := c.Direction(c.Ref(a), c.Ref(b))
			m[fmt.Sprintf("on from %x to %x", a, b)], m[fmt.Sprintf("back from %x to %x", a, b)] = on, back
			m[fmt.Sprintf("%x again", a)], _ = c.Again(c.Ref(a))
		})
	}
	return m
}

// itemsOf is what the dictionary knows of the items that are in orders.
func itemsOf(c *Core) map[string]basket.Item {
	m := map[string]basket.Item{}
	c.counts.EachItem(func(item uint64, _ float64) {
		if it := c.dict.Get(item); it != nil {
			it := *it
			// When a thing was said again is not stored: it says nothing new.
			it.Categorised, it.Priced, it.Stocked, it.Shown, it.Restricted = 0, 0, 0, 0, 0
			m[it.ID] = it
		}
	})
	return m
}

// events makes a stream with everything in it that the facts care about.
func events(rng *rand.Rand, n, customers int) []event.Event {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	var evs []event.Event
	for i := range n {
		at += rng.Int64N(4 * 3_600_000)
		e := event.Event{
			ID: fmt.Sprintf("e%d", i), CustomerID: fmt.Sprintf("c%d", rng.IntN(customers)), Time: at,
			Type: event.ProductViewed, Items: []event.Item{{ID: fmt.Sprintf("i%d", rng.IntN(6)), Quantity: event.One}},
		}
		switch k := rng.IntN(10); {
		case k < 5:
			e.Type, e.OrderID = event.OrderCompleted, fmt.Sprintf("o%d", i)
			e.Amount, e.HasAmount = event.Micro(1+rng.IntN(100))*event.One, true
			e.Items = append(e.Items, event.Item{ID: fmt.Sprintf("j%d", rng.IntN(6)), Quantity: event.One})
		case k == 5 && i > 10:
			e.Type, e.OrderID, e.Items = event.OrderRefunded, fmt.Sprintf("o%d", i-rng.IntN(10)), nil
			e.Amount, e.HasAmount = event.One, true
		case k == 6 && rng.IntN(4) == 0:
			e.Type, e.Items = event.ErasureRequested, nil
		}
		evs = append(evs, e)
		if rng.IntN(10) == 0 {
			evs = append(evs, e) // delivered twice
		}
	}
	for i := range evs { // late by up to some hours
		j := min(len(evs)-1, i+rng.IntN(4))
		evs[i], evs[j] = evs[j], evs[i]
	}
	return evs
}

// today is the wall clock's time when a world begins.
var today = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// newWorld spreads events over partitions by customer.
func newWorld(seed uint64, evs []event.Event, partitions, faults int) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), input: make([][]Record, partitions), log: make([][]txn, partitions),
		said:  newTestLog(partitions),
		group: map[int32]int64{}, disk: vfs.NewCrashableMem(), faults: faults, fired: map[string]int{}, most: 100,
	}
	w.wall.Store(today)
	for i := range evs {
		p := event.Hash(evs[i].CustomerID) % uint64(partitions)
		value, _ := json.Marshal(&evs[i])
		if i%17 == 0 {
			w.input[p] = append(w.input[p], Record{Offset: logStart + int64(len(w.input[p])), Key: []byte("x")})
		}
		w.input[p] = append(w.input[p], Record{Offset: logStart + int64(len(w.input[p])), Key: []byte(evs[i].CustomerID), Value: value, Timestamp: today})
	}
	return w
}

// facts are every customer's bytes in a store.
func facts(t *testing.T, store *state.Store) (bytes map[string]string, versions map[string]uint64) {
	t.Helper()
	bytes, versions = map[string]string{}, map[string]uint64{}
	require.NoError(t, EachFacts(store, func(id string, facts []byte, version uint64) error {
		require.NotContains(t, bytes, id, "in two partitions")
		bytes[id], versions[id] = string(facts), version
		return nil
	}))
	return bytes, versions
}

// Whatever dies at whatever moment: afterwards the facts are those of an
// uninterrupted replay in event-time order; what was said of each customer, by
// events and by timers, is what an undisturbed process says, once, numbered from
// 1 to the ledger's version; every bad record is one dead letter; and the models
// are those that a scan of the state gives.
func TestNothingLostNothingDoubled(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	fired := map[string]int{}
	for seed := range uint64(seeds) {
		evs := events(rand.New(rand.NewPCG(seed, 0)), 400, 12)
		cfg := testConfig()
		cfg.Score.Learn.Sample = 0 // for what is said hangs on when a fit was through
		// Nothing that is said may hang on when the models were published.
		fixCuts(t, &cfg)
		w := newWorld(seed, evs, 3, 30)
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
		require.Equal(t, said(t, calm), said(t, w), "seed %d", seed)
		checkOutputs(t, w, versions)
	}
	for _, step := range []string{
		"abort", "poll error", "flush", "end error, committed", "end error, not committed", "kill before a transaction",
		"kill before a poll", "kill after producing", "kill before the end", "kill after the commit, before the store",
		"kill in a restore", "kill after a restore", "group offset set back", "records polled again",
	} {
		require.NotZero(t, fired[step], "%q never happened", step)
	}
}

// timersHaveFired looks for a customer whose crossing its partition's clock has
// passed.
func timersHaveFired(t *testing.T, store *state.Store, until int64) {
	t.Helper()
	parts, err := store.Partitions()
	require.NoError(t, err)
	timers := 0
	for _, p := range parts {
		b, _, err := store.Position(p)
		require.NoError(t, err)
		pos, err := DecodePosition(b)
		require.NoError(t, err)
		require.NoError(t, store.Scan(p, []byte{customerKey}, func(key, val []byte, due int64) error {
			var em score.Emission
			_, emission, err := splitBlob(val)
			require.NoError(t, errors.Join(err, em.Decode(emission)))
			require.Equal(t, em.Next, due)
			if em.Next != 0 {
				timers++
				require.Greater(t, em.Next, max(until, pos.Clock), "customer %s", key[1:])
			}
			return nil
		}))
	}
	require.NotZero(t, timers)
}

// said are the changes of each customer, in their order, as far as every
// partition's clock went.
func said(t *testing.T, w *world) map[string][]string {
	m := map[string][]string{}
	for _, o := range w.outs {
		if o.To != Changes {
			continue
		}
		v := string(o.Value)
		at, err := strconv.ParseInt(v[strings.LastIndexByte(v, ' ')+1:], 10, 64)
		require.NoError(t, err)
		if w.until == 0 || at <= w.until {
			m[string(o.Key)] = append(m[string(o.Key)], v)
		}
	}
	return m
}

// future is a world whose wall clock has passed all events.
func future() *world {
	w := new(world)
	w.wall.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	return w
}

// checkFacts compares the facts with those of an uninterrupted replay in event-time
// order, and returns the versions of the ledgers.
func checkFacts(t *testing.T, cfg Config, evs []event.Event, store *state.Store, seed uint64) (versions map[string]uint64) {
	t.Helper()
	got, versions := facts(t, store)
	sorted := slices.Clone(evs)
	slices.SortStableFunc(sorted, func(a, b event.Event) int { return int(a.Time - b.Time) })
	calm := openStore(t, vfs.NewMem(), 1<<20)
	defer calm.Close()
	cfg.ClockLag = 0
	r := Replay{Core: newTestCore(cfg, calm, future()), Batch: 50}
	_, err := r.Run(t.Context(), yield(sorted), 0)
	require.NoError(t, err)
	want, _ := facts(t, calm)
	require.Len(t, got, len(want), "seed %d", seed)
	for id := range want {
		require.True(t, want[id] == got[id], "seed %d: facts of %s differ: %x, want %x", seed, id, got[id], want[id])
	}
	return versions
}

func checkOutputs(t *testing.T, w *world, versions map[string]uint64) {
	t.Helper()
	last, letters, empty := map[string]uint64{}, 0, 0
	for _, o := range w.outs {
		switch o.To {
		case Changes:
			var v uint64
			_, err := fmt.Sscan(string(o.Value), &v)
			require.NoError(t, err)
			require.Equal(t, last[string(o.Key)]+1, v, "customer %s", o.Key)
			last[string(o.Key)] = v
		case DeadLetters:
			letters++
		}
	}
	require.Equal(t, versions, last)
	for _, in := range w.input {
		for _, r := range in {
			if len(r.Value) == 0 {
				empty++
			}
		}
	}
	require.Equal(t, empty, letters, "dead letters")
}
