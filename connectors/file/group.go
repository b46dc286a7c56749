package file

import (
	"errors"
	"io"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// groups puts the lines of one order together: lines of one order id, customer
// and type, which come one after the other. The order has the time and the place
// of its earliest line, the sum of the amounts and discounts, and the lines' items;
// lines of the same item at the same price and cost add up.
//
// Lines come sorted by a hash of what they are grouped by. Where two orders share
// a hash their lines are mixed, so a few orders may be open at a time.
type groups struct {
	from     stream
	maxItems int
	report   *Report
	line     event.Event // read ahead
	pos      int64
	key      uint64
	have     bool
	end      bool
	open     []group // of one key
	at       int     // of open: given away so far
}

type group struct {
	event.Event
	pos int64
}

func newGroups(from stream, maxItems int, report *Report) *groups {
	return &groups{from: from, maxItems: maxItems, report: report}
}

func (g *groups) close() error { return g.from.close() }

func (g *groups) next(ev *event.Event) (int64, error) {
	if g.at == len(g.open) {
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	o := &g.open[g.at]
	g.at++
	items := append(ev.Items[:0], o.Items...)
	*ev = o.Event
	ev.Items = items
	return o.pos, nil
}

// fill reads all orders of the next key.
func (g *groups) fill() error {
	g.open, g.at = g.open[:0], 0
	for {
		if !g.have && !g.end {
			pos, err := g.from.next(&g.line)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			g.pos, g.have, g.end = pos, err == nil, err != nil
		}
		if !g.have || len(g.open) > 0 && byOrder(&g.line) != g.key {
			break
		}
		g.key, g.have = byOrder(&g.line), false
		g.add()
	}
	if len(g.open) == 0 {
		return io.EOF
	}
	return nil
}

// add adds the line to its order.
func (g *groups) add() {
	ev := &g.line
	for i := range g.open {
		o := &g.open[i]
		if o.OrderID == ev.OrderID && o.CustomerID == ev.CustomerID && o.Type == ev.Type {
			if rej := o.add(ev, g.maxItems); rej.Reason != "" {
				g.report.reject(g.pos, rej)
			}
			return
		}
	}
	g.open = append(g.open, group{Event: clone(ev), pos: g.pos})
}

// add adds another line; where that cannot be done it says why and leaves the
// order as it was.
func (o *group) add(ev *event.Event, maxItems int) event.Reject {
	amount, discount := o.Amount+ev.Amount, o.Discount+ev.Discount
	if amount < 0 || discount < 0 {
		return event.Reject{Reason: event.Overflow, Field: "amount", Offset: -1}
	}
	if o.Currency != ev.Currency {
		return event.Reject{Reason: event.UnknownCurrency, Field: "currency", Offset: -1}
	}
	for _, it := range ev.Items {
		if !o.merge(it) {
			if len(o.Items) == maxItems {
				return event.Reject{Reason: event.TooLarge, Field: "items", Offset: -1}
			}
			o.Items = append(o.Items, cloneItem(it))
		}
	}
	o.Amount, o.Discount, o.HasAmount = amount, discount, o.HasAmount || ev.HasAmount
	o.Time = min(o.Time, ev.Time)
	return event.Reject{}
}

// merge adds the quantity of an item that the order has at that price and cost. The lines
// of a refund stay apart, since each looks for its own order.
func (o *group) merge(it event.Item) bool {
	if o.Type == event.OrderRefunded {
		return false
	}
	for i := range o.Items {
		if has := &o.Items[i]; has.ID == it.ID && has.Price == it.Price && has.Cost == it.Cost && has.HasCost == it.HasCost {
			has.Quantity = has.Quantity.Add(it.Quantity)
			return true
		}
	}
	return false
}

func clone(ev *event.Event) event.Event {
	c := *ev
	for _, s := range [...]*string{&c.ID, &c.CustomerID, &c.OrderID, &c.Currency, &c.Channel, &c.SessionID, &c.PreviousID, &c.Coupon, &c.State.Consent} {
		*s = strings.Clone(*s)
	}
	c.Items = make([]event.Item, len(ev.Items))
	for i, it := range ev.Items {
		c.Items[i] = cloneItem(it)
	}
	return c
}

func cloneItem(it event.Item) event.Item {
	it.ID, it.Category = strings.Clone(it.ID), strings.Clone(it.Category)
	return it
}
