package nextbest

import (
	"errors"
	"fmt"
)

// Ways to rank offers.
const (
	ByValue       = "value"       // probability × price
	ByProbability = "probability" // what will be bought, whatever it brings
)

// Config says what is offered.
type Config struct {
	Rank        string  `yaml:"rank" doc:"what offers are ranked by: value (probability × price, an unknown price taken for the average), or probability"`
	PerCategory int     `yaml:"per_category" doc:"most offers of one category in a list; 0: any number"`
	DueShare    float64 `yaml:"due_share" doc:"share of a customer's usual gap between purchases of an item, after which the item is offered again; 0: always"`
	Consent     string  `yaml:"consent" doc:"channel or purpose whose consent a customer must not have withdrawn (consent_updated) to be offered anything; empty: none"`
	Audience    int     `yaml:"audience" doc:"customers remembered of each item, those who had to do with it last, to be asked when somebody wants to know whom to tell about it; 0: none"`
	Judged      float64 `yaml:"judged" doc:"share of orders, chosen by hash, before which an offer list is made, judged by the order and learned from; 0: none, the built-in weights stand"`
}

// DefaultConfig judges a tenth of the orders.
func DefaultConfig() Config { return Config{Rank: ByValue, DueShare: .5, Audience: 64, Judged: .1} }

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.Rank != ByValue && c.Rank != ByProbability {
		errs = append(errs, fmt.Errorf("rank: %q is neither %s nor %s", c.Rank, ByValue, ByProbability))
	}
	if c.PerCategory < 0 || c.PerCategory > 100 {
		errs = append(errs, fmt.Errorf("per_category: %d is outside 0 to 100", c.PerCategory))
	}
	if !(c.DueShare >= 0 && c.DueShare <= 10) {
		errs = append(errs, fmt.Errorf("due_share: %g is outside 0 to 10", c.DueShare))
	}
	if c.Audience < 0 || c.Audience > 10_000 {
		errs = append(errs, fmt.Errorf("audience: %d is outside 0 to 10000", c.Audience))
	}
	if !(c.Judged >= 0 && c.Judged <= 1) {
		errs = append(errs, fmt.Errorf("judged: %g is outside 0 to 1", c.Judged))
	}
	return errors.Join(errs...)
}
