package decode

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

// Table decodes the lines of one table by a mapping. Each line is an event; where
// the mapping groups, one of a single item, which the reader of the file puts
// together. A Table serves one goroutine and one file.
type Table struct {
	m     *Mapping
	loc   *time.Location
	types map[string]event.Type
	money converter
	max   int // bytes of a text
	most  int // items of a line

	start int64 // Unix ms of line 1, where the table has no times
	every int64 // ms from a line to the next

	ready                           bool // the columns were found
	count                           int  // cells of a line; with first ≥ 0, at least
	first                           int  // of the cells that are an item each; −1: none are
	id, customer, at, typ, order    cell
	item, category, quantity, price cell
	cost, amount, discount          cell
	currency, channel, session      cell
	skips                           []skip
	cells                           [][]byte
	scratch                         []byte
	rej                             event.Reject
}

type skip struct {
	cell   int
	name   string
	match  *regexp.Regexp
	atMost event.Micro
	reason event.Reason
}

// NewTable returns a decoder of tables; cfg gives the bounds and the currency.
func NewTable(m *Mapping, cfg Config) (*Table, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(m.Time.Zone)
	if err != nil {
		return nil, fmt.Errorf("time.zone: %w", err)
	}
	t := &Table{m: m, loc: loc, types: make(map[string]event.Type), money: newConverter(cfg.Currency), max: cfg.MaxString, most: cfg.MaxItems}
	if m.Time.Start != "" {
		if t.start, err = m.Time.start(); err != nil {
			return nil, err
		}
		t.every = m.Time.Every.Milliseconds()
	}
	for value, name := range m.Types {
		t.types[value] = typeByName[name]
	}
	if !m.Header {
		t.count = m.Count
		if m.Format == "fixed" {
			t.count = len(m.Widths)
		}
		return t, t.find(nil)
	}
	return t, nil
}

// Header takes the first line of a table that has one. An error names the
// columns that are missing.
func (t *Table) Header(line []byte) error {
	if reason := t.cut(line); reason != "" {
		return fmt.Errorf("the header cannot be read: %s", reason)
	}
	var names []string
	for _, c := range t.cells {
		names = append(names, string(c))
	}
	t.count = len(names)
	return t.find(names)
}

// NeedsHeader reports whether Header must be called before Decode.
func (t *Table) NeedsHeader() bool { return !t.ready }

func (t *Table) find(names []string) error {
	var errs []error
	c := &t.m.Columns
	names, err := t.width(names)
	if err != nil {
		errs = append(errs, err)
	}
	for _, f := range []struct {
		name, spec string
		to         *cell
	}{
		{"id", c.ID, &t.id}, {"customer", c.Customer, &t.customer}, {"time", c.Time, &t.at}, {"type", c.Type, &t.typ},
		{"order", c.Order, &t.order}, {"item", c.Item, &t.item}, {"category", c.Category, &t.category},
		{"quantity", c.Quantity, &t.quantity}, {"price", c.Price, &t.price}, {"cost", c.Cost, &t.cost},
		{"amount", c.Amount, &t.amount}, {"discount", c.Discount, &t.discount}, {"currency", c.Currency, &t.currency},
		{"channel", c.Channel, &t.channel}, {"session", c.Session, &t.session},
	} {
		var err error
		if *f.to, err = resolve(f.spec, names, t.count); err != nil {
			errs = append(errs, fmt.Errorf("columns.%s: %w", f.name, err))
		}
	}
	for i, s := range t.m.Skip {
		at, err := column(s.Column, names, t.count)
		if err != nil {
			errs = append(errs, fmt.Errorf("skip[%d]: %w", i, err))
			continue
		}
		rule := skip{cell: at, name: s.Column, reason: event.Reason(s.Reason)}
		if s.Matches != "" {
			rule.match = regexp.MustCompile(s.Matches) // Validate compiled it
		} else {
			rule.atMost, _ = event.ParseMicro([]byte(s.AtMost))
		}
		t.skips = append(t.skips, rule)
	}
	t.ready = len(errs) == 0
	return errors.Join(errs...)
}

// Decode reads a line, without its end, into ev. number is the line's in its
// file, from 1. The error, if any, is an *event.Reject. Event and error hold
// until the next Decode.
func (t *Table) Decode(line []byte, number int64, ev *event.Event) error {
	ev.Reset()
	t.scratch = t.scratch[:0]
	if field, reason := t.decode(line, number, ev); reason != "" {
		t.rej = event.Reject{Reason: reason, Field: field, Offset: -1}
		return &t.rej
	}
	return nil
}

func (t *Table) decode(line []byte, number int64, ev *event.Event) (string, event.Reason) {
	if len(bytes.TrimSpace(line)) == 0 {
		return "", event.Empty
	}
	if !utf8.Valid(line) {
		return "", event.BadUTF8
	}
	if reason := t.cut(line); reason != "" {
		return "", reason
	}
	switch {
	case len(t.cells) < t.count:
		return "", event.Truncated
	case len(t.cells) > t.count && t.first < 0:
		return "", event.Malformed
	}
	if field, reason := t.names(number, ev); reason != "" {
		return field, reason
	}
	for i := range t.skips {
		if s := &t.skips[i]; s.holds(t.cells[s.cell]) {
			return s.name, s.reason
		}
	}
	return t.values(number, ev)
}

