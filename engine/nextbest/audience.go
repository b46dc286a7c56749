package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Audience knows of each item who last ordered it or put it into a cart. So whom
// to tell about an item is found without asking everyone. It says who may be worth
// asking, not who is: whoever has sent everything back is still in it, and falls
// out when scored. Its memory is bounded by what it points at. One goroutine
// writes; while it does not, many may read.
type Audience struct {
	most      int
	customers []customer
	ids       []byte               // of the customers, one behind the other
	index     map[uint64]uint32    // of the hash of partition and id
	items     map[uint64][]contact // the latest last
	room      int                  // customers at which those that nothing points at go
}

// customer is somebody in the index; without an id, forgotten.
type customer struct {
	key       uint64
	from      int // where the id begins in ids
	length    int32
	partition int32
}

// contact is a customer's latest with an item.
type contact struct {
	customer uint32
	minute   uint32 // Unix
}

// NewAudience returns an empty index of the latest so many customers of each item.
func NewAudience(most int) *Audience {
	return &Audience{most: most, index: map[uint64]uint32{}, items: map[uint64][]contact{}, room: leastRoom}
}

const leastRoom = 1024

// audienceKey is a customer's, by the hash of its id.
func audienceKey(partition int32, hash uint64) uint64 {
	return hash + uint64(uint32(partition))*0x9e3779b97f4a7c15
}

// Note takes in that a customer, by the hash and the bytes of its id, had to do
// with an item at an instant (Unix ms).
func (a *Audience) Note(partition int32, hash uint64, id []byte, item uint64, at int64) {
	if a.most == 0 {
		return
	}
	who := a.who(partition, hash, id) // which may move the lists
	list, now := a.items[item], contact{who, uint32(at / 60_000)}
	gone := place(list, who)
	if gone < 0 && len(list) == a.most {
		gone = 0
	}
	if gone >= 0 {
		if list[gone].minute >= now.minute {
			return
		}
		list = slices.Delete(list, gone, gone+1)
	}
	i := len(list)
	for i > 0 && list[i-1].minute > now.minute {
		i--
	}
	if list = slices.Insert(list, i, now); gone < 0 {
		a.items[item] = list
	}
}

// place is where a customer is in a list; −1: nowhere.
func place(list []contact, who uint32) int {
	for i := len(list) - 1; i >= 0; i-- { // who was there lately comes again
		if list[i].customer == who {
			return i
		}
	}
	return -1
}

// who is the customer's place, a new one where it has none.
func (a *Audience) who(partition int32, hash uint64, id []byte) uint32 {
	key := audienceKey(partition, hash)
	if who, ok := a.index[key]; ok {
		return who
	}
	if len(a.customers) >= a.room {
		a.compact()
	}
	return a.enter(customer{key: key, partition: partition}, id)
}

// enter gives a customer a place.
func (a *Audience) enter(c customer, id []byte) uint32 {
	who := uint32(len(a.customers))
	c.from, c.length = len(a.ids), int32(len(id))
	a.ids, a.customers = append(a.ids, id...), append(a.customers, c)
	a.index[c.key] = who
	return who
}

// compact lets go of the customers that nothing points at.
func (a *Audience) compact() {
	was, ids := a.customers, a.ids
	a.customers, a.ids = make([]customer, 0, len(was)), make([]byte, 0, len(ids))
	a.index = make(map[uint64]uint32, len(was)) // as many as there will be when the next go
	for item, list := range a.items {
		kept := list[:0]
		for _, c := range list {
			w := &was[c.customer]
			if w.length == 0 {
				continue
			}
			who, ok := a.index[w.key]
			if !ok {
				who = a.enter(*w, ids[w.from:][:w.length])
			}
			kept = append(kept, contact{who, c.minute})
		}
		a.items[item] = kept
	}
	a.room = max(leastRoom, 2*len(a.customers))
}

// Forget drops a customer, by the hash of its id.
func (a *Audience) Forget(partition int32, hash uint64) {
	key := audienceKey(partition, hash)
	if who, ok := a.index[key]; ok {
		a.customers[who].length = 0
		delete(a.index, key)
	}
}

// Who calls f with the customers of items, each once.
func (a *Audience) Who(items []uint64, f func(partition int32, id string)) {
	var seen []uint32
	for _, item := range items {
		for _, c := range a.items[item] {
			seen = append(seen, c.customer)
		}
	}
	slices.Sort(seen)
	for _, who := range slices.Compact(seen) {
		if c := &a.customers[who]; c.length > 0 {
			f(c.partition, string(a.ids[c.from:][:c.length]))
		}
	}
}

// mostSources is of how many items that lead to another the customers are asked.
const mostSources = 24

// Sources are the item and those that lead to it: whose customers may want it.
func Sources(c *basket.Counts, item uint64) []uint64 {
	ref := c.Ref(item)
	if ref == 0 {
		return []uint64{item}
	}
	type source struct {
		ref basket.Ref
		n   float64
	}
	var found []source
	add := func(k basket.Kind) {
		c.Before(k, ref, func(a basket.Ref, _ float64) {
			if v := c.Nearness(k, a, ref); v > 0 && a != ref {
				found = append(found, source{a, v})
			}
		})
	}
	add(basket.SameCustomer)
	add(basket.NextOrder)
	slices.SortFunc(found, func(a, b source) int {
		switch {
		case a.n > b.n:
			return -1
		case a.n < b.n:
			return 1
		}
		return int(a.ref) - int(b.ref)
	})
	items := []uint64{item}
	for _, s := range found {
		if h := c.Item(s.ref); !slices.Contains(items, h) && len(items) <= mostSources {
			items = append(items, h)
		}
	}
	return items
}
