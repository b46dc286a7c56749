package basket

import (
	"errors"
	"fmt"
)

// Config bounds the counts and says which pairs are evidence. All of an
// application's instances use the same.
type Config struct {
	MaxPairs    int `yaml:"max_pairs" doc:"distinct pairs of items that are counted; pairs beyond it are left out and reported as dropped"`
	MinCount    int `yaml:"min_count" doc:"orders that must hold a pair before it is evidence"`
	PriorOrders int `yaml:"prior_orders" doc:"orders of an item that speak half as loudly as very many would: the larger, the less a rare item is believed"`
}

// DefaultConfig counts up to five million pairs and believes none that fewer
// than three orders hold.
func DefaultConfig() Config {
	return Config{MaxPairs: 5_000_000, MinCount: 3, PriorOrders: 10}
}

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	var errs []error
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s: %d is outside %d to %d", name, v, low, high))
		}
	}
	within("max_pairs", c.MaxPairs, 1, 1<<29)
	within("min_count", c.MinCount, 1, 1_000_000)
	within("prior_orders", c.PriorOrders, 0, 1_000_000)
	return errors.Join(errs...)
}
