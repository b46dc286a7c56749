package score

import (
	"errors"
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/engine/journey"
	"github.com/dangol-dev/dangol/engine/rfm"
)

// MaxOffers is the most offers that a document may hold.
const MaxOffers = 8

// Config is what an operator may set of the scores.
type Config struct {
	RFM             rfm.Config     `yaml:"rfm" doc:"recency, frequency, monetary value"`
	Journey         journey.Config `yaml:"journey" doc:"stages of the relation"`
	HorizonDays     int            `yaml:"horizon_days" doc:"churn is no order within so many days"`
	BandLimits      [2]float64     `yaml:"band_limits" doc:"churn probability from which the band is medium, and from which it is high"`
	BandMargin      float64        `yaml:"band_margin" doc:"how far beyond a limit the probability must go to leave a band"`
	ProbabilityStep float64        `yaml:"probability_step" doc:"change of the churn probability, since it was last emitted, that is emitted"`
	OverdueAt       float64        `yaml:"overdue_at" doc:"overdue percentile at which a customer is overdue"`
	Offers          int            `yaml:"offers" doc:"offers in a document"`
	Value           ValueConfig    `yaml:"value" doc:"money to come"`
	Learn           LearnConfig    `yaml:"learn" doc:"what is fitted to the customers while the stream runs"`
}

// ValueConfig says how far money to come is looked at.
type ValueConfig struct {
	HorizonDays  int     `yaml:"horizon_days" doc:"orders within so many days count"`
	DiscountRate float64 `yaml:"discount_rate" doc:"interest a year by which later money counts less; 0 to 1"`
}

// LearnConfig says what the models are fitted to.
type LearnConfig struct {
	Sample    int           `yaml:"sample" doc:"most customers that are learned from, chosen by hash, 200 or more; 0: nothing is learned, the built-in parameters stand"`
	Every     time.Duration `yaml:"every" doc:"time of the stream between two fits"`
	MinLabels int           `yaml:"min_labels" doc:"labels of the latest resolved horizon from which the churn model is learned; below, the rhythm answers alone"`
}

// DefaultConfig looks 90 days ahead.
func DefaultConfig() Config {
	return Config{
		RFM: rfm.DefaultConfig(), Journey: journey.DefaultConfig(),
		HorizonDays: 90, BandLimits: [2]float64{0.4, 0.7}, BandMargin: 0.02,
		ProbabilityStep: 0.1, OverdueAt: 0.9, Offers: 3,
		Value: ValueConfig{HorizonDays: 365, DiscountRate: 0.1},
		Learn: LearnConfig{Sample: 20_000, Every: 7 * 24 * time.Hour, MinLabels: 500},
	}
}

// Validate reports every fault.
func (c *Config) Validate() error {
	var errs []error
	if err := c.RFM.Validate(); err != nil {
		errs = append(errs, prefixed("rfm", err))
	}
	if err := c.Journey.Validate(); err != nil {
		errs = append(errs, prefixed("journey", err))
	}
	if c.HorizonDays < 1 || c.HorizonDays > 3650 {
		errs = append(errs, fmt.Errorf("horizon_days: %d is outside 1 to 3650", c.HorizonDays))
	}
	low, high := c.BandLimits[0], c.BandLimits[1]
	if !(c.BandMargin >= 0 && c.BandMargin <= 0.2) {
		errs = append(errs, fmt.Errorf("band_margin: %g is outside 0 to 0.2", c.BandMargin))
	}
	if !(low-c.BandMargin > 0 && high+c.BandMargin < 1 && high-low > 2*c.BandMargin) {
		errs = append(errs, fmt.Errorf("band_limits: %v must ascend within 0 to 1, with room for band_margin (%g) on both sides of each", c.BandLimits, c.BandMargin))
	}
	if !(c.ProbabilityStep >= 0.005 && c.ProbabilityStep <= 1) {
		errs = append(errs, fmt.Errorf("probability_step: %g is outside 0.005 to 1", c.ProbabilityStep))
	}
	if !(c.OverdueAt >= 0.5 && c.OverdueAt <= 0.999) {
		errs = append(errs, fmt.Errorf("overdue_at: %g is outside 0.5 to 0.999", c.OverdueAt))
	}
	if c.Offers < 0 || c.Offers > MaxOffers {
		errs = append(errs, fmt.Errorf("offers: %d is outside 0 to %d", c.Offers, MaxOffers))
	}
	errs = append(errs, c.Value.faults()...)
	errs = append(errs, c.Learn.faults()...)
	return errors.Join(errs...)
}

func (c *ValueConfig) faults() (errs []error) {
	if c.HorizonDays < 1 || c.HorizonDays > 3650 {
		errs = append(errs, fmt.Errorf("value.horizon_days: %d is outside 1 to 3650", c.HorizonDays))
	}
	if !(c.DiscountRate >= 0 && c.DiscountRate <= 1) {
		errs = append(errs, fmt.Errorf("value.discount_rate: %g is outside 0 to 1", c.DiscountRate))
	}
	return errs
}

func (c *LearnConfig) faults() (errs []error) {
	if c.Sample != 0 && (c.Sample < 200 || c.Sample > 1_000_000) {
		errs = append(errs, fmt.Errorf("learn.sample: %d is neither 0 nor within 200 to 1000000", c.Sample))
	}
	if c.Every < time.Hour || c.Every > 3650*24*time.Hour {
		errs = append(errs, fmt.Errorf("learn.every: %s is outside 1h to 87600h", c.Every))
	}
	if c.MinLabels < 100 || c.MinLabels > 1_000_000 {
		errs = append(errs, fmt.Errorf("learn.min_labels: %d is outside 100 to 1000000", c.MinLabels))
	}
	return errs
}

// prefixed puts the section's name before each of the joined faults.
func prefixed(section string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s.%w", section, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, prefixed(section, e))
	}
	return errors.Join(errs...)
}
