package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
)

// learning is the fitting of models beside the data path.
//
// A fit is as of an instant of a grid, and is begun when every partition has
// passed it; so what it rests on is complete, and every run of the same stream
// ends with the same fit, whenever it gets to it. It reads committed state only.
// Its outcome waits for the next transaction, in which it is stored with each
// partition and published; it counts from that transaction's commit on. So a
// state and the models that it was scored with come and go together.
type learning struct {
	running bool
	last    fitting        // the latest one that was begun since the partitions are what they are
	rest    time.Time      // no other one before
	done    *score.Learned // waits to be adopted
	failed  uint64
	seconds float64 // that the latest fit took
}

// fitting is what a fit rests on.
type fitting struct {
	at int64 // instant; 0: none
	// behind are the partitions that had not passed it but were at their end, and
	// the offset of that. Where more comes to one of them after all, the fit is
	// made again.
	behind map[int32]int64
}

// follows says whether there is more to learn from than there was.
func (f *fitting) follows(o *fitting) bool {
	return f.at > o.at || f.at != 0 && f.at == o.at && !maps.Equal(f.behind, o.behind)
}

const (
	leastBuyers = 200 // sampled, for a fit
	// fitShare bounds what fitting may take: a fit of a second is followed by so
	// many seconds without one, so that catching up on years of history is not
	// slowed down by a fit for each of their days.
	fitShare = 20
	leastFit = time.Second
)

// nextFit is the fit that may be made now: as of the latest instant of the grid
// that every partition has passed or will not come to, as its end is reached.
// c.mu is held.
func (c *Core) nextFit() fitting {
	lag := int64(0)
	if c.cfg.Clock == LiveClock { // which runs ahead of what may still come in time
		lag = c.cfg.ClockLag.Milliseconds()
	}
	clock := int64(0)
	for _, p := range c.clocks {
		clock = max(clock, p.Clock)
	}
	for part, p := range c.clocks {
		if s := c.shards[part]; s != nil && !s.exhausted() {
			clock = min(clock, p.Clock)
		}
	}
	f := fitting{at: onGrid(clock-lag, c.cfg.Score.Learn.Every.Milliseconds()), behind: map[int32]int64{}}
	for part, p := range c.clocks {
		if p.Clock-lag < f.at {
			f.behind[part] = p.Next
		}
	}
	return f
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
	if c.cfg.Score.Learn.Sample == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &c.learning
	if l.running || l.done != nil || c.buyers < c.leastBuyers || c.now().Before(l.rest) {
		return
	}
	next := c.nextFit()
	if !next.follows(&l.last) {
		return
	}
	l.running, l.last = true, next
	prev, generation, began := c.models.Load().Learned(), c.generation, c.now()
	c.background.Go(func() {
		learned, err := c.learn(c.life, prev, next.at)
		c.mu.Lock()
		defer c.mu.Unlock()
		took := c.now().Sub(began)
		l.running, l.seconds, l.rest = false, took.Seconds(), c.now().Add(max(fitShare*took, leastFit))
		if err != nil {
			l.failed++
		}
		switch {
		case generation != c.generation: // it is of other partitions than those of now
		case err != nil:
			l.last = fitting{} // again, when it has rested
		case learned == prev || learned.At == prev.At && learned.Same(prev) && learned.OffersAs(prev): // nothing new
		default:
			l.done = learned
		}
	})
}

// learn fits models to what the customers' facts up to an instant are, beginning
// at prev. It is prev where there are too few customers, or nothing is to be
// learned.
func (c *Core) learn(ctx context.Context, prev *score.Learned, at int64) (*score.Learned, error) {
	if c.cfg.Score.Learn.Sample == 0 {
		return prev, nil
	}
	rules := c.rules()
	buyers, err := c.sampleAt(ctx, &rules, at)
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	if len(buyers.top) < c.leastBuyers {
		return prev, nil
	}
	slices.SortFunc(buyers.top, func(a, b sampled) int { return cmp.Compare(a.hash, b.hash) })
	n := score.NewLearner(&c.cfg.Score, &rules, at)
	var led ledger.Ledger
	var em score.Emission
	var buf []byte
	for i := range buyers.top {
		m := &buyers.top[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
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
	learned := n.Learn(prev)
	c.learnOffers(learned, at)
	if _, err := score.NewModels(&c.cfg.Score, learned); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	return learned, nil
}

// learnAt learns from the facts up to an instant alone. What is learned so was
// never published: its version is 0.
func (c *Core) learnAt(ctx context.Context, asOf int64) (*score.Learned, error) {
	start := score.BuiltIn(c.cfg.Score.HorizonDays)
	learned, err := c.learn(ctx, start, asOf)
	if err != nil || learned == start {
		return learned, err
	}
	l := *learned
	l.Version = 0
	return &l, nil
}

// fitNow fits at once, for a replay: as of the latest instant of the grid, where
// it is later than the last one and growth says that enough has come since.
func (c *Core) fitNow(ctx context.Context, growth float64) error {
	if c.cfg.Score.Learn.Sample == 0 || c.buyers < c.leastBuyers {
		return nil
	}
	next, l := c.nextFit(), &c.learning
	if next.at <= l.last.at || next.at-c.began < int64(float64(l.last.at-c.began)*growth) {
		return nil
	}
	prev := c.models.Load().Learned()
	learned, err := c.learn(ctx, prev, next.at)
	if err != nil {
		return err
	}
	if l.last = next; learned != prev {
		l.done = learned
	}
	return nil
}

// Close gives up what is being read for a fit and waits for the end of one that
// computes. The store may be closed then.
func (c *Core) Close() {
	c.end()
	c.background.Wait()
}
