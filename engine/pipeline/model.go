package pipeline

import (
	"fmt"
	"math"
	"time"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// resetShared forgets all that is true of all customers. c.mu is held, or nobody
// else knows the core yet.
func (c *Core) resetShared() {
	c.shared.at, c.shared.bytes, c.shared.size, c.shared.whole = map[int32]int64{}, 0, 0, false
	c.agg = score.NewAggregate()
	c.counts = basket.New(c.cfg.Basket)
	c.dict = basket.NewDictionary()
	rules := c.rules()
	c.publisher = publisher{rec: nextbest.New(c.cfg.NextBest, c.counts, c.dict, c.currentTrends, &rules)}
	c.audience = nextbest.NewAudience(c.cfg.NextBest.Audience)
	c.trends.Store(nextbest.NewTrends(c.counts, c.dict))
	c.clocks = map[int32]place{}
	c.learning = learning{}
	c.models.Store(c.freshModels())
}

// each hands out the customers that the store holds of a partition. Their memory
// is used again for the next one.
func (c *Core) each(p int32, rules *ledger.Rules, fn func(id []byte, led *ledger.Ledger, em *score.Emission) error) error {
	var led ledger.Ledger
	var em score.Emission
	return c.store.Scan(p, []byte{customerKey}, func(key, val []byte, _ int64) error {
		if err := decodeBlob(val, &led, &em, rules.Intern); err != nil {
			return fmt.Errorf("customer's state: %w", err)
		}
		return fn(key[1:], &led, &em)
	})
}

// atRest says that nothing has happened for a while, here or elsewhere. c.mu is
// held.
func (c *Core) atRest() bool { return c.now().Sub(c.busyAt) > restful }

// restful is for how long nothing must have happened.
const restful = 5 * time.Second

// publish makes the models of what the population is now: cut points only where
// they moved, so that scores do not flap, and trends where they are old; but where
// nothing happens any more, those that are. c.mu is held.
func (c *Core) publish() {
	old := c.models.Load()
	m := *old
	day := int32(math.MinInt32)
	for _, p := range c.clocks {
		if p.Clock > 0 {
			day = max(day, c.calendar.Day(p.Clock))
			c.counts.Advance(max(p.Clock, p.MaxTime)) // whatever the latest event was, and whether it is still there
		}
	}
	m.BasketOrders = int(math.Round(c.counts.Orders()))
	if c.trends.Load().Old(c.counts) || c.atRest() {
		c.trends.Store(nextbest.NewTrends(c.counts, c.dict))
	}
	cuts := c.agg.Cuts(day)
	if cuts.Moved(&old.Cuts) || c.atRest() && !old.Cuts.Fixed() && !cuts.Same(&old.Cuts) {
		m.Cuts = cuts
		if _, fixed := c.cfg.Score.RFM.FixedCuts(); !fixed {
			c.moved++
		}
	}
	c.models.Store(&m)
}
