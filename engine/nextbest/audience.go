package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Audience knows of each item who last ordered it or put it into a cart. So whom to tell about an item is found without
// asking everyone. It says who may be worth asking, not who is: whoever was
// erased or has sent everything back is still in it, and falls out when scored.
// One goroutine writes; while it does not, many may read.
type Audience struct {
	most      int
	customers []customer
	index     map[uint64]uint32 // of the hash of partition and id
	items     map[uint64][]contact
}

// customer is somebody in the index.
type customer struct {
	partition int32
	id        string
}

// contact is a customer's latest with an item.
type contact struct {
	customer uint32
	minute   uint32 // Unix
}

// NewAudience returns an empty index of the latest so many customers of each item.
func NewAudience(most int) *Audience {
	return &Audience{most: most, index: map[uint64]uint32{}, items: map[uint64][]contact{}}
}

// Note takes in that a customer, by the hash and the bytes of its id, had to do
// with an item at an instant (Unix ms).
func (a *Audience) Note(partition int32, hash uint64, id []byte, item uint64, at int64) {
	if a.most == 0 {
		return
	}
	hash += uint64(uint32(partition)) * 0x9e3779b97f4a7c15
	who, ok := a.index[hash]
	if !ok {
		who = uint32(len(a.customers))
		a.customers = append(a.customers, customer{partition, string(id)})
		a.index[hash] = who
	}
	list, minute := a.items[item], uint32(at/60_000)
	oldest := 0
	for i := range list {
		if list[i].customer == who {
			list[i].minute = max(list[i].minute, minute)
			return
		}
		if list[i].minute < list[oldest].minute {
			oldest = i
		}
	}
	if len(list) < a.most {
		a.items[item] = append(list, contact{who, minute})
	} else if list[oldest].minute < minute {
		list[oldest] = contact{who, minute}
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
		f(a.customers[who].partition, a.customers[who].id)
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
