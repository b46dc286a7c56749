package decode

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
	"go.yaml.in/yaml/v3"
)

// Mapping says how the lines of a table become events. It is written as YAML;
// the presets are examples.
type Mapping struct {
	Format    string            `yaml:"format" doc:"how a line is cut into cells: csv (RFC 4180, but a cell ends with its line), whitespace, or fixed"`
	Separator string            `yaml:"separator" doc:"csv: the character between cells; default a comma"`
	Widths    []int             `yaml:"widths" doc:"fixed: the width of each cell; bytes"`
	Header    bool              `yaml:"header" doc:"the first line names the columns"`
	Count     int               `yaml:"count" doc:"cells that each line must have, with items_from at least; 0: as many as the header, or up to items_from"`
	Columns   Columns           `yaml:"columns" doc:"where the fields of an event come from"`
	Type      string            `yaml:"type" doc:"the type of every line, where no column says it"`
	Types     map[string]string `yaml:"types" doc:"the event type for each value of the type column"`
	Currency  string            `yaml:"currency" doc:"the currency of every line, where no column says it; ISO 4217"`
	Channel   string            `yaml:"channel" doc:"the channel of every line, where no column says it"`
	Time      TimeFormat        `yaml:"time" doc:"how times are written"`
	GroupBy   string            `yaml:"group_by" doc:"order: the lines of one order and customer are one event, with the sum of their amounts"`
	Refunds   *Refunds          `yaml:"refunds" doc:"which lines give back; without it a quantity below zero is refused"`
	Skip      []Skip            `yaml:"skip" doc:"lines that are no events; the first rule that holds gives the reason"`
}

// Columns name, for each field of an event, a column by its header, or by its
// position from 1 where there is no header. What holds a brace is a pattern:
// "{user}/{day}" puts cells together, and {#} is the line's number, which goes on
// from file to file. ItemsFrom is the first of the cells that are an item each,
// to the end of the line, as many as there are.
type Columns struct {
	ID       string `yaml:"id"`
	Customer string `yaml:"customer"`
	Time     string `yaml:"time"`
	Type     string `yaml:"type"`
	Order    string `yaml:"order"`
	Item     string `yaml:"item"`
	Category string `yaml:"category"`
	Quantity string `yaml:"quantity"`
	Price    string `yaml:"price"`
	Cost     string `yaml:"cost"`
	Amount   string `yaml:"amount"`
	Discount string `yaml:"discount"`
	Currency string `yaml:"currency"`
	Channel  string `yaml:"channel"`
	Session  string `yaml:"session"`

	ItemsFrom string `yaml:"items_from"`
}

// TimeFormat says how times are written.
type TimeFormat struct {
	Layout string `yaml:"layout" doc:"Go's reference time written the file's way (2006-01-02 15:04:05), or unix, or unix_ms; default RFC 3339"`
	Zone   string `yaml:"zone" doc:"IANA time zone of times that name none; default UTC"`

	// A table without times.
	Start string        `yaml:"start" doc:"instead of columns.time: the time of line 1, a day (2006-01-02) or RFC 3339"`
	Every time.Duration `yaml:"every" doc:"with start: the time from a line to the next, such as 1m or 24h"`
}

// Refunds says which lines give back. Each becomes an order_refunded of the
// order by which the customer last bought the item.
type Refunds struct {
	OrderPrefix      string `yaml:"order_prefix" doc:"what the order ids of refunds begin with"`
	NegativeQuantity bool   `yaml:"negative_quantity" doc:"a quantity below zero is given back"`
}

// Skip is a rule for lines that are no events.
type Skip struct {
	Column  string `yaml:"column" doc:"the cell that is looked at"`
	Matches string `yaml:"matches" doc:"a regular expression (RE2) that it matches"`
	AtMost  string `yaml:"at_most" doc:"or a decimal that it does not exceed"`
	Reason  string `yaml:"reason" doc:"the reason under which the line is counted"`
}

//go:embed preset/*.yaml
var presets embed.FS

