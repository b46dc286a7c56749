package file

import (
	"math/bits"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// refunds gives each refund to its order. Credit notes of the tables that are
// meant here have a number of their own and do not say what they are for, so
// each of their lines goes to the order by which the customer last bought that
// article. A credit note may so become several refunds, one an order, with the
// ids "<credit note>/<order>". A line whose article the customer never bought
// before, as far as is remembered, is rejected as event.MissingOrder.
type refunds struct {
	from    stream
	report  *Report
	sold    memo
	note    event.Event // a credit note with its items still to be given away
	notePos int64
	id      []byte
}

func newRefunds(from stream, report *Report) *refunds {
	return &refunds{from: from, report: report, sold: memo{limit: 1 << 19}}
}

func (r *refunds) close() error { return r.from.close() }

func (r *refunds) next(ev *event.Event) (int64, error) {
	for {
		if len(r.note.Items) > 0 {
			if r.split(ev) {
				return r.notePos, nil
			}
			continue
		}
		pos, err := r.from.next(ev)
		if err != nil {
			return 0, err
		}
		if ev.Type != event.OrderRefunded {
			r.remember(ev)
			return pos, nil
		}
		r.note, r.notePos = clone(ev), pos
	}
}

func (r *refunds) remember(ev *event.Event) {
	order := strings.Clone(ev.OrderID)
	for i := range ev.Items {
		r.sold.put(soldKey(ev.CustomerID, ev.Items[i].ID), order)
	}
}

func soldKey(customer, item string) uint64 {
	return event.Hash(customer) ^ bits.RotateLeft64(event.Hash(item), 31)
}

// split takes from the note the lines of the first one's order and makes the
// refund of them; false where that line has no order.
func (r *refunds) split(ev *event.Event) bool {
	n := &r.note
	first := r.sold.get(soldKey(n.CustomerID, n.Items[0].ID))
	if first == "" {
		r.report.reject(r.notePos, event.Reject{Reason: event.MissingOrder, Field: "order_id", Offset: -1})
		n.Items = n.Items[1:]
		return false
	}
	items := ev.Items[:0]
	*ev = *n
	rest := n.Items[:0]
	ev.Amount = 0
	for _, it := range n.Items {
		if r.sold.get(soldKey(n.CustomerID, it.ID)) != first {
			rest = append(rest, it)
			continue
		}
		items = append(items, it)
		ev.Amount = ev.Amount.Add(cost(it))
	}
	n.Items, ev.Items = rest, items
	r.id = append(append(append(r.id[:0], n.OrderID...), '/'), first...)
	ev.ID, ev.OrderID, ev.HasAmount, ev.Discount = string(r.id), first, true, 0
	return true
}

// cost is price × quantity, which the decoder found to fit.
func cost(it event.Item) event.Micro {
	hi, lo := bits.Mul64(uint64(it.Price), uint64(it.Quantity))
	lo, carry := bits.Add64(lo, uint64(event.One)/2, 0)
	if hi += carry; hi >= uint64(event.One) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(event.One))
	return event.Micro(min(q, 1<<63-1))
}

// memo remembers at least the latest limit keys, and at most twice as many.
type memo struct {
	limit    int
	now, old map[uint64]string
}

func (m *memo) put(key uint64, value string) {
	if m.now == nil || len(m.now) >= m.limit {
		m.now, m.old = make(map[uint64]string), m.now
	}
	m.now[key] = value
}

func (m *memo) get(key uint64) string {
	if v, ok := m.now[key]; ok {
		return v
	}
	return m.old[key]
}
