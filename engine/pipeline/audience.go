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
	hash   uint64
	at     int64
	idEnd  int
	items  int // end in items
	forget bool
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

// forget notes that a customer was erased.
func (n *contacts) forget(id string) {
	n.ids = append(n.ids, id...)
	n.notes = append(n.notes, note{hash: event.Hash(id), idEnd: len(n.ids), items: len(n.items), forget: true})
}

func (n *contacts) into(a *nextbest.Audience, partition int32) {
	id, item := 0, 0
	for i := range n.notes {
		v := &n.notes[i]
		if v.forget {
			a.Forget(partition, v.hash)
		}
		for ; item < v.items; item++ {
			a.Note(partition, v.hash, n.ids[id:v.idEnd], n.items[item], v.at)
		}
		id = v.idEnd
	}
}

func (n *contacts) reset() { n.ids, n.items, n.notes = n.ids[:0], n.items[:0], n.notes[:0] }

// gatherContacts takes in, in the background, what a partition's ledgers say of
// their items: until it is through, audiences lack some of its customers.
func (c *Core) gatherContacts(s *shard) {
	if c.cfg.NextBest.Audience == 0 {
		return
	}
	c.background.Go(func() {
		rules := c.rules()
		n := 0
		_ = c.each(s.part, &rules, func(id []byte, led *ledger.Ledger, _ *score.Emission) error { // a fault is met by whoever reads the customer
			if n++; n%askedAtOnce == 0 && (s.closed.Load() || c.life.Err() != nil) {
				return errStop
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.restoreContacts(s.part, id, led)
			return nil
		})
	})
}

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

// Audience implements Query. The customers are read from the store while the
// stream goes on, and scored a few at a time, so that nothing waits for them.
func (c *Core) Audience(ctx context.Context, item string, limit int) ([]score.Target, error) {
	asked, err := c.contactsOf(item)
	if err != nil {
		return nil, err
	}
	var out []score.Target
	rules := c.rules()
	for len(asked) > 0 {
		n := min(len(asked), askedAtOnce)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range asked[:n] {
			if err := c.readContact(&asked[i], rules.Intern); err != nil {
				return nil, err
			}
		}
		out = c.scoreContacts(asked[:n], &rules, item, out)
		asked = asked[n:]
	}
	slices.SortFunc(out, func(a, b score.Target) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.CustomerID, b.CustomerID))
	})
	return out[:min(limit, len(out))], nil
}

// askedAtOnce is how many customers are scored under one hold of the models.
const askedAtOnce = 64

// asked is a customer that may want an item.
type asked struct {
	partition int32
	id        string
	led       ledger.Ledger
	em        score.Emission
	here      bool // the store has it
}

// contactsOf are the customers worth asking about an item.
func (c *Core) contactsOf(item string) ([]asked, error) {
	if err := c.serves(); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	h := event.Hash(item)
	if known := c.dict.Get(h); known == nil || known.ID != item {
		return nil, fmt.Errorf("item %q: %w", item, ErrNotFound)
	}
	var out []asked
	c.audience.Who(nextbest.Sources(c.counts, h), func(partition int32, id string) {
		if slices.Contains(c.ours, partition) {
			out = append(out, asked{partition: partition, id: id})
		}
	})
	return out, nil
}

func (c *Core) readContact(a *asked, intern func([]byte) string) error {
	val, _, ok, err := c.store.Get(a.partition, append([]byte{customerKey}, a.id...), nil)
	if err != nil || !ok {
		return err
	}
	if err := decodeBlob(val, &a.led, &a.em, intern); err != nil {
		return fmt.Errorf("customer's state: %w", err)
	}
	a.here = !nobody(&a.led)
	return nil
}

// scoreContacts adds those of some customers that the item may be offered to.
func (c *Core) scoreContacts(some []asked, rules *ledger.Rules, item string, out []score.Target) []score.Target {
	c.mu.RLock()
	defer c.mu.RUnlock()
	rec, m := c.recommender(c.present(), rules), c.models.Load().Learned().Offers
	for i := range some {
		a := &some[i]
		if !a.here {
			continue
		}
		if o, ok := rec.Offer(&a.led, m, max(c.clocks[a.partition].Clock, a.em.AsOf, a.led.Last), item); ok {
			out = append(out, score.Target{CustomerID: a.id, Offer: o})
		}
		a.led = ledger.Ledger{}
	}
	return out
}