// Presets returns the names of the mappings that come with the program.
func Presets() []string {
	files, err := presets.ReadDir("preset")
	if err != nil {
		panic(err) // embedded
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// Preset returns a mapping by its name.
func Preset(name string) (*Mapping, error) {
	text, err := presets.ReadFile("preset/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no preset %q: the presets are %s", name, strings.Join(Presets(), ", "))
	}
	return ParseMapping(text)
}

// ParseMapping reads a mapping; a field that it does not know is an error.
func ParseMapping(text []byte) (*Mapping, error) {
	m := new(Mapping)
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(m); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("mapping: the file is empty")
		}
		return nil, fmt.Errorf("mapping: %w", err)
	}
	if m.Separator == "" {
		m.Separator = ","
	}
	if m.Time.Layout == "" {
		m.Time.Layout = time.RFC3339Nano
	}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return m, nil
}

// Validate returns all faults, joined.
func (m *Mapping) Validate() error {
	errs := append(m.cutFaults(), m.timeFaults()...)
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Columns.Customer == "" {
		fault("columns.customer: missing; every event has a customer")
	}
	if (m.Type == "") == (m.Columns.Type == "") {
		fault("type: give either type or columns.type")
	}
	if _, ok := typeByName[m.Type]; m.Type != "" && !ok {
		fault("type: %q is not an event type; the types are %s", m.Type, typeList())
	}
	for _, v := range sortedKeys(m.Types) {
		if _, ok := typeByName[m.Types[v]]; !ok {
			fault("types.%s: %q is not an event type; the types are %s", v, m.Types[v], typeList())
		}
	}
	if m.Currency != "" && !IsCurrency(m.Currency) {
		fault("currency: %q is not an ISO 4217 code", m.Currency)
	}
	if len(m.Channel) > MaxChannel {
		fault("channel: longer than %d bytes", MaxChannel)
	}
	switch {
	case m.GroupBy != "" && m.GroupBy != "order":
		fault("group_by: %q is not order", m.GroupBy)
	case m.GroupBy != "" && (m.Columns.Order == "" || m.Type != event.OrderCompleted.String()):
		fault("group_by: needs columns.order, and type: order_completed")
	case m.Refunds != nil && (m.GroupBy == "" || m.Columns.Item == "" || m.Columns.Price == ""):
		fault("refunds: need group_by: order, columns.item and columns.price, to find the order that sold the item and what it cost")
	}
	if c := &m.Columns; c.ItemsFrom != "" && c.Item+c.Category+c.Quantity+c.Price+c.Cost != "" {
		fault("columns.items_from: item, category, quantity, price and cost are of a line with one item; give either")
	}
	for i, s := range m.Skip {
		if err := s.fault(); err != nil {
			fault("skip[%d].%w", i, err)
		}
	}
	return errors.Join(errs...)
}

func (m *Mapping) cutFaults() (errs []error) {
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch m.Format {
	case "csv":
		if len(m.Separator) != 1 || m.Separator == `"` {
			fault("separator: %q is not one ASCII character other than a quote", m.Separator)
		}
	case "whitespace":
	case "fixed":
		if len(m.Widths) == 0 {
			fault("widths: missing; fixed needs the width of each cell")
		}
		for i, w := range m.Widths {
			if w < 1 || w > 1<<16 {
				fault("widths[%d]: %d is outside 1 to 65536", i, w)
			}
		}
	default:
		fault("format: %q is none of csv, whitespace, fixed", m.Format)
	}
	if !m.Header && m.Count == 0 && m.Format != "fixed" && m.Columns.ItemsFrom == "" {
		fault("count: missing; without a header the number of cells must be said")
	}
	return errs
}

func (s Skip) fault() error {
	if s.Column == "" {
		return errors.New("column: missing")
	}
	if (s.Matches == "") == (s.AtMost == "") {
		return errors.New("matches: give either matches or at_most")
	}
	if _, err := regexp.Compile(s.Matches); err != nil {
		return fmt.Errorf("matches: %w", err)
	}
	if _, err := event.ParseMicro([]byte(s.AtMost)); s.AtMost != "" && err != nil {
		return fmt.Errorf("at_most: %q: %w", s.AtMost, err)
	}
	if !slices.Contains(event.Reasons(), event.Reason(s.Reason)) {
		return fmt.Errorf("reason: %q is none of %v", s.Reason, event.Reasons())
	}
	return nil
}
