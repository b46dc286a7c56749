package rfm

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config is what an operator may set.
type Config struct {
	WindowDays int         `yaml:"window_days" doc:"orders of how many calendar days count, today included; 0 counts all"`
	Cuts       string      `yaml:"cuts" doc:"live: quintiles of the present population; fixed: the cut points below"`
	Fixed      FixedConfig `yaml:"fixed" doc:"cut points for cuts: fixed; four ascending numbers each"`
	Segments   [][]string  `yaml:"segments" doc:"segment names: 5 rows, R = 1 first, of 5 names, F = 1 first; empty takes the built-in table"`
}

// FixedConfig is configured cut points.
type FixedConfig struct {
	Recency   []float64 `yaml:"recency" doc:"days since the last order"`
	Frequency []float64 `yaml:"frequency" doc:"purchase days in the window"`
	Monetary  []float64 `yaml:"monetary" doc:"spend in the window, in currency units"`
}

// The values of Config.Cuts.
const (
	Live  = "live"
	Fixed = "fixed"
)

// maxWindow is the longest window, in days.
const maxWindow = 36_500

// DefaultConfig scores a year against the live population.
func DefaultConfig() Config { return Config{WindowDays: 365, Cuts: Live} }

// Validate reports every fault.
func (c *Config) Validate() error {
	var errs []error
	if c.WindowDays < 0 || c.WindowDays > maxWindow {
		errs = append(errs, fmt.Errorf("window_days: %d is outside 0 to %d", c.WindowDays, maxWindow))
	}
	switch c.Cuts {
	case Live:
	case Fixed:
		errs = append(errs,
			ascending("fixed.recency", c.Fixed.Recency),
			ascending("fixed.frequency", c.Fixed.Frequency),
			ascending("fixed.monetary", c.Fixed.Monetary))
	default:
		errs = append(errs, fmt.Errorf("cuts: %q is neither live nor fixed", c.Cuts))
	}
	if _, err := c.Table(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func ascending(name string, v []float64) error {
	if len(v) != 4 || !slices.IsSorted(v) {
		return fmt.Errorf("%s: %v must be 4 ascending numbers", name, v)
	}
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s: %v must be 4 ascending numbers", name, v)
		}
	}
	return nil
}

// Table is the segment table in force; an error where it does not name all 25
// cells.
func (c *Config) Table() (Table, error) {
	if len(c.Segments) == 0 {
		return DefaultTable(), nil
	}
	var t Table
	var errs []error
	if len(c.Segments) != 5 {
		errs = append(errs, fmt.Errorf("segments: %d rows, must be 5, R = 1 first", len(c.Segments)))
	}
	for r, row := range c.Segments {
		if len(row) != 5 {
			errs = append(errs, fmt.Errorf("segments[%d]: %d names, must be 5, F = 1 first", r, len(row)))
		}
		for f, name := range row {
			if !named(name) {
				errs = append(errs, fmt.Errorf("segments[%d][%d]: %q must be 1 to 40 of a-z, 0-9 and _", r, f, name))
			}
			if r < 5 && f < 5 {
				t[r][f] = name
			}
		}
	}
	return t, errors.Join(errs...)
}

func named(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 40
}

// FixedCuts are the configured cut points; ok is false where they are live.
func (c *Config) FixedCuts() (cuts Cuts, ok bool) {
	if c.Cuts != Fixed {
		return Cuts{}, false
	}
	copy(cuts.Recency[:], c.Fixed.Recency)
	copy(cuts.Frequency[:], c.Fixed.Frequency)
	copy(cuts.Monetary[:], c.Fixed.Monetary)
	cuts.Customers = fixedCustomers
	return cuts, true
}
