package basket

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
// Of those that are worth the same, which go hangs on where they lie in the list:
// where lists are full, runs may differ by who came first.
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
	l, worth := &t.lists[a], t.worths[:0]
	for b, s := range t.pool.each(l) {
		worth = append(worth, t.worth(a, b, t.whole(s)))
	}
	n := len(worth)
	worth = append(worth, worth...)
	drop := max(1, n/8)
	cut, spare := lowest(worth[n:], drop)
	lost, gone, i := l.lost, t.gone[:0], 0
	for b, s := range t.pool.each(l) {
		if w := worth[i]; w < cut || w == cut && spare > 0 {
			if w == cut {
				spare--
			}
			lost = max(lost, t.most(a, b, t.whole(s), lost))
			gone = append(gone, b)
		}
		i++
	}
	for _, b := range gone {
		e := t.pool.find(l, b)
		t.pool.remove(l, b, &e)
	}
	l.lost = lost
	t.worths, t.gone = worth, gone
	t.pairs -= drop
	t.pruned += drop
}

// whole is what an entry's sums come to.
func (t *table) whole(s sums) float64 {
	if t.pool.both {
		return s.sum + s.extra
	}
	return s.sum
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

// most is what may have been counted of a pair that a's list holds with this sum;
// it does not look closely where it is no more than enough.
func (t *table) most(a, b uint32, sum, enough float64) float64 {
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
	if most > enough && t.kind != SameSession && a != b {
		l := &t.lists[b]
		most = min(most, l.lost+t.whole(t.pool.find(l, a).sums))
	}
	return most
}

// lowest is the n-th smallest of xs, and how many of the n smallest are equal to
// it. It moves xs about (Hoare's Find, 1961).
func lowest(xs []float64, n int) (x float64, equal int) {
	from, to := 0, len(xs)-1
	for from < to {
		pivot := xs[(from+to)/2]
		i, j := from, to
		for i <= j {
			for xs[i] < pivot {
				i++
			}
			for xs[j] > pivot {
				j--
			}
			if i <= j {
				xs[i], xs[j] = xs[j], xs[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n-1 <= j:
			to = j
		case n-1 >= i:
			from = i
		default:
			from = to
		}
	}
	x = xs[n-1]
	for _, y := range xs[:n] {
		if y == x {
			equal++
		}
	}
	return x, equal
}
