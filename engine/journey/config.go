package journey

import (
	"errors"
	"fmt"
)

// Config is what an operator may set.
type Config struct {
	RegularOrders  int     `yaml:"regular_orders" doc:"purchase days that make a customer a regular"`
	NewUntil       float64 `yaml:"new_until" doc:"share of first gaps: a first-time buyer is new until so many of those who come back have come back"`
	SecondOrderAt  float64 `yaml:"second_order_at" doc:"share of first gaps: the second order is due by when so many of those who come back have come back"`
	DormantDays    int     `yaml:"dormant_days" doc:"days of silence after which a customer at risk is dormant"`
	DormantAlive   float64 `yaml:"dormant_alive" doc:"probability of still being a customer at which one at risk is dormant even earlier"`
	PromoterRating int     `yaml:"promoter_rating" doc:"answer to the NPS question, 0-10, from which a repeat customer is an advocate"`
}

// DefaultConfig is documented at Stage.
func DefaultConfig() Config {
	return Config{
		RegularOrders: 4, NewUntil: 0.25, SecondOrderAt: 0.5,
		DormantDays: 365, DormantAlive: 0.1, PromoterRating: 9,
	}
}

// Validate reports every fault.
func (c *Config) Validate() error {
	var errs []error
	if c.RegularOrders < 3 || c.RegularOrders > 100 {
		errs = append(errs, fmt.Errorf("regular_orders: %d is outside 3 to 100", c.RegularOrders))
	}
	if !(c.NewUntil >= 0.01 && c.NewUntil <= 0.9) {
		errs = append(errs, fmt.Errorf("new_until: %g is outside 0.01 to 0.9", c.NewUntil))
	}
	if !(c.SecondOrderAt > c.NewUntil && c.SecondOrderAt <= 0.95) {
		errs = append(errs, fmt.Errorf("second_order_at: %g is outside new_until (%g) to 0.95", c.SecondOrderAt, c.NewUntil))
	}
	if c.DormantDays < 1 || c.DormantDays > 36_500 {
		errs = append(errs, fmt.Errorf("dormant_days: %d is outside 1 to 36500", c.DormantDays))
	}
	if !(c.DormantAlive >= 0.001 && c.DormantAlive <= 0.5) {
		errs = append(errs, fmt.Errorf("dormant_alive: %g is outside 0.001 to 0.5", c.DormantAlive))
	}
	if c.PromoterRating < 0 || c.PromoterRating > 11 {
		errs = append(errs, fmt.Errorf("promoter_rating: %d is outside 0 to 11 (11: ratings make no advocate)", c.PromoterRating))
	}
	return errors.Join(errs...)
}
