package basket

import (
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// Item is what is known of an article beside its counts.
type Item struct {
	ID          string
	Category    string      // the latest that was said; "" while none was
	Price       event.Micro // of one article, the latest that was said; 0 while none was
	Unavailable bool        // out of stock
	Hidden      bool        // never to be offered
	Consent     string      // the channel or purpose for which a customer must have given consent before it is offered; "": none
	Categorised int64       // Unix ms of the event that said the category
	Priced      int64       // of the one that said the price,
	Stocked     int64       // whether it is available,
	Shown       int64       // whether it is hidden,
	Restricted  int64       // and which consent it needs; 0: nobody said
}

// Dictionary names the items whose hashes the ledgers and counts hold. One
// goroutine owns it; while none writes, many may look items up.
type Dictionary struct {
	index      index
	items      []Item            // by index, from 1
	categories []uint64          // of each item, the hash of its category; 0: none
	names      map[string]string // one copy of each category and consent
	collisions int
}

// NewDictionary returns an empty dictionary.
func NewDictionary() *Dictionary {
	return &Dictionary{index: newIndex(), items: make([]Item, 1), categories: make([]uint64, 1), names: make(map[string]string)}
}

// Observe learns from an item of an event at a time in Unix milliseconds.
// It returns the entry, valid until the next call, and whether a reader would
// see a difference: then it is to be stored. it may alias a buffer; what is
// kept of it is copied. The latest event wins whatever order they come in, at
// equal times the greater value. A second id with the hash of a first is not
// taken in: it is counted, and goes by the first's name.
func (d *Dictionary) Observe(it *event.Item, at int64) (entry *Item, changed bool) {
	h := event.Hash(it.ID)
	i := d.index.find(h)
	if changed = i == 0; changed {
		i = d.add(h, Item{ID: strings.Clone(it.ID)})
	}
	e := &d.items[i]
	if e.ID != it.ID {
		d.collisions++
		return e, false
	}
	if c := it.Category; c != "" && (at > e.Categorised || at == e.Categorised && c > e.Category || e.Category == "") {
		e.Categorised = at
		if c != e.Category {
			e.Category, changed = d.name(c), true
			d.categories[i] = event.Hash(c)
		}
	}
	if p := it.Price; p != 0 && (at > e.Priced || at == e.Priced && p > e.Price || e.Price == 0) {
		e.Priced = at
		if p != e.Price {
			e.Price, changed = p, true
		}
	}
	return e, changed
}

// add takes in an item whose hash is new.
func (d *Dictionary) add(hash uint64, it Item) uint32 {
	d.items, d.categories = append(d.items, it), append(d.categories, 0)
	return d.index.add(hash)
}

// Update is Observe for the i-th item of an item_updated, and learns its state
// besides. The latest event wins whatever order they come in, at equal times the
// more cautious: unavailable, hidden, the greater consent.
func (d *Dictionary) Update(ev *event.Event, i int) (entry *Item, changed bool) {
	e, changed := d.Observe(&ev.Items[i], ev.Time)
	if e.ID != ev.Items[i].ID {
		return e, false
	}
	s, at := &ev.State, ev.Time
	if s.HasAvailable && (at > e.Stocked || at == e.Stocked && !s.Available) {
		changed = changed || e.Unavailable == s.Available
		e.Stocked, e.Unavailable = at, !s.Available
	}
	if s.HasHidden && (at > e.Shown || at == e.Shown && s.Hidden) {
		changed = changed || e.Hidden != s.Hidden
		e.Shown, e.Hidden = at, s.Hidden
	}
	if s.HasConsent && (at > e.Restricted || at == e.Restricted && s.Consent > e.Consent) {
		changed = changed || e.Consent != s.Consent
		e.Restricted, e.Consent = at, d.name(s.Consent)
	}
	return e, changed
}

// Restore takes in an entry that was stored. Partitions may have stored what each
// of them heard last: as of events, the latest word on each thing wins, of one
// instant the greater or more cautious.
func (d *Dictionary) Restore(it Item) {
	h := event.Hash(it.ID)
	it.Category, it.Consent = d.name(it.Category), d.name(it.Consent)
	i := d.index.find(h)
	switch {
	case i == 0:
		i = d.add(h, it)
	case d.items[i].ID == it.ID:
		d.items[i].join(&it)
	default:
		d.collisions++
		return
	}
	if c := d.items[i].Category; c != "" {
		d.categories[i] = event.Hash(c)
	}
}

// join takes over what o knows better.
func (e *Item) join(o *Item) {
	if o.Categorised > e.Categorised || o.Categorised == e.Categorised && o.Category > e.Category {
		e.Category, e.Categorised = o.Category, o.Categorised
	}
	if o.Priced > e.Priced || o.Priced == e.Priced && o.Price > e.Price {
		e.Price, e.Priced = o.Price, o.Priced
	}
	if o.Stocked > e.Stocked || o.Stocked == e.Stocked && o.Unavailable {
		e.Unavailable, e.Stocked = o.Unavailable, o.Stocked
	}
	if o.Shown > e.Shown || o.Shown == e.Shown && o.Hidden {
		e.Hidden, e.Shown = o.Hidden, o.Shown
	}
	if o.Restricted > e.Restricted || o.Restricted == e.Restricted && o.Consent > e.Consent {
		e.Consent, e.Restricted = o.Consent, o.Restricted
	}
}

// Lookup returns what is known of the item with a hash. It only reads.
func (d *Dictionary) Lookup(hash uint64) (Item, bool) {
	i := d.index.find(hash)
	return d.items[i], i != 0
}

// Get is Lookup without the copy: nil for an item that is not known. The entry is
// valid until the next Observe, Update or Restore, and not to be changed.
func (d *Dictionary) Get(hash uint64) *Item {
	i := d.index.find(hash)
	if i == 0 {
		return nil
	}
	return &d.items[i]
}

// Category is the hash of the category's name of the item with a hash; false
// where none was said. It only reads.
func (d *Dictionary) Category(hash uint64) (uint64, bool) {
	c := d.categories[d.index.find(hash)]
	return c, c != 0
}

// Len is the number of items. It only reads.
func (d *Dictionary) Len() int { return len(d.items) - 1 }

// Collisions is how often an item was met whose hash is another's. It only
// reads.
func (d *Dictionary) Collisions() int { return d.collisions }

// name is the one copy of a category or a consent.
func (d *Dictionary) name(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := d.names[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	d.names[s] = s
	return s
}
