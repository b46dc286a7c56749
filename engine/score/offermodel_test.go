package score

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/churn"
)

// copyOf is a model of its own.
func copyOf(m *OfferModel) *OfferModel {
	part := func(p *churn.Model) *churn.Model {
		c := *p
		c.Weights = append([]float64{}, p.Weights...)
		return &c
	}
	c := *m
	c.New, c.Again = part(m.New), part(m.Again)
	return &c
}

// What is built in is a model: its shares add up to one, each column has a name,
// and it stands in what is known before anything was learned.
func TestBuiltInOffers(t *testing.T) {
	m := BuiltInOffers()
	require.NoError(t, m.Check())
	require.Zero(t, m.Lists)
	require.Len(t, NewColumns(), NumNew)
	require.Len(t, AgainColumns(), NumAgain)
	require.Len(t, m.New.Weights, NumNew)
	require.Len(t, m.Again.Weights, NumAgain)
	sum := 0.
	for _, w := range m.Mix {
		sum += w
	}
	require.InDelta(t, 1, sum, 1e-12)
	require.Equal(t, m, BuiltIn(90).Offers)
}

// A model of offers that is none is refused, as others of a stored model are.
func TestForeignOffersAreRefused(t *testing.T) {
	cfg := DefaultConfig()
	for why, spoil := range map[string]func(m *OfferModel){
		"a part is missing":      func(m *OfferModel) { m.Again = nil },
		"another part":           func(m *OfferModel) { m.New = nil },
		"columns of another":     func(m *OfferModel) { m.New = m.Again },
		"a weight is no number":  func(m *OfferModel) { m.New.Weights[0] = math.NaN() },
		"a share is no number":   func(m *OfferModel) { m.Mix[0] = math.NaN() },
		"a share is below 0":     func(m *OfferModel) { m.Mix[1] = -.1 },
		"a share is above one":   func(m *OfferModel) { m.Mix[2] = 1.1 },
		"a weight is not finite": func(m *OfferModel) { m.Again.Weights[1] = math.Inf(1) },
	} {
		l := BuiltIn(cfg.HorizonDays)
		l.Offers = copyOf(l.Offers)
		_, err := NewModels(&cfg, l)
		require.NoError(t, err)
		spoil(l.Offers)
		_, err = NewModels(&cfg, l)
		require.ErrorContains(t, err, "offer model", why)
	}
	l := BuiltIn(cfg.HorizonDays)
	l.Offers = nil
	_, err := NewModels(&cfg, l)
	require.ErrorContains(t, err, "offer model: there is none")
}

// Models that weigh offers otherwise are others for the offers, and the same for
// the scores: nobody is scored again for it.
func TestOffersAs(t *testing.T) {
	l := BuiltIn(90)
	for why, change := range map[string]func(m *OfferModel){
		"a share":  func(m *OfferModel) { m.Mix[0] += .01 },
		"a weight": func(m *OfferModel) { m.Again.Weights[2] += .01 },
		"a level":  func(m *OfferModel) { m.New.Bias += .01 },
	} {
		o := *l
		o.Offers = copyOf(l.Offers)
		require.True(t, l.OffersAs(&o))
		change(o.Offers)
		require.False(t, l.OffersAs(&o), why)
		require.True(t, l.Same(&o))
	}
}
