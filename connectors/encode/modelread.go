package encode

import (
	"fmt"

	"github.com/dangol-dev/dangol/engine/score"
)

func (d *modelsDoc) learned() (*score.Learned, error) {
	m := &score.Learned{
		Version: d.Version, At: int64(d.At), HorizonDays: d.HorizonDays, Customers: d.Customers,
		LogLikelihood: float64(d.LogLikelihood), Average: float64(d.Average),
		Means:   score.Means{Silence: float64(d.Means.Silence)},
		Refused: append([]string(nil), d.Refused...),
	}
	if n := len(d.Means.Features); d.Churn != nil && n != len(score.FeatureNames()) {
		return nil, fmt.Errorf("means: %d columns, this program knows %d", n, len(score.FeatureNames()))
	}
	for _, v := range d.Means.Features {
		m.Means.Features = append(m.Means.Features, float64(v))
	}
	if err := d.fitted(&m.Fitted); err != nil {
		return nil, err
	}
	for i := range d.Quality {
		m.Judged = append(m.Judged, d.Quality[i].quality())
	}
	for i := range d.Past {
		p := score.Past{At: int64(d.Past[i].At)}
		if err := d.Past[i].fitted(&p.Fitted); err != nil {
			return nil, fmt.Errorf("past: %w", err)
		}
		m.Past = append(m.Past, p)
	}
	return m, nil
}

func (d *fittedDoc) fitted(f *score.Fitted) error {
	r, a := &f.Rhythm, &f.Alone
	if err := d.Rhythm.params(&r.R, &r.Alpha, &r.A, &r.B, r.Weights[:]); err != nil {
		return fmt.Errorf("rhythm: %w", err)
	}
	if err := d.Alone.params(&a.R, &a.Alpha, &a.A, &a.B, a.Weights[:]); err != nil {
		return fmt.Errorf("mbg_nbd: %w", err)
	}
	if s := d.Spend; s != nil {
		f.Spend.P, f.Spend.Q, f.Spend.V = float64(s.P), float64(s.Q), float64(s.V)
	}
	f.Labels = d.Labels
	if err := d.Churn.into(f, score.FeatureNames()); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	var err error
	if f.Offers, err = d.Offers.model(); err != nil {
		return fmt.Errorf("offers: %w", err)
	}
	f.MeanSpend = float64(d.MeanSpend)
	b := &d.Baselines
	f.Recency.Bias, f.Recency.Weight = float64(b.Recency.Bias), float64(b.Recency.Weight)
	f.Frequency.Bias, f.Frequency.Weight = float64(b.Frequency.Bias), float64(b.Frequency.Weight)
	return nil
}

func (d *rhythmDoc) params(r, alpha, a, b *float64, weights []float64) error {
	*r, *alpha, *a, *b = float64(d.R), float64(d.Alpha), float64(d.A), float64(d.B)
	if len(d.Weights) != len(weights) {
		return fmt.Errorf("%d weights, this program knows %d", len(d.Weights), len(weights))
	}
	for i, w := range d.Weights {
		weights[i] = float64(w)
	}
	return nil
}

// model is the model of offers: the built-in one where the document is older than
// offers' models.
func (d *offersDoc) model() (*score.OfferModel, error) {
	if d == nil {
		return score.BuiltInOffers(), nil
	}
	var fresh, again score.Fitted
	if err := d.New.into(&fresh, score.NewColumns()); err != nil {
		return nil, fmt.Errorf("new: %w", err)
	}
	if err := d.Again.into(&again, score.AgainColumns()); err != nil {
		return nil, fmt.Errorf("again: %w", err)
	}
	m := &score.OfferModel{New: fresh.Churn, Again: again.Churn, Lists: d.Lists}
	names := score.Voices()
	if len(d.Mix) != len(names) {
		return nil, fmt.Errorf("mix: %d voices, this program knows %d", len(d.Mix), len(names))
	}
	for v, s := range d.Mix {
		if s.Voice != names[v] {
			return nil, fmt.Errorf("mix: voice %d is %q, this program knows %q there", v, s.Voice, names[v])
		}
		m.Mix[v] = float64(s.Share)
	}
	return m, nil
}

// into makes the model f's for churn; see termsOf. Other columns than these are
// an error.
func (d *termsDoc) into(f *score.Fitted, names []string) error {
	if d == nil {
		return nil
	}
	if n := len(d.Features); n != len(names) {
		return fmt.Errorf("%d columns, this program knows %d", n, len(names))
	}
	m := allocated(&f.Churn)
	m.Bias, m.Lambda, m.Rows = float64(d.Bias), float64(d.Lambda), d.Rows
	for i, c := range d.Features {
		if c.Name != names[i] {
			return fmt.Errorf("column %d is %q, this program knows %q there", i, c.Name, names[i])
		}
		m.Weights = append(m.Weights, float64(c.Weight))
		m.Lo, m.Hi = append(m.Lo, float64(c.Low)), append(m.Hi, float64(c.High))
		m.Mean = append(m.Mean, float64(c.Mean))
	}
	for _, p := range d.Calibration {
		m.Bend.X, m.Bend.Y = append(m.Bend.X, float64(p.From)), append(m.Bend.Y, float64(p.To))
	}
	return nil
}

// allocated makes what p is to point to. (The models' own packages are not a
// connector's to import.)
func allocated[T any](p **T) *T {
	*p = new(T)
	return *p
}

func (d *qualityDoc) quality() score.Quality {
	q := score.Quality{Name: d.Name}
	q.N, q.Invalid = d.N, d.Invalid
	q.Base, q.MeanP, q.AUC = float64(d.Base), float64(d.MeanP), float64(d.AUC)
	q.Brier, q.LogLoss, q.InTheLarge = float64(d.Brier), float64(d.LogLoss), float64(d.InTheLarge)
	q.ECE, q.MaxGap = float64(d.ECE), float64(d.MaxGap)
	for i := range d.Deciles {
		from, to := &d.Deciles[i], &q.Deciles[i]
		to.N, to.Mean, to.Rate, to.Low, to.High = from.N, float64(from.Mean), float64(from.Rate), float64(from.Low), float64(from.High)
		q.Lift[i], q.Caught[i] = float64(d.Lift[i]), float64(d.Captured[i])
	}
	return q
}
