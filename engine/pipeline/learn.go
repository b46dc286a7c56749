package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// learning is the fitting of models beside the data path.
//
// A fit is as of an instant of a grid, and is begun when every partition has
// passed it; so what it rests on is complete, and every run of the same stream
// makes the same fit, whenever it gets to it. It reads committed state only. Its
// outcome waits for the next transaction, in which it is adopted, stored with
// each partition and published; so a state and the models that it was scored
// with come and go together.
type learning struct {
	running bool
	last    int64          // instant of the latest fit that was begun
	rest    time.Time      // no other one before
	done    *score.Learned // waits to be adopted
	failed  uint64
	seconds float64 // that the latest fit took
}

const (
	leastBuyers = 200 // sampled, for a fit
	// fitShare bounds what fitting may take: a fit of a second is followed by so
	// many seconds without one, so that catching up on years of history is not
	// slowed down by a fit for each of their days.
	fitShare = 20
	leastFit = time.Second
)

// fitAt is the instant as of which a fit may be made now: the latest one of the
// grid that every partition has passed or will not come to, as its end is
// reached; 0: none. c.mu is held.
func (c *Core) fitAt() int64 {
	clock := int64(0)
	for _, p := range c.clocks {
		clock = max(clock, p.Clock)
	}
	for part, p := range c.clocks {
		if s := c.shards[part]; s != nil && !s.exhausted() {
			clock = min(clock, p.Clock)
		}
	}
	return onGrid(clock, c.cfg.Score.Learn.Every.Milliseconds())
}

// onGrid is the instant before the latest grid point up to clock; the grid of a
// week begins on Mondays.
func onGrid(clock, every int64) int64 {
	const monday = 4 * rhythm.DayMS // 1970-01-05
	if every <= 0 || clock < monday+every {
		return 0
	}
	return (clock-monday)/every*every + monday - 1
}

// exhausted says whether the partition has given all that it had.
func (s *shard) exhausted() bool { return s.endAt != 0 && (s.pos.Next >= s.end || s.idle) }

// considerFit begins a fit in the background where one is due. It runs after a
// commit, on the loop's goroutine.
func (c *Core) considerFit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &c.learning
	if l.running || l.done != nil || len(c.buyers.top) < leastBuyers || c.now().Before(l.rest) {
		return
	}
	at := c.fitAt()
	if at == 0 || at <= l.last {
		return
	}
	l.running, l.last = true, at
	members, prev, generation := slices.Clone(c.buyers.top), c.models.Load().Learned(), c.sessions
	began := c.now()
	c.background.Go(func() {
		learned, err := c.fit(members, prev, at)
		took := c.now().Sub(began)
		c.mu.Lock()
		defer c.mu.Unlock()
		l.running, l.seconds, l.rest = false, took.Seconds(), c.now().Add(max(fitShare*took, leastFit))
		switch {
		case err != nil:
			l.failed++
			l.last = 0 // again, when it has rested
		case generation != c.sessions: // the partitions may be others now
			l.last = 0
		default:
			l.done = learned
		}
	})
}

// fit learns from customers as of an instant.
func (c *Core) fit(members []sampled, prev *score.Learned, at int64) (*score.Learned, error) {
	rules := c.rules()
	n := score.NewLearner(&c.cfg.Score, &rules, at)
	slices.SortFunc(members, func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
	var led ledger.Ledger
	var em score.Emission
	var buf []byte
	for i := range members {
		m := &members[i]
		val, _, ok, err := c.store.Get(m.partition, append([]byte{customerKey}, m.id...), buf)
		if err != nil {
			return nil, fmt.Errorf("learn: %w", err)
		}
		if buf = val; !ok {
			continue
		}
		if err := decodeBlob(val, &led, &em, rules.Intern); err != nil {
			return nil, fmt.Errorf("learn: %w", err)
		}
		if !nobody(&led) {
			n.Add(m.hash, &led)
		}
	}
	return n.Learn(prev), nil
}

// adopt takes what a fit has brought into the open transaction: the models
// score from the next event on, every partition stores them, and they are
// published. It runs where no shard works.
func (c *Core) adopt() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	learned := c.learning.done
	if learned == nil || len(c.shards) == 0 {
		return nil
	}
	c.learning.done = nil
	return c.install(learned)
}

// install makes models of what was learned the present ones. c.mu is held.
func (c *Core) install(learned *score.Learned) error {
	old := c.models.Load()
	models, err := old.With(&c.cfg.Score, learned)
	if err != nil {
		return fmt.Errorf("learned models: %w", err)
	}
	c.models.Store(models)
	if !learned.Same(old.Learned()) {
		c.moved++
	}
	val := c.enc.AppendModels(nil, learned)
	published := false
	for _, s := range c.shards {
		s.touched = true
		if err := s.table.Put([]byte{modelsKey}, val, 0); err != nil {
			return err
		}
		if !published {
			published = true
			s.out.open(Models, -1, []byte("models"))
			s.out.arena = append(s.out.arena, val...)
			s.out.close()
		}
	}
	return nil
}

