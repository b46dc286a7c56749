package pipeline

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/dangol-dev/dangol/engine/rhythm"
	"github.com/dangol-dev/dangol/engine/score"
)

// learning is the fitting of models beside the data path.
//
// A fit is as of an instant of a grid, and is begun when every partition has
// passed it; so what it rests on is complete, and every run of the same stream
// ends with the same fit, whenever it gets to it, on however many instances. It
// reads committed state only. Its outcome is told on the shared log, in a
// transaction; from there on it counts.
type learning struct {
	last    fitting        // the latest one that was begun
	rest    time.Time      // no other one before
	running bool           // a fit
	done    *score.Learned // waits to be told
	failed  uint64
	seconds float64 // that the latest fit took

	survey    *survey // that the log told of last, until it is complete
	seen      uint64  // its id
	asked     uint64  // the id of the latest that was asked for here
	askedAt   time.Time
	question  []byte // that waits to be told
	answering bool
	answers   []answer // that wait to be told

	toldAnswers int            // of answers, that the open transaction tells
	toldModels  *score.Learned // likewise
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
// that every partition has passed or will not come to, as its end is reached. A
// partition that nobody has told of yet may have anything. c.mu is held.
func (c *Core) nextFit() fitting {
	lag := int64(0)
	if c.cfg.Clock == LiveClock { // which runs ahead of what may still come in time
		lag = c.cfg.ClockLag.Milliseconds()
	}
	clock := int64(0)
	for _, p := range c.clocks {
		clock = max(clock, p.Clock)
	}
	for _, p := range c.clocks {
		if !p.exhausted {
			clock = min(clock, p.Clock)
		}
	}
	if len(c.clocks) < len(c.shared.at) {
		clock = 0
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
func (s *shard) exhausted() bool { return s.endAt != 0 && s.pos.Next >= s.end }

// considerFit asks for what models are fitted to, where a fit is due, and begins
// it in the background where all is there. It runs after a commit, on the loop's
// goroutine. One instance learns for all: that with the first partition.
func (c *Core) considerFit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.considerAnswer() // also for others, where nothing is learned here
	l, answered := &c.learning, c.complete()
	if c.cfg.Score.Learn.Sample == 0 {
		return
	}
	if c.shards[0] == nil || l.running || l.done != nil || l.question != nil || c.agg.Buyers() < c.leastBuyers {
		return
	}
	if answered != nil {
		c.beginFit(answered)
		return
	}
	if s := l.survey; s != nil && s.id == l.asked {
		if c.now().Sub(l.askedAt) > answersWithin {
			c.ask(s.at, s.below)
		}
		return
	}
	next := c.nextFit()
	if c.now().Before(l.rest) || !next.follows(&l.last) {
		return
	}
	l.last = next
	if at := c.models.Load().Learned().At; next.at > at || next.at == at && len(next.behind) > 0 {
		c.ask(next.at, lowest(c.cfg.Score.Learn.Sample, c.agg.Buyers()))
	}
}

// beginFit fits to what a survey has brought, in the background. c.mu is held.
func (c *Core) beginFit(s *survey) {
	l := &c.learning
	buyers, short := s.sample(c.cfg.Score.Learn.Sample)
	if short {
		c.ask(s.at, s.wider(c.cfg.Score.Learn.Sample))
		return
	}
	if len(buyers) < c.leastBuyers {
		return
	}
	l.running = true
	prev, began := c.models.Load().Learned(), c.now()
	c.background.Go(func() {
		learned, err := c.fit(c.life, prev, s.at, buyers)
		c.mu.Lock()
		defer c.mu.Unlock()
		took := c.now().Sub(began)
		l.running, l.seconds, l.rest = false, took.Seconds(), c.now().Add(max(fitShare*took, leastFit))
		switch {
		case err != nil:
			l.failed++
			l.last = fitting{} // again, when it has rested
		case learned.At == prev.At && learned.Same(prev) && learned.OffersAs(prev): // nothing new
		default:
			l.done = learned
		}
	})
}

// learn fits models to what the customers' facts of our partitions up to an instant
// are, beginning at prev. It is prev where there are too few customers, or nothing
// is to be learned.
func (c *Core) learn(ctx context.Context, prev *score.Learned, at int64) (*score.Learned, error) {
	if c.cfg.Score.Learn.Sample == 0 {
		return prev, nil
	}
	rules := c.rules()
	sample, err := c.sampleAt(ctx, &rules, at, c.partitions(), math.MaxUint64)
	if err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	if len(sample.top) < c.leastBuyers {
		return prev, nil
	}
	return c.fit(ctx, prev, at, sample.sorted())
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
	if c.cfg.Score.Learn.Sample == 0 || c.agg.Buyers() < c.leastBuyers {
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
