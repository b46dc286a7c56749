package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

var _ Query = (*Core)(nil)

func (c *Core) freshModels() *score.Models {
	return score.MustModels(&c.cfg.Score, score.BuiltIn(c.cfg.Score.HorizonDays))
}

// present are the models as they are kept up to date. c.mu is held.
func (c *Core) present() *instant {
	return &instant{models: c.models.Load(), counts: c.counts, dict: c.dict, trends: c.trends.Load()}
}

// Customer implements Query.
func (c *Core) Customer(ctx context.Context, id string, asOf int64) (*score.Scores, error) {
	if err := c.serves(); err != nil {
		return nil, err
	}
	var led ledger.Ledger
	var em score.Emission
	part, err := c.find(id, c.partitions(), &led, &em)
	if errors.Is(err, ErrNotFound) {
		err = cmp.Or(c.Ready(), err) // it may be in a partition that is being restored
	}
	if err != nil {
		return nil, err
	}
	if asOf != 0 {
		return c.customerAt(ctx, id, &led, asOf)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.document(id, &led, &em, c.clocks[part].Clock)
}

// document is a customer's at a partition's clock. c.mu is held.
func (c *Core) document(id string, led *ledger.Ledger, em *score.Emission, clock int64) (*score.Scores, error) {
	if nobody(led) {
		return nil, fmt.Errorf("customer %q: %w", id, ErrNotFound)
	}
	maker := c.scorer(c.present())
	doc := new(score.Scores)
	maker.Compute(id, led, c.models.Load(), max(clock, em.AsOf, led.Last), doc)
	maker.Settle(em, doc)
	doc.NextChange.At, doc.NextChange.Timer = maker.NextCrossing(em)
	return doc, nil
}

func (c *Core) customerAt(ctx context.Context, id string, led *ledger.Ledger, asOf int64) (*score.Scores, error) {
	in, err := c.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	rules := c.rules()
	var then ledger.Ledger
	led.Before(asOf, &rules, &then)
	if nobody(&then) {
		return nil, fmt.Errorf("customer %q at that instant: %w", id, ErrNotFound)
	}
	doc := new(score.Scores)
	maker := c.scorer(in)
	maker.Compute(id, &then, in.models, asOf, doc)
	maker.Foresee(doc)
	return doc, nil
}

// partitions are those that this process answers for. The store may hold others,
// which have gone to another process since.
func (c *Core) partitions() []int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ours
}

// Partitions is how many the application has; 0: that is not known yet.
func (c *Core) Partitions() int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.partitionCount
}

// nobody says that there is nothing to tell: the customer was not there yet, or
// was erased and has not come back.
func nobody(l *ledger.Ledger) bool { return l.First == 0 || l.Last <= l.Erased }

// find reads a customer from some partitions of the store. The producer's
// partitioner is unknown, so every one is asked; a filter in memory answers for those that do not
// know the customer.
func (c *Core) find(id string, parts []int32, led *ledger.Ledger, em *score.Emission) (int32, error) {
	key := append([]byte{customerKey}, id...)
	for _, p := range parts {
		val, _, ok, err := c.store.Get(p, key, nil)
		if err != nil {
			return 0, err
		}
		if ok {
			return p, decodeBlob(val, led, em, newInterner())
		}
	}
	return 0, fmt.Errorf("customer %q: %w", id, ErrNotFound)
}

// Affinities implements Query.
func (c *Core) Affinities(_ context.Context, item, kind string, k int) ([]score.Affinity, error) {
	if err := c.serves(); err != nil {
		return nil, err
	}
	evidence, err := basket.ParseKind(kind)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if known, ok := c.dict.Lookup(event.Hash(item)); !ok || known.ID != item {
		return nil, fmt.Errorf("item %q: %w", item, ErrNotFound)
	}
	rules := c.rules()
	return c.recommender(c.present(), &rules).Affinities(item, evidence, k), nil
}

// Together implements Query.
func (c *Core) Together(_ context.Context, items []string, kind string, k int) (offers []score.Offer, unknown []string, err error) {
	if err := c.serves(); err != nil {
		return nil, nil, err
	}
	evidence, err := basket.ParseKind(kind)
	if err != nil {
		return nil, nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	rules := c.rules()
	offers, unknown = c.recommender(c.present(), &rules).Together(items, evidence, k)
	return offers, unknown, nil
}

// Population implements Query.
func (c *Core) Population(ctx context.Context, asOf int64) (*score.Population, error) {
	if err := c.serves(); err != nil {
		return nil, err
	}
	if asOf != 0 {
		in, err := c.at(ctx, asOf)
		if err != nil {
			return nil, err
		}
		agg, err := c.addUp(ctx, in, false)
		if err != nil {
			return nil, err
		}
		return agg.Population(asOf, in.models.Cuts), nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var clock int64
	for _, p := range c.clocks {
		clock = max(clock, p.Clock)
	}
	return c.agg.Population(clock, c.models.Load().Cuts), nil
}

// EachCustomer calls fn with the document for an instant of every customer known
// then, by partition and id. fn must not keep it.
func (c *Core) EachCustomer(ctx context.Context, asOf int64, fn func(*score.Scores) error) error {
	in, err := c.at(ctx, asOf)
	if err != nil {
		return err
	}
	maker, rules := c.scorer(in), c.rules()
	var doc score.Scores
	return c.eachThen(ctx, asOf, &rules, func(id []byte, then *ledger.Ledger) error {
		maker.Compute(string(id), then, in.models, asOf, &doc)
		maker.Foresee(&doc)
		return fn(&doc)
	})
}

// EachFacts calls fn with the facts' bytes and the version of every customer in
// a store, by partition and id. fn must not keep what it is given.
func EachFacts(store *state.Store, fn func(id string, facts []byte, version uint64) error) error {
	parts, err := store.Partitions()
	if err != nil {
		return err
	}
	var em score.Emission
	for _, p := range parts {
		err := store.Scan(p, []byte{customerKey}, func(key, val []byte, _ int64) error {
			facts, emission, err := splitBlob(val)
			if err != nil {
				return err
			}
			if err := em.Decode(emission); err != nil {
				return err
			}
			return fn(string(key[1:]), facts, em.Version)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
