package basket

import (
	"math"
	"slices"
	"sort"
)

// triple is three items of one order, a < b < c by dense index; a = 0 is a free
// slot.
type triple struct {
	a, b, c uint32
	sum     float64
}

const tripleBytes = 24

// tripleTable counts triples by open addressing with linear probing. It holds
// at most `most`. When there is no room, those of the smallest sums go; lost is
// then the largest sum that a triple which is not there may have, and a new one
// is only taken in if each of its three pairs has more: no triple is in more
// orders than its rarest pair.
type tripleTable struct {
	slots  []triple // a power of two
	shift  uint     // of the hash, to an index
	most   int
	used   int
	lost   float64
	pruned int
}

func newTripleTable(most int) tripleTable {
	return tripleTable{slots: make([]triple, 64), shift: 64 - 6, most: most}
}

// basket counts the triples of one order's items.
func (t *tripleTable) basket(items []uint32, w float64, pairs *table) {
	var sorted [MaxTripleSize]uint32
	is := sorted[:copy(sorted[:], items)]
	slices.Sort(is)
	for i, a := range is {
		for j, b := range is[i+1:] {
			for _, c := range is[i+j+2:] {
				t.add(triple{a: a, b: b, c: c}, w, pairs)
			}
		}
	}
}

func (t *tripleTable) add(k triple, w float64, pairs *table) {
	at, found := t.find(&k)
	if found {
		t.slots[at].sum += w
		return
	}
	if t.lost > 0 && (w < 0 || // of what was let go
		pairs.atMost(k.a, k.b) <= t.lost || pairs.atMost(k.a, k.c) <= t.lost || pairs.atMost(k.b, k.c) <= t.lost) {
		return
	}
	if t.used >= t.most || t.used >= len(t.slots)/4*3 {
		t.rebuild()
		at, _ = t.find(&k)
	}
	k.sum = w
	t.slots[at] = k
	t.used++
}

func (t *tripleTable) find(k *triple) (at uint32, found bool) {
	mask := uint32(len(t.slots) - 1)
	h := (uint64(k.a)<<32 | uint64(k.b)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29 ^ uint64(k.c)) * 0xbf58476d1ce4e5b9
	for i := uint32(h >> t.shift); ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.a == k.a && s.b == k.b && s.c == k.c {
			return i, true
		}
		if s.a == 0 {
			return i, false
		}
	}
}

// rebuild makes room: the triples without a sum go, and, where there are few of
// them in a full table, the half with the smallest sums. The others move, to a
// table of twice the size where they would fill more than half of this one.
func (t *tripleTable) rebuild() {
	var live []float64
	for i := range t.slots {
		if s := &t.slots[i]; s.a != 0 && s.sum != 0 {
			live = append(live, s.sum)
		}
	}
	stay, cut := len(live), math.Inf(-1)
	if t.used >= t.most && stay >= t.most-t.most/8 {
		slices.Sort(live)
		cut = live[stay/2]
		gone := sort.Search(stay, func(i int) bool { return live[i] > cut })
		t.pruned, stay = t.pruned+gone, stay-gone
		t.lost += max(cut, 0) // what goes now may have come after a loss, and be larger by it
	}
	old := t.slots
	if n := len(old); stay > n/2 {
		t.slots, t.shift = make([]triple, 2*n), t.shift-1
	} else {
		t.slots = make([]triple, n)
	}
	t.used = stay
	for i := range old {
		if s := &old[i]; s.a != 0 && s.sum != 0 && s.sum > cut {
			at, _ := t.find(s)
			t.slots[at] = *s
		}
	}
}

func (t *tripleTable) scale(f float64) {
	t.lost *= f
	for i := range t.slots {
		t.slots[i].sum *= f
	}
}

func (t *tripleTable) bytes() int64 { return int64(len(t.slots)) * tripleBytes }
