package nextbest

import (
	"errors"
	"fmt"
)

// Config says what offers rest on.
type Config struct {
	ViewWeight float64 `yaml:"view_weight" doc:"how much an item that was only looked at counts as evidence beside one that was bought, 0 to 1; chosen, not measured"`
	DueShare   float64 `yaml:"due_share" doc:"share of a customer's usual gap between purchases of an item, after which the item is offered again"`
}

// DefaultConfig lets a view count half as much as a purchase.
func DefaultConfig() Config { return Config{ViewWeight: 0.5, DueShare: 0.75} }

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	var errs []error
	if !(c.ViewWeight >= 0 && c.ViewWeight <= 1) {
		errs = append(errs, fmt.Errorf("view_weight: %g is outside 0 to 1", c.ViewWeight))
	}
	if !(c.DueShare > 0 && c.DueShare <= 10) {
		errs = append(errs, fmt.Errorf("due_share: %g is not above 0 and at most 10", c.DueShare))
	}
	return errors.Join(errs...)
}
