package basket

import "slices"

// A list that is full lets an eighth of its entries go when a new neighbour
// comes. Which, decides what is left: those that are worth least, an entry being
// worth its sum, or what it would come to by chance where that is more. Going by
// the sums alone keeps whoever came first, for among entries of one or two a
// newcomer is no match; who is bought much by all will be among the neighbours
// again. Space-Saving's way out, to give a newcomer the sum of whom it replaces
// (Metwally, Agrawal and El Abbadi 2005), found less than half of the
// strongest neighbours in simulated baskets with a tenth of the room, where this
// finds 19 of 20.
//
// Two items know of each other in two lists. What one has let go the other may
// hold, so a newcomer's sums are taken over from there, and an entry that is
// held elsewhere is none the worse for being let go.
//
// lost bounds what is missing: no neighbour's sum, held or not, is too small by
// more. It is the largest sum that a neighbour which was let go may have had,
// which is the least of: the sum it was held with and what was lost before; the
// same seen from its own list; how often the two items were there at all. A sum
// that is taken away of a neighbour that is not held had been added to it, so the
// bound holds after it as well.

// prune makes room in the list of a.
func (t *table) prune(a uint32) {
	l := &t.lists[a]
	t.pool.sortIn(l)
	others, sums, extras := t.pool.entries(l.at, l.n)
	worth := make([]float64, l.n, 2*l.n)
	for i, b := range others {
		worth[i] = t.worth(a, b, t.whole(sums, extras, i))
	}
	sorted := append(worth[l.n:], worth...)
	slices.Sort(sorted)
	drop := max(1, len(sorted)/8)
	cut := sorted[drop-1]
	spare, _ := slices.BinarySearch(sorted, cut)
	spare = drop - spare // of those that are worth the cut, so many go
	lost, kept := l.lost, 0
	for i, b := range others {
		if worth[i] < cut || worth[i] == cut && spare > 0 {
			if worth[i] == cut {
				spare--
			}
			lost = max(lost, t.most(a, b, t.whole(sums, extras, i)))
			continue
		}
		others[kept], sums[kept] = b, sums[i]
		if t.pool.extra {
			extras[kept] = extras[i]
		}
		kept++
	}
	l.lost, l.n = lost, uint32(kept)
	t.pairs -= drop
	t.pruned += drop
}

// whole is what an entry's sums come to.
func (t *table) whole(sums, extras []float64, i int) float64 {
	if t.pool.both {
		return sums[i] + extras[i]
	}
	return sums[i]
}

// worth is by what entries are kept. Of equals the rarer item goes.
func (t *table) worth(a, b uint32, sum float64) float64 {
	if t.total <= 0 {
		return sum
	}
	chance := t.sides[a].left * t.sides[b].right
	if t.kind == NextOrder {
		chance += t.sides[a].right * t.sides[b].left
	}
	chance /= t.total
	return max(sum, chance) + chance/1024
}

// most is what may have been counted of a pair that a's list holds with this sum.
func (t *table) most(a, b uint32, sum float64) float64 {
	x, y := &t.sides[a], &t.sides[b]
	most := sum + t.lists[a].lost
	switch t.kind {
	case SameOrder, SameSession:
		most = min(most, x.left, y.right)
	case NextOrder:
		most = min(most, min(x.left, y.right)+min(y.left, x.right))
	case SameCustomer: // counted when either is taken up
		most = min(most, x.left+y.left)
	}
	if t.kind != SameSession && a != b {
		l := &t.lists[b]
		other := l.lost
		if i, found := t.pool.find(l, a); found {
			sum, extra := t.pool.sumsAt(l, i)
			if other += sum; t.pool.both {
				other += extra
			}
		}
		most = min(most, other)
	}
	return most
}
