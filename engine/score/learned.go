package score

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dangol-dev/dangol/engine/churn"
	"github.com/dangol-dev/dangol/engine/clv"
	"github.com/dangol-dev/dangol/engine/rhythm"
)

// Learned is what a sample of the population taught: everything fitted. It is
// a function of the sample's facts as of At, to the tolerance of the fits; the
// models before it count where a fit is refused, and for Judged. It is immutable.
type Learned struct {
	Version     int   // 1: built in; counts up with every model published; 0: learned for one instant, never published
	At          int64 // Unix ms; facts up to then went in. 0: built in
	HorizonDays int   // of the churn model
	Customers   int   // buyers in the sample

	Fitted
	LogLikelihood float64 // of the rhythm over the sample, in days
	Average       float64 // mean churn probability of the sample at At
	Means         Means   // where the average customer stands, for the reasons

	Refused []string  // fits that were refused, and why: the last good one of the rhythm and the spend stands, and the rhythm answers for churn
	Judged  []Quality // what earlier models had said of labels resolved since; dangol first
	Past    []Past    // models that were in force when labels still open were begun
}

// Fitted are the parameters that a score is computed with.
type Fitted struct {
	Rhythm    rhythm.Params // days
	Alone     rhythm.Params // MBG/NBD, k = 1, for comparison
	Spend     clv.Params    // of one purchase day, in currency units; zero: none
	MeanSpend float64       // the population's; 0: unknown
	Churn     *churn.Model  // over Features; nil: the rhythm answers alone
	Labels    int           // that Churn was learned from

	Offers *OfferModel // never nil

	Recency, Frequency churn.Curve // single-feature baselines, for comparison
}

// check says which of the parameters is none: models may come from elsewhere.
func (f *Fitted) check() error {
	for _, p := range []rhythm.Params{f.Rhythm, f.Alone} {
		if _, err := rhythm.NewPrior(p); err != nil {
			return fmt.Errorf("rhythm model: %w", err)
		}
	}
	if !(f.MeanSpend >= 0 && f.MeanSpend <= math.MaxFloat64) {
		return fmt.Errorf("spend model: %g is no mean spend", f.MeanSpend)
	}
	if f.Spend != (clv.Params{}) {
		if err := f.Spend.Validate(); err != nil {
			return fmt.Errorf("spend model: %w", err)
		}
	}
	if f.Churn != nil {
		if err := f.Churn.Check(numFeatures); err != nil {
			return fmt.Errorf("churn model: %w", err)
		}
	}
	if f.Offers == nil {
		return errors.New("offer model: there is none")
	}
	return f.Offers.Check()
}

// Means are population averages: of what the silence added to the rhythm's word,
// in log-odds, and of each feature.
type Means struct {
	Silence  float64
	Features []float64
}

// Past is a model that was in force from At on.
type Past struct {
	At int64
	Fitted
}

// Quality is how well one way to foretell churn did.
type Quality struct {
	Name string // dangol, recency, frequency, mbg_nbd
	churn.Quality
}

// BuiltIn is what is known before anything was learned: the published
// parameters of a CD shop.
func BuiltIn(horizonDays int) *Learned {
	p := rhythm.DefaultParams()
	alone := p
	alone.Weights = [rhythm.Size]float64{1}
	return &Learned{Version: 1, HorizonDays: horizonDays, Fitted: Fitted{Rhythm: p, Alone: alone, Offers: BuiltInOffers()}}
}

// expectedSpend is what one purchase day of a customer brings, in currency
// units: of orders purchase days so far that brought mean on average.
func (f *Fitted) expectedSpend(orders int, mean float64) float64 {
	if f.Spend != (clv.Params{}) {
		return f.Spend.Spend(orders, max(mean, 0))
	}
	return mean
}

// Same says whether o scores as l does, to within the fits' tolerance, so that
// publishing it would only stir; but for the offers, see OffersAs.
func (l *Learned) Same(o *Learned) bool {
	a, b := &l.Fitted, &o.Fitted
	if (a.Churn == nil) != (b.Churn == nil) || !near(a.MeanSpend, b.MeanSpend) {
		return false
	}
	pa, pb := a.Rhythm, b.Rhythm
	if !near(pa.R, pb.R) || !near(pa.Alpha, pb.Alpha) || !near(pa.A, pb.A) || !near(pa.B, pb.B) {
		return false
	}
	for i := range pa.Weights {
		if !near(pa.Weights[i], pb.Weights[i]) {
			return false
		}
	}
	if a.Churn == nil {
		return true
	}
	if !near(a.Churn.Bias, b.Churn.Bias) || len(a.Churn.Weights) != len(b.Churn.Weights) {
		return false
	}
	for i := range a.Churn.Weights {
		if !near(a.Churn.Weights[i], b.Churn.Weights[i]) {
			return false
		}
	}
	return slices.EqualFunc(a.Churn.Bend.X, b.Churn.Bend.X, near) && slices.EqualFunc(a.Churn.Bend.Y, b.Churn.Bend.Y, near)
}

// OffersAs says whether o weighs offers as l does.
func (l *Learned) OffersAs(o *Learned) bool { return l.Offers.same(o.Offers) }

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1e-3) }
