package pipeline

import (
	"fmt"
	"math"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

type unsavedItem struct {
	shard int32
	item  basket.Item
}

func (c *Core) resetModels() {
	c.agg = score.NewAggregate()
	c.counts = basket.New(c.cfg.Basket)
	c.dict = basket.NewDictionary()
	rules := c.rules()
	c.publisher = publisher{rec: nextbest.New(c.cfg.NextBest, c.counts, c.dict, c.currentTrends, &rules)}
	c.lessons = lessons{verdict: c.lessons.verdict}
	c.audience = nextbest.NewAudience(c.cfg.NextBest.Audience)
	c.trends.Store(nextbest.NewTrends(c.counts, c.dict))
	c.buyers, c.proposed = 0, nil
	c.reassigned()
	c.models.Store(c.freshModels())
}

// reassigned makes fits begin anew: those made so far, and the one under way, are
// of other partitions. c.mu is held.
func (c *Core) reassigned() {
	c.generation++
	c.revision++
	c.learning.done, c.learning.last = nil, fitting{}
}

// each hands out what the store holds of a partition: its items and models, if
// item is not nil, and its customers, whose memory is used again for the next
// one.
func (c *Core) each(p int32, rules *ledger.Rules, item func(basket.Item), models func([]byte), customer func(id []byte, led *ledger.Ledger, em *score.Emission) error) error {
	var led ledger.Ledger
	var em score.Emission
	var prefix []byte
	if item == nil {
		prefix = []byte{customerKey}
	}
	return c.store.Scan(p, prefix, func(key, val []byte, _ int64) error {
		switch key[0] {
		case itemKey:
			it, err := basket.DecodeItem(val)
			if err != nil {
				return err
			}
			item(it)
		case modelsKey:
			if models != nil {
				models(val)
			}
		case customerKey:
			if err := decodeBlob(val, &led, &em, rules.Intern); err != nil {
				return fmt.Errorf("customer's state: %w", err)
			}
			return customer(key[1:], &led, &em)
		}
		return nil
	})
}

// absorb adds everything the store holds of a partition to the models.
func (c *Core) absorb(p int32) error {
	rules := c.rules()
	source := basket.NewSource(c.cfg.Basket, &rules)
	item := func(it basket.Item) {
		c.dict.Restore(it)
		c.publisher.restore(c.counts.Know(event.Hash(it.ID)))
	}
	return c.each(p, &rules, item, c.restoreModels, func(id []byte, led *ledger.Ledger, em *score.Emission) error {
		c.agg.Add(em)
		if em.Buyer {
			c.buyers++
		}
		source.Each(led, c.counts.Apply)
		c.restoreContacts(p, id, led)
		return nil
	})
}

// publish makes the models of what the population is now: cut points only where
// they moved, so that scores do not flap. c.mu is held.
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
	if c.trends.Load().Old(c.counts) {
		c.trends.Store(nextbest.NewTrends(c.counts, c.dict))
	}
	if cuts := c.agg.Cuts(day); cuts.Moved(&old.Cuts) {
		m.Cuts = cuts
		if _, fixed := c.cfg.Score.RFM.FixedCuts(); !fixed {
			c.moved++
		}
	}
	c.models.Store(&m)
}

// saveItems puts what was learned about items into the shards that met them.
func (c *Core) saveItems() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	learned := false
	for _, s := range c.shards {
		for i := range s.met.items {
			m := &s.met.items[i]
			if entry, changed := m.into(c.dict); changed {
				c.unsaved[event.Hash(entry.ID)] = unsavedItem{s.part, *entry}
				c.trends.Load().Price(c.counts.Ref(event.Hash(entry.ID)), entry.Price.Float())
				learned = true
			}
		}
	}
	if learned {
		for _, s := range c.shards {
			s.met.forget()
		}
	}
	for _, u := range c.unsaved {
		s := c.shards[u.shard]
		if s == nil {
			continue
		}
		s.touched = true
		s.key = append(append(s.key[:0], itemKey), u.item.ID...)
		s.blob = basket.AppendItem(s.blob[:0], &u.item)
		if err := s.table.Put(s.key, s.blob, 0); err != nil {
			return err
		}
	}
	return nil
}