// restoreModels takes the models that a partition was last scored with: the
// newest of all partitions count. Models of another horizon, or that this
// version cannot read, are left: others will be learned.
func (c *Core) restoreModels(val []byte) {
	learned, err := c.enc.ParseModels(val)
	if err != nil || learned.Version <= c.models.Load().Learned().Version {
		return
	}
	if models, err := c.models.Load().With(&c.cfg.Score, learned); err == nil {
		c.models.Store(models)
		c.learning.last = max(c.learning.last, learned.At)
	}
}

// Close waits for a fit that is under way. The store may be closed then.
func (c *Core) Close() { c.background.Wait() }

// fitNow fits and adopts at once, for a replay: as of the latest instant of the
// grid, where it is later than the last one and growth says that enough has
// come since.
func (c *Core) fitNow(growth float64) error {
	if c.cfg.Score.Learn.Sample == 0 || len(c.buyers.top) < leastBuyers {
		return nil
	}
	at, l := c.fitAt(), &c.learning
	if at <= l.last || at-c.began < int64(float64(l.last-c.began)*growth) {
		return nil
	}
	learned, err := c.fit(slices.Clone(c.buyers.top), c.models.Load().Learned(), at)
	if err != nil {
		return err
	}
	l.last, l.done = at, learned
	return nil
}

// learnAt learns from the facts up to an instant alone: from the built-in
// parameters, and from the sample that the buyers of then make.
func (c *Core) learnAt(ctx context.Context, asOf int64) (*score.Learned, error) {
	start := score.BuiltIn(c.cfg.Score.HorizonDays)
	if c.cfg.Score.Learn.Sample == 0 {
		return start, nil
	}
	rules := c.rules()
	buyers := newSample(c.cfg.Score.Learn.Sample)
	part := int32(0)
	err := c.eachThen(ctx, asOf, &rules, nil, func(p int32, id []byte, then *ledger.Ledger) error {
		part = p
		if s := then.Sales(&rules); then.Fold.Orders > 0 || s.Next() {
			buyers.meet(part, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(buyers.top) < leastBuyers {
		return start, nil
	}
	return c.fit(buyers.top, start, asOf)
}

// Models implements Query.
func (c *Core) Models(context.Context) (*score.Learned, error) {
	if err := c.Ready(); err != nil {
		return nil, err
	}
	return c.models.Load().Learned(), nil
}

// ModelsAt is what is learned from the facts up to an instant.
func (c *Core) ModelsAt(ctx context.Context, asOf int64) (*score.Learned, error) {
	in, err := c.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return in.models.Learned(), nil
}

var errStop = errors.New("enough")

// sweep looks at customers whose scores the models alone may have changed: some
// of them in each transaction, in the order of their keys, so that new models
// are told over minutes and not in a storm. A pass that newer models overtake
// goes on to its end and is followed by another.
func (s *shard) sweep() error {
	c := s.core
	if s.swept == c.moved && s.sweeping == 0 || c.cfg.Sweep == 0 {
		return nil
	}
	if s.sweeping == 0 {
		s.sweeping, s.cursor = c.moved, append(s.cursor[:0], customerKey)
	}
	keys, err := nextKeys(c.store, s.part, s.cursor, c.cfg.Sweep)
	if err != nil {
		return err
	}
	for _, key := range keys {
		s.key = append(s.key[:0], key...)
		if err := s.look(); err != nil {
			return err
		}
	}
	if len(keys) < c.cfg.Sweep {
		s.swept, s.sweeping = s.sweeping, 0
		return nil
	}
	s.cursor = append(s.cursor[:0], keys[len(keys)-1]...)
	return nil
}

// nextKeys are at most n committed customers' keys after one.
func nextKeys(store *state.Store, part int32, after []byte, n int) (keys [][]byte, err error) {
	err = store.ScanAfter(part, []byte{customerKey}, after, func(key, _ []byte, _ int64) error {
		keys = append(keys, slices.Clone(key))
		if len(keys) == n {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return keys, err
}

// look scores a customer again because the models moved.
func (s *shard) look() error {
	if err := s.load(); err != nil {
		return err
	}
	r := s.cur
	if !r.known || !r.em.Buyer {
		return nil
	}
	id, now := string(s.key[1:]), max(s.pos.Clock, r.em.AsOf)
	s.catchUp(id, now)
	was := r.em
	s.rescore(id, now, score.Cause{Kind: "model"})
	if was.AsOf = r.em.AsOf; was == r.em {
		return nil
	}
	return s.put(r)
}
