package pipeline

import (
	"context"

	"github.com/dangol-dev/dangol/engine/score"
)

// propose puts what a fit has brought, and what a survey asks or is answered, into
// the open transaction. Models count for every instance from where the shared log
// tells them.
func (c *Core) propose() {
	c.mu.Lock()
	c.tellSurvey()
	learned := c.learning.done
	if learned != nil && learned.Version <= c.models.Load().Learned().Version {
		learned, c.learning.done = nil, nil // another has told later ones meanwhile
	}
	c.learning.toldModels = learned
	c.mu.Unlock()
	s := c.shards[0] // its log alone tells models, so that they have an order
	if learned == nil || s == nil {
		return
	}
	val := c.enc.AppendModels(nil, learned)
	s.say(modelsSection, val)
	s.out.open(Models, -1, []byte("models"))
	s.out.arena = append(s.out.arena, val...)
	s.out.close()
}

// adopt makes models that the log tells the present ones. Of an earlier version
// than these they are another instance's, which has come too late; those of another
// horizon, or that this version cannot read, are left: others will be learned. c.mu
// is held.
func (c *Core) adopt(val []byte) error {
	learned, err := c.enc.ParseModels(val)
	old := c.models.Load()
	if err != nil || c.cfg.Score.Learn.Sample == 0 || learned.Version <= old.Learned().Version {
		return nil
	}
	models, err := old.With(&c.cfg.Score, learned)
	if err != nil {
		return nil
	}
	if !learned.Same(old.Learned()) {
		c.moved++
	}
	c.models.Store(models)
	return nil
}

// Models implements Query.
func (c *Core) Models(context.Context) (*score.Learned, error) {
	if err := c.serves(); err != nil {
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
