package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/ledger"
	"github.com/dangol-dev/dangol/engine/nextbest"
	"github.com/dangol-dev/dangol/engine/score"
)

// contacts are the customers that had to do with items in the open transaction.
type contacts struct {
	ids   []byte
	items []uint64
	notes []note
}

type note struct {
	hash  uint64
	at    int64
	idEnd int
	items int // end in items
}

// see notes an event's items.
func (n *contacts) see(ev *event.Event) {
	switch ev.Type {
	case event.OrderCompleted, event.ProductAdded:
	default:
		return
	}
	if len(ev.Items) == 0 {
		return
	}
	n.ids = append(n.ids, ev.CustomerID...)
	for i := range ev.Items {
		n.items = append(n.items, event.Hash(ev.Items[i].ID))
	}
	n.notes = append(n.notes, note{hash: event.Hash(ev.CustomerID), at: ev.Time, idEnd: len(n.ids), items: len(n.items)})
}

func (n *contacts) into(a *nextbest.Audience, partition int32) {
	id, item := 0, 0
	for i := range n.notes {
		v := &n.notes[i]
		for ; item < v.items; item++ {
			a.Note(partition, v.hash, n.ids[id:v.idEnd], n.items[item], v.at)
		}
		id = v.idEnd
	}
}

func (n *contacts) reset() { n.ids, n.items, n.notes = n.ids[:0], n.items[:0], n.notes[:0] }

// restoreContacts takes in what a ledger says of its items.
func (c *Core) restoreContacts(partition int32, id []byte, l *ledger.Ledger) {
	h := event.HashBytes(id)
	for i := max(0, len(l.Orders)-restoredOrders); i < len(l.Orders); i++ {
		for _, item := range l.Orders[i].Items {
			c.audience.Note(partition, h, id, item, l.Orders[i].Placed)
		}
	}
	for i := range l.Cart {
		c.audience.Note(partition, h, id, l.Cart[i].Item, l.Cart[i].Time)
	}
}

// restoredOrders is of how many of a customer's latest orders the items are
// taken into the audiences when a partition opens.
const restoredOrders = 16

// Audience implements Query.
func (c *Core) Audience(ctx context.Context, item string, limit int) ([]score.Target, error) {
	if err := c.Ready(); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	h := event.Hash(item)
	if known := c.dict.Get(h); known == nil || known.ID != item {
		return nil, fmt.Errorf("item %q: %w", item, ErrNotFound)
	}
	rules := c.rules()
	rec, m := c.recommender(c.present(), &rules), c.models.Load().Learned().Offers
	var out []score.Target
	var led ledger.Ledger
	var em score.Emission
	var failed error
	c.audience.Who(nextbest.Sources(c.counts, h), func(partition int32, id string) {
		if failed != nil {
			return
		}
		if failed = ctx.Err(); failed != nil {
			return
		}
		val, _, ok, err := c.store.Get(partition, append([]byte{customerKey}, id...), nil)
		if err != nil || !ok {
			failed = err
			return
		}
		if failed = decodeBlob(val, &led, &em, rules.Intern); failed != nil || nobody(&led) {
			return
		}
		if o, ok := rec.Offer(&led, m, max(c.clocks[partition].Clock, em.AsOf, led.Last), item); ok {
			out = append(out, score.Target{CustomerID: id, Offer: o})
		}
	})
	if failed != nil {
		return nil, failed
	}
	slices.SortFunc(out, func(a, b score.Target) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.CustomerID, b.CustomerID))
	})
	return out[:min(limit, len(out))], nil
}
