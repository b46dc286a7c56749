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
	Categorised int64       // Unix ms of the event that said the category
	Priced      int64       // Unix ms of the event that said the price
}

// Dictionary names the items whose hashes the ledgers and counts hold. One
// goroutine owns it; while none writes, many may look items up.
type Dictionary struct {
	index      map[uint64]uint32
	items      []Item
	categories map[string]string // one copy of each
	collisions int
}

// NewDictionary returns an empty dictionary.
func NewDictionary() *Dictionary {
	return &Dictionary{index: make(map[uint64]uint32), categories: make(map[string]string)}
}

// Observe learns from an item of an event at a time in Unix milliseconds.
// It returns the entry, valid until the next call, and whether a reader would
// see a difference: then it is to be stored. it may alias a buffer; what is
// kept of it is copied. The latest event wins whatever order they come in, at
// equal times the greater value. A second id with the hash of a first is not
// taken in: it is counted, and goes by the first's name.
func (d *Dictionary) Observe(it *event.Item, at int64) (entry *Item, changed bool) {
	h := event.Hash(it.ID)
	i, ok := d.index[h]
	if !ok {
		i = uint32(len(d.items))
		d.items = append(d.items, Item{ID: strings.Clone(it.ID)})
		d.index[h] = i
		changed = true
	}
	e := &d.items[i]
	if e.ID != it.ID {
		d.collisions++
		return e, false
	}
	if c := it.Category; c != "" && (at > e.Categorised || at == e.Categorised && c > e.Category || e.Category == "") {
		e.Categorised = at
		if c != e.Category {
			e.Category, changed = d.category(c), true
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

// Restore takes in an entry that was stored, in the place of what is known of
// that id.
func (d *Dictionary) Restore(it Item) {
	h := event.Hash(it.ID)
	it.Category = d.category(it.Category)
	i, ok := d.index[h]
	switch {
	case !ok:
		d.index[h] = uint32(len(d.items))
		d.items = append(d.items, it)
	case d.items[i].ID == it.ID:
		d.items[i] = it
	default:
		d.collisions++
	}
}

// Lookup returns what is known of the item with a hash. It only reads.
func (d *Dictionary) Lookup(hash uint64) (Item, bool) {
	i, ok := d.index[hash]
	if !ok {
		return Item{}, false
	}
	return d.items[i], true
}

// Category is the hash of the category's name of the item with a hash; false
// where none was said. It only reads.
func (d *Dictionary) Category(hash uint64) (uint64, bool) {
	i, ok := d.index[hash]
	if !ok || d.items[i].Category == "" {
		return 0, false
	}
	return event.Hash(d.items[i].Category), true
}

// Len is the number of items. It only reads.
func (d *Dictionary) Len() int { return len(d.items) }

// Collisions is how often an item was met whose hash is another's. It only
// reads.
func (d *Dictionary) Collisions() int { return d.collisions }

func (d *Dictionary) category(c string) string {
	if c == "" {
		return ""
	}
	if kept, ok := d.categories[c]; ok {
		return kept
	}
	c = strings.Clone(c)
	d.categories[c] = c
	return c
}
