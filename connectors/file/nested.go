package file

import (
	"errors"
	"io"
	"strconv"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// Baskets without dates are placed a week apart and end together: the last one of
// every customer is at nestedEnd, so a history that is cut a day before it lacks
// the last basket of each, the form in which such data sets are judged.
const (
	nestedEnd  = 983_361_600_000 // 2001-02-28T12:00:00Z
	nestedStep = 7 * 24 * 3600 * 1000
)

// nested yields the baskets of Tafeng files as orders, in the files' order. A
// customer's baskets are those of all files; the k-th of customer c is the order
// "c/k". Of each customer two numbers are remembered.
type nested struct {
	*walk
	customers map[string]*placed
	order     []byte
}

// placed is how many baskets a customer has, and how many of them were read.
type placed struct{ all, read int64 }

// openNested counts the baskets of each customer, without which the time of the
// first is not known, and then opens the files again.
func (r *Reader) openNested() (_ *nested, err error) {
	n := &nested{customers: make(map[string]*placed)}
	if n.walk, err = r.openWalk(Checking, &Report{}); err != nil {
		return nil, err
	}
	for err = n.walk.next(); err == nil; err = n.walk.next() {
		p := n.customers[n.user]
		if p == nil {
			p = new(placed)
			n.customers[n.user] = p
		}
		p.all++
	}
	if !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, n.close())
	}
	n.walk, err = r.openWalk(Sorting, &r.report)
	return n, err
}

// next returns the next basket that is an event.
func (n *nested) next(ev *event.Event) (int64, error) {
	for {
		if err := n.walk.next(); err != nil {
			return 0, err
		}
		p := n.customers[n.user]
		if p == nil || p.read == p.all {
			return 0, n.fault(errors.New("the file changed while it was read"))
		}
		p.read++
		n.report.Lines++
		if field, reason := n.fill(ev, p); reason != "" {
			n.report.reject(n.number, event.Reject{Reason: reason, Field: field, Offset: -1})
		} else if n.opts.AsOf != 0 && ev.Time > n.opts.AsOf {
			n.report.After++
		} else {
			return n.number, nil
		}
	}
}

// fill makes the order of the present basket, its customer's p.read-th.
func (n *nested) fill(ev *event.Event, p *placed) (field string, reason event.Reason) {
	ev.Reset()
	n.order = strconv.AppendInt(append(append(n.order[:0], n.user...), '/'), p.read, 10)
	switch {
	case n.user == "":
		return "user", event.MissingCustomer
	case len(n.order) > decode.MaxID:
		return "user", event.TooLarge
	case n.long:
		return "items", event.TooLarge
	case len(n.items) == 0:
		return "items", event.Empty
	}
	ev.Type, ev.CustomerID, ev.OrderID = event.OrderCompleted, n.user, string(n.order)
	if ev.Time = nestedEnd - (p.all-p.read)*nestedStep; ev.Time <= 0 {
		return "time", event.BadTime // a customer of more than 31 years
	}
	for _, id := range n.items {
		if id == "" {
			return "items", event.MissingItem
		}
		ev.Items = append(ev.Items, event.Item{ID: id, Quantity: event.One})
	}
	return "", ""
}

// TafengCut is the day at whose beginning a history of Tafeng is cut to withhold
// everybody's last basket.
const TafengCut = "2001-02-27"
