package pipeline

import (
	"context"
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
// every process that has seen the same events.
type instant struct {
	asOf   int64
	models *score.Models
	counts *basket.Counts
	dict   *basket.Dictionary
}

// pastModels keeps the latest instant asked for, and lets one be made at a time.
type pastModels struct {
	mu      sync.Mutex
	commits uint64
	latest  *instant
}

// at returns the instant's models, made anew where a commit has come since.
func (c *Core) at(ctx context.Context, asOf int64) (*instant, error) {
	c.past.mu.Lock()
	defer c.past.mu.Unlock()
	c.mu.RLock()
	commits := c.commits
	c.mu.RUnlock()
	if in := c.past.latest; in != nil && in.asOf == asOf && c.past.commits == commits {
		return in, nil
	}
	in := &instant{asOf: asOf, counts: basket.New(c.cfg.Basket), dict: basket.NewDictionary()}
	in.models = c.freshModels()
	agg, err := c.survey(ctx, in, true)
	if err != nil {
		return nil, err
	}
	in.models.Cuts = agg.Cuts(c.calendar.Day(asOf))
	in.models.BasketOrders = in.counts.Orders()
	c.past.latest, c.past.commits = in, commits
	return in, nil
}

// survey adds up every customer as of an instant, scored under its models as
// they are; where learn is set, the baskets and items are counted as well.
func (c *Core) survey(ctx context.Context, in *instant, learn bool) (*score.Aggregate, error) {
	agg := score.NewAggregate()
	maker := score.NewScorer(c.cfg.Score, c.rules(), nil)
	rules := c.rules()
	var led, then ledger.Ledger
	var doc score.Scores
	var em, none score.Emission
	n := 0
	each := func(key, val []byte, _ int64) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case key[0] == itemKey && learn:
			it, err := basket.DecodeItem(val)
			if err != nil {
				return err
			}
			in.dict.Restore(it)
		case key[0] == customerKey:
			if err := decodeBlob(val, &led, &em, rules.Intern); err != nil {
				return err
			}
			led.Before(in.asOf, &rules, &then)
			if nobody(&then) {
				return nil
			}
			maker.Compute("", &then, in.models, in.asOf, &doc)
			em, _ = maker.Diff(&none, &doc, nil)
			agg.Add(&em)
			if learn {
				basket.Each(&then, &rules, in.counts.Apply)
			}
		}
		return nil
	}
	for _, p := range c.partitions() {
		if err := c.store.Scan(p, nil, each); err != nil {
			return nil, err
		}
	}
	return agg, nil
}

// scorer makes documents under the instant's models.
func (c *Core) scorer(in *instant) *score.Scorer {
	rules := c.rules()
	rec := nextbest.New(c.cfg.NextBest, in.counts, in.dict, &rules)
	rec.Exact = true
	return score.NewScorer(c.cfg.Score, rules, rec)
}
