package pipeline

import (
	"context"
	"math"
	"sync"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// instant is what all customers' facts up to asOf say: the models that a
// document for that instant is computed under.
//
// It is made by a scan of everything committed, so its cost is that of the
// state's size; what it gives is a function of the facts alone, the same in
// every process that has seen the same events, but for the weights of offers:
// these are learned of the lists that this process judged up to the instant.
type instant struct {
	asOf   int64
	models *score.Models
	counts *basket.Counts
	dict   *basket.Dictionary
	trends *nextbest.Trends
}

// pastModels keeps the latest instant asked for, and lets one be made at a time.
type pastModels struct {
	mu       sync.Mutex
	revision uint64
	latest   *instant
}

// at returns the instant's models, made anew where events have come since.
func (c *Core) at(ctx context.Context, asOf int64) (*instant, error) {
	c.past.mu.Lock()
	defer c.past.mu.Unlock()
	c.mu.RLock()
	revision := c.revision
	c.mu.RUnlock()
	if in := c.past.latest; in != nil && in.asOf == asOf && c.past.revision == revision {
		return in, nil
	}
	in := &instant{asOf: asOf, counts: basket.New(c.cfg.Basket), dict: basket.NewDictionary()}
	learned, err := c.learnAt(ctx, asOf)
	if err != nil {
		return nil, err
	}
	in.models = score.MustModels(&c.cfg.Score, learned)
	agg, err := c.addUp(ctx, in, true)
	if err != nil {
		return nil, err
	}
	in.models.Cuts = agg.Cuts(c.calendar.Day(asOf))
	in.models.BasketOrders = int(math.Round(in.counts.Orders()))
	c.past.latest, c.past.revision = in, revision
	return in, nil
}

// eachThen calls fn with every customer as it was at an instant, by partition
// and id.
func (c *Core) eachThen(ctx context.Context, asOf int64, rules *ledger.Rules, fn func(id []byte, then *ledger.Ledger) error) error {
	var then ledger.Ledger
	for _, p := range c.partitions() {
		err := c.each(p, rules, func(id []byte, led *ledger.Ledger, _ *score.Emission) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			led.Before(asOf, rules, &then)
			if nobody(&then) {
				return nil
			}
			return fn(id, &then)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addUp is the population of every customer as of an instant, scored under its models as
// they are; where learn is set, the baskets and items are counted as well.
func (c *Core) addUp(ctx context.Context, in *instant, learn bool) (*score.Aggregate, error) {
	agg := score.NewAggregate()
	rules := c.rules()
	maker := score.NewScorer(c.cfg.Score, rules, nil)
	source := basket.NewSource(c.cfg.Basket, &rules)
	if learn {
		c.mu.RLock()
		c.dict.Each(func(it *basket.Item) { in.dict.Restore(*it) })
		c.mu.RUnlock()
	}
	var doc score.Scores
	var none score.Emission
	err := c.eachThen(ctx, in.asOf, &rules, func(_ []byte, then *ledger.Ledger) error {
		maker.Compute("", then, in.models, in.asOf, &doc)
		em, _ := maker.Diff(&none, &doc, nil)
		agg.Add(&em)
		if learn {
			source.Each(then, in.counts.Apply)
		}
		return nil
	})
	if learn && err == nil {
		in.counts.Advance(in.asOf)
		in.counts.Settle()
		in.trends = nextbest.NewTrends(in.counts, in.dict)
	}
	return agg, err
}

// recommender makes offers from the instant's counts.
func (c *Core) recommender(in *instant, rules *ledger.Rules) *nextbest.Recommender {
	return nextbest.New(c.cfg.NextBest, in.counts, in.dict, func() *nextbest.Trends { return in.trends }, rules)
}

// scorer makes documents under the instant's models.
func (c *Core) scorer(in *instant) *score.Scorer {
	rules := c.rules()
	maker := score.NewScorer(c.cfg.Score, rules, c.recommender(in, &rules))
	maker.Catalogue = in.dict
	return maker
}
