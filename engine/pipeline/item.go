package pipeline

import (
	"strings"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/event"
)

// metItems are the items of the open transaction about which the dictionary
// says nothing, or something else.
type metItems struct {
	items []metItem
	seen  map[uint64]int     // hash → latest in items
	known [knownItems]uint64 // marks of items that were met as the dictionary has them
}

// knownItems is a power of two: as many as stay in the processor's cache. Most
// events name one of few items, so this spares most look-ups.
const knownItems = 4096

// markOf stands for what an event says of an item with a hash.
func markOf(h uint64, it *event.Item) uint64 {
	const mix = 0x9e3779b97f4a7c15
	return ((h*mix)^event.Hash(it.Category))*mix ^ uint64(it.Price)*0xbf58476d1ce4e5b9
}

// metItem is what one event says of an item: as much as the dictionary asks of an
// event.
type metItem struct {
	item  event.Item
	state event.ItemState
	at    int64 // Unix ms
}

// entry is what the dictionary is to learn from it.
func (m *metItem) entry() basket.Item {
	e := basket.Item{ID: m.item.ID, Category: m.item.Category, Price: m.item.Price}
	if e.Category != "" {
		e.Categorised = m.at
	}
	if e.Price != 0 {
		e.Priced = m.at
	}
	if m.state.HasAvailable {
		e.Unavailable, e.Stocked = !m.state.Available, m.at
	}
	if m.state.HasHidden {
		e.Hidden, e.Shown = m.state.Hidden, m.at
	}
	if m.state.HasConsent {
		e.Consent, e.Restricted = m.state.Consent, m.at
	}
	return e
}

// update notes what an item_updated says.
func (m *metItems) update(ev *event.Event) {
	state := ev.State
	state.Consent = strings.Clone(state.Consent)
	for i := range ev.Items {
		h := event.Hash(ev.Items[i].ID)
		m.known[h%knownItems] = 0
		m.note(h, metItem{at: ev.Time, state: state, item: cloned(&ev.Items[i])})
	}
}

// note keeps what is said of an item.
func (m *metItems) note(h uint64, it metItem) {
	if m.seen == nil {
		m.seen = map[uint64]int{}
	}
	m.seen[h] = len(m.items)
	m.items = append(m.items, it)
}

func cloned(it *event.Item) event.Item {
	return event.Item{ID: strings.Clone(it.ID), Category: strings.Clone(it.Category), Price: it.Price}
}

// see compares an event's items with the dictionary, which nobody writes
// meanwhile.
func (m *metItems) see(ev *event.Event, dict *basket.Dictionary) {
	for i := range ev.Items {
		it := &ev.Items[i]
		h := event.Hash(it.ID)
		this := markOf(h, it)
		near := &m.known[h%knownItems]
		if *near == this {
			continue
		}
		if j, ok := m.seen[h]; ok {
			if p := &m.items[j]; p.item.Category == it.Category && p.item.Price == it.Price && p.at >= ev.Time {
				continue
			}
		} else if k := dict.Get(h); k != nil {
			category, price := it.Category == "" || it.Category == k.Category, it.Price == 0 || it.Price == k.Price
			if category && price {
				*near = this
			}
			if (category || ev.Time < k.Categorised) && (price || ev.Time < k.Priced) {
				continue
			}
		}
		*near = 0 // what comes after it in this transaction may be the latest word
		m.note(h, metItem{at: ev.Time, item: cloned(it)})
	}
}

// forget drops what is known, after the dictionary has changed.
func (m *metItems) forget() { clear(m.known[:]) }

func (m *metItems) reset() {
	clear(m.items)
	m.items = m.items[:0]
	clear(m.seen)
}
