package nextbest

import (
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
	"github.com/dangol-dev/dangol/engine/ledger"
)

// candidate is an item that something speaks for. A list has some hundred, so they
// are small: two to a line of the processor's cache.
type candidate struct {
	ref     basket.Ref
	own     int8 // in memory.own, plus one; 0: the customer never bought it
	inCart  bool
	latest  uint16 // of the voices for it, plus one; 0: nothing speaks for it
	sums    [basket.NumKinds]float32
	share   float32 // of all orders
	promise float32 // rough measure of what speaks for it
}

// candidates finds a candidate by its item: open addressing over a table that
// stays in the processor's cache and is longer than there can be candidates.
type candidates struct {
	n     int
	list  [1 + full]candidate // from 1; zero behind the n-th
	table [2048]uint16        // place in list; 0: free
	order []int
	best  []promised
}

// full is how many candidates there can be, the one that Offer is asked for
// included.
const full = mostWords*basket.MaxNear + maxOwn + ledger.MaxCart + maxViews + mostPopular + 1

func (t *candidates) reset() {
	clear(t.list[1 : t.n+1])
	clear(t.table[:])
	t.n = 0
}

// slot is where in the table the item is, or would be.
func (t *candidates) slot(ref basket.Ref) uint32 {
	i := uint32(ref) * 0x9e3779b1 >> 21
	// Taken, and by another: one condition that hardly ever holds, where two would
	// have the processor guess whether an item is new.
	for uint64(t.table[i])*uint64(t.list[t.table[i]].ref^ref) != 0 {
		i = (i + 1) % uint32(len(t.table))
	}
	return i
}

// at returns the place of an item's candidate, a new one where it is none yet.
func (t *candidates) at(ref basket.Ref) int {
	i, next := t.slot(ref), t.n+1
	at := int(t.table[i])
	if at == 0 {
		at = next
	}
	t.n = max(t.n, at)
	t.table[i], t.list[at].ref = uint16(at), ref
	return at
}

// has says whether the item is a candidate that the customer has had.
func (t *candidates) has(ref basket.Ref) bool { return t.list[t.table[t.slot(ref)]].own > 0 }

// promised is a candidate that much speaks for.
type promised struct {
	promise float32
	at      int32
}

// promising are the candidates worth a closer look: all that the customer has
// had, then the most others that most speaks for, in the order of that, equals by
// item, then the best sellers that are not among them.
func (t *candidates) promising(counts *basket.Counts, sellers []basket.Ref, most int) []int {
	t.order, t.best = t.order[:0], t.best[:0]
	least := float32(0) // of the best, once there are enough: most candidates have less
	for at := 1; at <= t.n; at++ {
		c := &t.list[at]
		if c.own > 0 {
			t.order = append(t.order, at)
		} else if c.promise >= least {
			t.enter(promised{c.promise, int32(at)}, counts, most)
			if len(t.best) == most {
				least = t.best[most-1].promise
			}
		}
	}
	own := len(t.order)
	for _, v := range t.best {
		t.order = append(t.order, int(v.at))
	}
	for _, ref := range sellers {
		if at := t.at(ref); t.list[at].own == 0 && !slices.Contains(t.order[own:], at) {
			t.order = append(t.order, at)
		}
	}
	return t.order
}

// enter takes v among the best.
func (t *candidates) enter(v promised, counts *basket.Counts, most int) {
	better := func(x promised) bool {
		return v.promise > x.promise || v.promise == x.promise && counts.Item(t.list[v.at].ref) < counts.Item(t.list[x.at].ref)
	}
	at := len(t.best)
	if at < most {
		t.best = append(t.best, v)
	} else if at--; !better(t.best[at]) {
		return
	}
	for ; at > 0 && better(t.best[at-1]); at-- {
		t.best[at] = t.best[at-1]
	}
	t.best[at] = v
}

// own makes candidates of what the customer has had, what lies in the cart, and
// what was looked at.
func (r *Recommender) own() {
	m, t := &r.mem, &r.found
	for i := range m.own {
		if m.own[i].ref != 0 {
			t.list[t.at(m.own[i].ref)].own = int8(i + 1)
		}
	}
	for _, ref := range m.cart {
		if ref != 0 {
			t.list[t.at(ref)].inCart = true
		}
	}
	for _, ref := range m.views {
		t.list[t.at(ref)].promise += 1e6 // all of them are worth a look
	}
}

// popular makes candidates of the best sellers. What is more popular promises a
// little more: it counts where nothing else speaks.
func (r *Recommender) popular() {
	for i, ref := range r.look.Popular {
		r.found.list[r.found.at(ref)].promise += 1e-4 * float32(mostPopular-i)
	}
}
