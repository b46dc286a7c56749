package nextbest

import (
	"errors"
	"fmt"
)

// Config says how many offers a customer gets and what they rest on.
type Config struct {
	Offers     int     `yaml:"offers" doc:"offers a customer's document holds at most; 0: none"`
	ViewWeight float64 `yaml:"view_weight" doc:"how much an item that was only looked at counts as evidence beside one that was bought, 0 to 1; chosen, not measured"`
	DueShare   float64 `yaml:"due_share" doc:"share of a customer's usual gap between purchases of an item, after which the item is offered again"`
}

// DefaultConfig gives five offers; a view counts half as much as a purchase.
func DefaultConfig() Config { return Config{Offers: 5, ViewWeight: 0.5, DueShare: 0.75} }

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.Offers < 0 || c.Offers > 100 {
		errs = append(errs, fmt.Errorf("offers: %d is outside 0 to 100", c.Offers))
	}
	if !(c.ViewWeight >= 0 && c.ViewWeight <= 1) {
		errs = append(errs, fmt.Errorf("view_weight: %g is outside 0 to 1", c.ViewWeight))
	}
	if !(c.DueShare > 0 && c.DueShare <= 10) {
		errs = append(errs, fmt.Errorf("due_share: %g is not above 0 and at most 10", c.DueShare))
	}
	return errors.Join(errs...)
}
