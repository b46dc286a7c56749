package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// Limits that the engine's storage sets; they are not configurable.
const (
	MaxID      = 512 // bytes of an id: customer, event, order, item, session
	MaxChannel = 64  // bytes of a channel's name
)

// Config bounds what a record may be and says how its money is read.
type Config struct {
	MaxBytes  int      `yaml:"max_bytes" doc:"longest record; bytes"`
	MaxDepth  int      `yaml:"max_depth" doc:"deepest nesting of a record, its own object being 1; levels"`
	MaxItems  int      `yaml:"max_items" doc:"most items of one order; items"`
	MaxString int      `yaml:"max_string" doc:"longest text that is kept (category, coupon); bytes; ids are held to 512, channels to 64"`
	Currency  Currency `yaml:"currency" doc:"the currency of the scores"`
	Segment   Segment  `yaml:"segment" doc:"how Segment track calls are read"`
}

// Currency says in which currency the scores are kept.
type Currency struct {
	Base  string            `yaml:"base" doc:"ISO 4217 code that all money is converted to; empty: money is taken as it comes, in any currency"`
	Rates map[string]string `yaml:"rates" doc:"units of base for one unit of the currency, a decimal, by ISO 4217 code; a currency without one is refused"`
}

// Segment says how track calls are understood beyond the names of Segment's spec.
type Segment struct {
	Unknown string            `yaml:"unknown" doc:"a track call whose name is not known: reject (dead letter), or visit (counted as page_viewed)"`
	Names   map[string]string `yaml:"names" doc:"further event names and the type that each one is (\"Purchase Made\": order_completed); case does not matter"`
}

// The values of Segment.Unknown.
const (
	UnknownReject = "reject"
	UnknownVisit  = "visit"
)

// DefaultConfig returns the limits that suit a Kafka topic of the usual
// message size, and money in whatever currency it comes.
func DefaultConfig() Config {
	return Config{
		MaxBytes: 1 << 20, MaxDepth: 32, MaxItems: 1000, MaxString: 1024,
		Segment: Segment{Unknown: UnknownReject},
	}
}

// Validate returns all faults, joined.
func (c Config) Validate() error {
	var errs []error
	bound := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s: %d is outside %d to %d", name, v, low, high))
		}
	}
	bound("max_bytes", c.MaxBytes, 64, 64<<20)
	bound("max_depth", c.MaxDepth, 4, 1000)
	bound("max_items", c.MaxItems, 1, 100_000)
	bound("max_string", c.MaxString, 16, 1<<20)
	errs = append(errs, c.Currency.faults()...)
	if c.Segment.Unknown != UnknownReject && c.Segment.Unknown != UnknownVisit {
		errs = append(errs, fmt.Errorf("segment.unknown: %q is neither %s nor %s", c.Segment.Unknown, UnknownReject, UnknownVisit))
	}
	for _, name := range sortedKeys(c.Segment.Names) {
		if n := foldName(nil, name); len(n) == 0 || len(n) > maxName {
			errs = append(errs, fmt.Errorf("segment.names.%s: a name has 1 to %d bytes", name, maxName))
		}
		if _, ok := typeByName[c.Segment.Names[name]]; !ok {
			errs = append(errs, fmt.Errorf("segment.names.%s: %q is not an event type; the types are %s",
				name, c.Segment.Names[name], typeList()))
		}
	}
	return errors.Join(errs...)
}

func (c Currency) faults() (errs []error) {
	if c.Base != "" && !IsCurrency(c.Base) {
		errs = append(errs, fmt.Errorf("currency.base: %q is not an ISO 4217 code", c.Base))
	}
	if c.Base == "" && len(c.Rates) > 0 {
		errs = append(errs, errors.New("currency.rates: rates need a currency.base to convert to"))
	}
	for _, code := range sortedKeys(c.Rates) {
		if !IsCurrency(code) {
			errs = append(errs, fmt.Errorf("currency.rates.%s: not an ISO 4217 code", code))
		}
		if _, err := parseRate(c.Rates[code]); err != nil {
			errs = append(errs, fmt.Errorf("currency.rates.%s: %w", code, err))
		}
	}
	return errs
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// typeByName has a customer's acts. What is said of items (item_updated) is known
// to the native form alone.
var typeByName = func() map[string]event.Type {
	m := make(map[string]event.Type)
	for _, t := range event.Types() {
		if t != event.ItemUpdated {
			m[t.String()] = t
		}
	}
	return m
}()

func typeList() string {
	var names []string
	for _, t := range event.Types() {
		if t != event.ItemUpdated {
			names = append(names, t.String())
		}
	}
	return strings.Join(names, ", ")
}
