package pipeline

import (
	"context"
	"fmt"

	"github.com/dangol-dev/dangol/engine/score"
	"github.com/dangol-dev/dangol/state"
)

// propose puts what a fit has brought into the open transaction: every partition
// stores it, and it is published. It is the transaction's last word, so that what
// the transaction says is all said under the models before, and the committed
// state of which the next one's sweep begins lacks nobody who was.
func (c *Core) propose() error {
	c.mu.RLock()
	learned := c.learning.done
	c.mu.RUnlock()
	if learned == nil || len(c.shards) == 0 {
		return nil
	}
	models, err := c.models.Load().With(&c.cfg.Score, learned)
	if err != nil {
		return fmt.Errorf("learned models: %w", err)
	}
	c.proposed = models
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

// adopt makes the models that the transaction stored the present ones, now that
// it is committed. c.mu is held.
func (c *Core) adopt() {
	if c.proposed == nil {
		return
	}
	if !c.proposed.Learned().Same(c.models.Load().Learned()) {
		c.moved++
	}
	c.models.Store(c.proposed)
	c.proposed, c.learning.done = nil, nil
}

// restoreModels takes the models that a partition was last scored with: the
// newest of all partitions count. Models of another horizon, or that this
// version cannot read, are left: others will be learned. c.mu is held.
func (c *Core) restoreModels(val []byte) {
	learned, err := c.enc.ParseModels(val)
	if err != nil || c.cfg.Score.Learn.Sample == 0 || learned.Version <= c.models.Load().Learned().Version {
		return
	}
	if models, err := c.models.Load().With(&c.cfg.Score, learned); err == nil {
		c.models.Store(models)
		c.moved++
	}
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

// StoredModels are those that a partition of a store was last scored with; nil
// where none were learned.
func StoredModels(store *state.Store, enc Encoder, partition int32) (*score.Learned, error) {
	val, _, ok, err := store.Get(partition, []byte{modelsKey}, nil)
	if err != nil || !ok {
		return nil, err
	}
	return enc.ParseModels(val)
}
