package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// counted are the orders of a history.
type counted struct {
	counts *basket.Counts
	names  map[uint64]string // of the items
	report file.Report
	wide   int // baskets of more than basket.MaxTripleSize items
}

// orderCounter counts the orders of a history. What becomes of an order is the
// ledger's business; of each customer only the bytes of the ledger are kept, for
// in some files every order is a customer.
type orderCounter struct {
	counted
	source        *basket.Source
	rules         ledger.Rules
	facts         map[uint64][]byte // by the hash of the customer's id
	before, after ledger.Ledger
	buffer        []byte
	last          int64
}

// count reads the files up to an instant (0: all of them).
func (o *rulesOptions) count(ctx context.Context, cfg *Config, asOf int64, errOut io.Writer) (*counted, error) {
	bar := newProgress(errOut)
	defer bar.close()
	r, err := file.OpenAll(o.input, o.format, file.Options{
		Decode: cfg.Decode, AsOf: asOf, Progress: func(s file.Stage, share float64) { bar.set(string(s), share) },
	})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c := &orderCounter{
		counted: counted{counts: basket.New(o.counting()), names: map[uint64]string{}},
		rules:   cfg.Ledger.Rules(ledger.NewCalendar(cfg.location())), facts: map[uint64][]byte{},
	}
	c.source = basket.NewSource(o.counting(), &c.rules)
	var ev event.Event
	for n := 0; ; n++ {
		if err := r.Next(&ev); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := c.take(&ev); err != nil {
			return nil, err
		}
	}
	c.report = r.Report()
	if err := c.finish(max(c.last, asOf)); err != nil {
		return nil, err
	}
	return &c.counted, nil
}

// take applies what is said of orders.
func (c *orderCounter) take(ev *event.Event) error {
	switch ev.Type {
	case event.OrderCompleted, event.OrderUpdated:
		for i := range ev.Items {
			h := event.Hash(ev.Items[i].ID)
			if _, known := c.names[h]; !known {
				c.names[h] = strings.Clone(ev.Items[i].ID)
			}
		}
	case event.OrderRefunded, event.OrderCancelled, event.ErasureRequested:
	default:
		return nil
	}
	c.last = ev.Time
	customer := event.Hash(ev.CustomerID)
	c.after.Reset()
	stored := c.facts[customer]
	if stored != nil {
		if err := ledger.DecodeFacts(stored, &c.after, nil); err != nil {
			return err
		}
	}
	full := len(c.after.Orders) >= ledger.MaxOrders
	c.after.Apply(ev, &c.rules)
	if full {
		if err := ledger.DecodeFacts(stored, &c.before, nil); err != nil {
			return err
		}
		c.folded()
	}
	c.buffer = c.after.AppendFacts(c.buffer[:0])
	if stored = stored[:0]; cap(stored) < len(c.buffer) {
		stored = make([]byte, 0, len(c.buffer))
	}
	c.facts[customer] = append(stored, c.buffer...)
	return nil
}

// folded counts the orders that the ledger has just forgotten because the
// customer has so many: they were bought all the same.
func (c *orderCounter) folded() {
	if c.after.Fold.Orders <= c.before.Fold.Orders || len(c.after.Orders) == 0 {
		return
	}
	oldest := &c.after.Orders[0]
	for w := c.before.Sales(&c.rules); w.Next(); {
		if w.Placed > oldest.Placed || w.Placed == oldest.Placed && w.Hash >= oldest.Hash {
			return
		}
		if w.InBasket && len(w.Items) > 0 {
			c.add(&basket.Row{Kind: basket.SameOrder, At: w.Placed, To: w.Items}, 1)
		}
	}
}

// finish counts what the ledgers hold, as it stands at an instant.
func (c *orderCounter) finish(now int64) error {
	for _, customer := range slices.Sorted(maps.Keys(c.facts)) {
		if err := ledger.DecodeFacts(c.facts[customer], &c.after, nil); err != nil {
			return err
		}
		c.source.Each(&c.after, c.add)
	}
	c.counts.Advance(now)
	c.facts = nil
	return nil
}

func (c *orderCounter) add(r *basket.Row, sign int) {
	if r.Kind != basket.SameOrder {
		return
	}
	if len(r.To) > basket.MaxTripleSize {
		c.wide += sign
	}
	c.counts.Apply(r, sign)
}
