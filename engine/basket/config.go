package basket

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds the counts and says what is evidence. All of an application's
// instances use the same.
type Config struct {
	HalfLife   time.Duration `yaml:"half_life" doc:"after how long an order or a view counts half as much as a new one; 0: never, counts are plain"`
	Window     time.Duration `yaml:"window" doc:"how far apart two orders of a customer may be and still say that their items go together"`
	SessionGap time.Duration `yaml:"session_gap" doc:"views that name no session are of one while they are no farther apart"`
	Neighbours int           `yaml:"neighbours" doc:"neighbours counted of each item and kind of evidence; exact up to it, beyond it the rarest go and the error that this leaves is known; 8 to 65536"`
	Triples    int           `yaml:"triples" doc:"distinct triples of items of one order that are counted; exact up to it, beyond it the rarest go; 0: none are counted"`
	MinCount   float64       `yaml:"min_count" doc:"orders (views, customers), decayed, that must hold a pair before it is evidence"`
	Prior      float64       `yaml:"prior" doc:"orders of an item that speak half as loudly as very many would: the larger, the less a rare item is believed"`
	Publish    int           `yaml:"publish" doc:"items whose affinities are told to the affinities topic in one transaction at most, those that wait longest first; 0: none"`
	Certainty  float64       `yaml:"certainty" doc:"probability with which a pair must not be chance to be told as an affinity, over all pairs of the catalogue together"`
}

// DefaultConfig forgets half in half a year.
func DefaultConfig() Config {
	return Config{
		HalfLife: 180 * 24 * time.Hour, Window: 90 * 24 * time.Hour, SessionGap: 30 * time.Minute,
		Neighbours: 1024, Triples: 1_000_000, MinCount: 3, Prior: 10, Publish: 10, Certainty: .99,
	}
}

// Validate reports every fault of the configuration.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.HalfLife == 0 || c.HalfLife >= time.Minute && c.HalfLife <= 100*365*24*time.Hour, "half_life: %s is neither 0s (no decay) nor within 1m to 876000h", c.HalfLife)
	check(c.Window > 0 && c.Window <= 100*365*24*time.Hour, "window: %s is not above 0s and at most 876000h", c.Window)
	check(c.SessionGap > 0 && c.SessionGap <= 24*time.Hour, "session_gap: %s is not above 0s and at most 24h", c.SessionGap)
	check(c.Neighbours >= 8 && c.Neighbours <= 1<<16, "neighbours: %d is outside 8 to 65536", c.Neighbours)
	check(c.Triples >= 0 && c.Triples <= 1<<28, "triples: %d is outside 0 to %d", c.Triples, 1<<28)
	check(c.MinCount > 0 && c.MinCount <= 1e6, "min_count: %g is not above 0 and at most 1000000", c.MinCount)
	check(c.Prior >= 0 && c.Prior <= 1e6, "prior: %g is outside 0 to 1000000", c.Prior)
	check(c.Publish >= 0 && c.Publish <= 10_000, "publish: %d is outside 0 to 10000", c.Publish)
	check(c.Certainty > 0 && c.Certainty < 1, "certainty: %g is not between 0 and 1", c.Certainty)
	return errors.Join(errs...)
}