func (s *skip) holds(c []byte) bool {
	if s.match != nil {
		return s.match.Match(c)
	}
	m, err := event.ParseMicro(c)
	return err == nil && m <= s.atMost
}

// names reads who and when and what.
func (t *Table) names(number int64, ev *event.Event) (string, event.Reason) {
	texts := [...]struct {
		from  *cell
		to    *string
		limit int
	}{
		{&t.customer, &ev.CustomerID, MaxID}, {&t.id, &ev.ID, MaxID}, {&t.order, &ev.OrderID, MaxID}, {&t.session, &ev.SessionID, MaxID},
		{&t.channel, &ev.Channel, MaxChannel}, {&t.currency, &ev.Currency, t.max},
	}
	for _, f := range texts {
		if *f.to = t.text(f.from, number); len(*f.to) > f.limit {
			return f.from.name, event.TooLarge
		}
	}
	if ev.CustomerID == "" {
		return t.customer.name, event.MissingCustomer
	}
	if ev.Channel == "" {
		ev.Channel = t.m.Channel
	}
	if ev.Currency == "" {
		ev.Currency = t.m.Currency
	} else if code, ok := currency(ev.Currency); ok {
		ev.Currency = code
	} else {
		return t.currency.name, event.UnknownCurrency
	}
	ev.Type = typeByName[t.m.Type]
	if t.m.Type == "" {
		value := t.text(&t.typ, number)
		if value == "" {
			return t.typ.name, event.MissingType
		}
		if ev.Type = t.types[value]; ev.Type == 0 {
			return t.typ.name, event.UnknownType
		}
	}
	if t.m.GroupBy != "" && ev.OrderID == "" {
		return t.order.name, event.MissingOrder
	}
	return t.time(number, ev)
}

// values reads the numbers and the item.
func (t *Table) values(number int64, ev *event.Event) (string, event.Reason) {
	it := event.Item{ID: t.text(&t.item, number), Category: t.text(&t.category, number), Quantity: event.One}
	if len(it.ID) > MaxID {
		return t.item.name, event.TooLarge
	}
	if len(it.Category) > t.max {
		return t.category.name, event.TooLarge
	}
	refund, priced, field, reason := t.numbers(number, ev, &it)
	if reason != "" {
		return field, reason
	}
	if t.m.GroupBy != "" && len(t.item.parts) > 0 && it.ID == "" {
		return t.item.name, event.MissingItem
	}
	if it.ID != "" {
		ev.Items = append(ev.Items, it)
	}
	if t.first >= 0 {
		if reason := t.basket(ev); reason != "" {
			return t.m.Columns.ItemsFrom, reason
		}
	}
	if ev.Type < event.OrderCompleted || ev.Type > event.OrderCancelled {
		ev.OrderID = "" // a pattern gives every line one
	}
	names := fieldNames{
		order: t.order.name, amount: t.amount.name, items: t.item.name,
		previous: "previous_id", granted: "granted", rating: "rating",
	}
	if field, reason := finish(ev, priced, has{}, &names); reason != "" {
		return field, reason
	}
	if refund {
		ev.Type = event.OrderRefunded
	}
	return t.currency.name, t.money.convert(ev)
}

// numbers reads quantity, price, cost, amount and discount, and whether the line gives
// back and whether it has a price.
func (t *Table) numbers(number int64, ev *event.Event, it *event.Item) (refund, priced bool, field string, reason event.Reason) {
	rule := t.m.Refunds
	refund = rule != nil && rule.OrderPrefix != "" && strings.HasPrefix(ev.OrderID, rule.OrderPrefix)
	for _, f := range [...]struct {
		from  *cell
		to    *event.Micro
		given *bool
	}{
		{&t.quantity, &it.Quantity, nil}, {&t.price, &it.Price, &priced}, {&t.cost, &it.Cost, &it.HasCost},
		{&t.amount, &ev.Amount, &ev.HasAmount}, {&t.discount, &ev.Discount, nil},
	} {
		s := t.text(f.from, number)
		if s == "" {
			continue
		}
		m, err := event.ParseMicro(unsafe.Slice(unsafe.StringData(s), len(s)))
		if err != nil {
			return false, false, f.from.name, numberReason([]byte(s), err)
		}
		if m < 0 && f.from == &t.quantity && (refund || rule != nil && rule.NegativeQuantity) {
			refund, m = true, -m
		}
		if m < 0 {
			return false, false, f.from.name, event.NegativeAmount
		}
		*f.to = m
		if f.given != nil {
			*f.given = true
		}
	}
	return refund, priced, "", ""
}

// text is the value of a field.
func (t *Table) text(c *cell, number int64) string {
	if len(c.parts) == 0 {
		return ""
	}
	if len(c.parts) == 1 && c.parts[0].cell >= 0 {
		b := t.cells[c.parts[0].cell]
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	from := len(t.scratch)
	for _, p := range c.parts {
		switch p.cell {
		case -1:
			t.scratch = append(t.scratch, p.text...)
		case -2:
			t.scratch = strconv.AppendInt(t.scratch, number, 10)
		default:
			t.scratch = append(t.scratch, t.cells[p.cell]...)
		}
	}
	b := t.scratch[from:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}
