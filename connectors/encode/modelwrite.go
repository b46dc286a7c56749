package encode

import (
	"github.com/dangol-dev/dangol/engine/score"
)

func modelsOf(m *score.Learned) *modelsDoc {
	return &modelsDoc{
		Format: modelsFormat, Version: m.Version, At: moment(m.At), HorizonDays: m.HorizonDays, Customers: m.Customers,
		fittedDoc: fittedOf(&m.Fitted), LogLikelihood: number(m.LogLikelihood), Average: number(m.Average),
		Means:   meansDoc{number(m.Means.Silence), numbers(m.Means.Features)},
		Refused: append([]string{}, m.Refused...),
		Quality: mapped(m.Judged, qualityOf),
		Past:    mapped(m.Past, func(p score.Past) pastDoc { return pastDoc{moment(p.At), fittedOf(&p.Fitted)} }),
	}
}

func fittedOf(f *score.Fitted) fittedDoc {
	r, a := &f.Rhythm, &f.Alone
	d := fittedDoc{
		Rhythm:    rhythmDoc{number(r.R), number(r.Alpha), number(r.A), number(r.B), numbers(r.Weights[:])},
		Alone:     rhythmDoc{number(a.R), number(a.Alpha), number(a.A), number(a.B), numbers(a.Weights[:])},
		MeanSpend: number(f.MeanSpend), Labels: f.Labels,
		Baselines: baselinesDoc{
			Recency:   curveDoc{number(f.Recency.Bias), number(f.Recency.Weight)},
			Frequency: curveDoc{number(f.Frequency.Bias), number(f.Frequency.Weight)},
		},
	}
	if none := (score.Fitted{}); f.Spend != none.Spend {
		d.Spend = &spendDoc{number(f.Spend.P), number(f.Spend.Q), number(f.Spend.V)}
	}
	d.Churn = termsOf(f, score.FeatureNames())
	if o := f.Offers; o != nil {
		d.Offers = &offersDoc{
			Lists: o.Lists,
			New:   termsOf(&score.Fitted{Churn: o.New}, score.NewColumns()),
			Again: termsOf(&score.Fitted{Churn: o.Again}, score.AgainColumns()),
		}
		for v, name := range score.Voices() {
			d.Offers.Mix = append(d.Offers.Mix, shareDoc{name, number(o.Mix[v])})
		}
	}
	return d
}

// termsOf is the model that f has for churn, over columns of these names; nil
// where there is none. (The model's own package is not a connector's to import,
// so that another model of its form comes in the place of churn's.)
func termsOf(f *score.Fitted, names []string) *termsDoc {
	m := f.Churn
	if m == nil {
		return nil
	}
	d := &termsDoc{Bias: number(m.Bias), Lambda: number(m.Lambda), Rows: m.Rows, Features: []featureDoc{}, Calibration: []bendDoc{}}
	for i, w := range m.Weights {
		d.Features = append(d.Features, featureDoc{names[i], number(w), number(m.Lo[i]), number(m.Hi[i]), number(m.Mean[i])})
	}
	for i, x := range m.Bend.X {
		d.Calibration = append(d.Calibration, bendDoc{number(x), number(m.Bend.Y[i])})
	}
	return d
}

func qualityOf(q score.Quality) qualityDoc {
	d := qualityDoc{
		Name: q.Name, N: q.N, Invalid: q.Invalid, Base: number(q.Base), MeanP: number(q.MeanP), AUC: number(q.AUC),
		Brier: number(q.Brier), LogLoss: number(q.LogLoss), InTheLarge: number(q.InTheLarge), ECE: number(q.ECE), MaxGap: number(q.MaxGap),
	}
	for i, b := range q.Deciles {
		d.Deciles[i] = binDoc{b.N, number(b.Mean), number(b.Rate), number(b.Low), number(b.High)}
		d.Lift[i], d.Captured[i] = number(q.Lift[i]), number(q.Caught[i])
	}
	return d
}

// mapped is f of each; never null.
func mapped[S, T any](from []S, f func(S) T) []T {
	to := make([]T, 0, len(from))
	for _, v := range from {
		to = append(to, f(v))
	}
	return to
}

func numbers(fs []float64) []number { return mapped(fs, func(f float64) number { return number(f) }) }
