package pipeline

import (
	"context"

	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// Examined is a customer as of an instant, for whoever judges the scores. It
// holds during the call that it is given to.
type Examined struct {
	Doc    *score.Scores
	Facts  *ledger.Ledger
	Rivals score.Rival // of a buyer
	Buyer  bool
	Offers func(k int) []score.Offer
}

// Examine calls fn with every customer known at an instant, by partition and id,
// scored under the models that the facts up to then give.
func (c *Core) Examine(ctx context.Context, asOf int64, fn func(*Examined) error) error {
	in, err := c.at(ctx, asOf)
	if err != nil {
		return err
	}
	rules := c.rules()
	maker, rec := c.scorer(in), c.recommender(in, &rules)
	rivals := score.NewRivals(&c.cfg.Score, &rules, in.models.Learned())
	var doc score.Scores
	var offers []score.Offer
	return c.eachThen(ctx, asOf, &rules, func(id []byte, then *ledger.Ledger) error {
		x := Examined{Doc: &doc, Facts: then}
		maker.Compute(string(id), then, in.models, asOf, &doc)
		maker.Foresee(&doc)
		x.Rivals, x.Buyer = rivals.Of(then, asOf)
		x.Offers = func(k int) []score.Offer {
			offers = rec.Offers(then, in.models.Learned().Offers, asOf, k, offers)
			return offers
		}
		return fn(&x)
	})
}

// NextViews gives what foretells the next look of a session (hashes of items, the
// latest last) by what was known at an instant: the k likeliest items.
func (c *Core) NextViews(ctx context.Context, asOf int64) (func(session []uint64, k int) []uint64, error) {
	in, err := c.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return func(session []uint64, k int) []uint64 { return nextbest.NextViews(in.counts, session, k) }, nil
}
