package rfm

import (
	"math"
	"math/bits"
)

// Histogram counts integers in bins of at most 0.4 % relative width: below
// 2^precision each number has its own, above it each power of two is cut into
// 2^precision equal ones (the number's leading bits are the bin). A bin keeps
// how many and the sum of what they exceed its lower edge by, so that
//
//   - a bin that holds one distinct value gives it exactly,
//   - adding and taking away are each other's inverse, and histograms merge by
//     addition: after any sequence the content is that of the present values.
//
// Memory is a page of bins for each power of two that occurs. The zero
// Histogram is empty.
type Histogram struct {
	n   int64
	pos [pages]*page
	neg [pages]*page // by magnitude
}

const (
	precision = 8
	pageSize  = 1 << precision
	pages     = 64 - precision + 1
)

type page [pageSize]bin

type bin struct {
	n   int64
	sum int64 // Σ (|v| − lower edge); wraps beyond int64, see value
}

// place is the page, the bin and the excess over the bin's lower edge of a
// magnitude.
func place(u uint64) (pg, i int, excess uint64) {
	if u < pageSize {
		return 0, int(u), 0
	}
	shift := bits.Len64(u) - precision - 1
	i = int(u>>shift) - pageSize
	return shift + 1, i, u & (1<<shift - 1)
}

// edge is the lower edge of a bin and its width.
func edge(pg, i int) (lo, width uint64) {
	if pg == 0 {
		return uint64(i), 1
	}
	return uint64(pageSize+i) << (pg - 1), 1 << (pg - 1)
}

// Add counts v, n times; a negative n takes it away. The caller takes away
// only what was added.
func (h *Histogram) Add(v, n int64) {
	u, side := uint64(v), &h.pos
	if v < 0 {
		u, side = -u, &h.neg
	}
	pg, i, excess := place(u)
	if side[pg] == nil {
		side[pg] = new(page)
	}
	b := &side[pg][i]
	b.n += n
	b.sum += int64(excess) * n
	h.n += n
}

// Merge adds all that o counts.
func (h *Histogram) Merge(o *Histogram) {
	h.n += o.n
	merge(&h.pos, &o.pos)
	merge(&h.neg, &o.neg)
}

func merge(to, from *[pages]*page) {
	for i, p := range from {
		if p == nil {
			continue
		}
		if to[i] == nil {
			to[i] = new(page)
		}
		for j := range p {
			to[i][j].n += p[j].n
			to[i][j].sum += p[j].sum
		}
	}
}

// Len is how many values are counted.
func (h *Histogram) Len() int64 { return h.n }

// value is the bin's mean: exact where it holds one distinct value, within the
// bin in any case (sums that wrapped are held at its edges).
func (b *bin) value(pg, i int) float64 {
	lo, width := edge(pg, i)
	if b.sum%b.n == 0 {
		if q := b.sum / b.n; q >= 0 && uint64(q) < width {
			return float64(lo + uint64(q))
		}
	}
	mean := float64(b.sum) / float64(b.n)
	return float64(lo) + math.Min(math.Max(mean, 0), float64(width-1))
}

// each calls f with every filled bin's value and count, in ascending order,
// until f returns false.
func (h *Histogram) each(f func(v float64, n int64) bool) {
	for pg := pages - 1; pg >= 0; pg-- {
		if h.neg[pg] == nil {
			continue
		}
		for i := pageSize - 1; i >= 0; i-- {
			if b := &h.neg[pg][i]; b.n > 0 && !f(-b.value(pg, i), b.n) {
				return
			}
		}
	}
	for pg := range h.pos {
		if h.pos[pg] == nil {
			continue
		}
		for i := range h.pos[pg] {
			if b := &h.pos[pg][i]; b.n > 0 && !f(b.value(pg, i), b.n) {
				return
			}
		}
	}
}

// Quintiles are the percentiles 20, 40, 60 and 80 of what is counted: type 7
// of Hyndman and Fan (1996), as numpy and R have it by default. Zeros where
// nothing is counted.
func (h *Histogram) Quintiles() [4]float64 {
	return quintiles(h.n, h.each)
}

// quintiles interpolates between the order statistics that walk passes in
// ascending order.
func quintiles(n int64, walk func(func(v float64, n int64) bool)) (cuts [4]float64) {
	if n <= 0 {
		return cuts
	}
	c, seen, lower := 0, int64(0), 0.0
	walk(func(v float64, m int64) bool {
		for c < 4 {
			// Position (n−1)·(c+1)/5 as an index and fifths, without rounding.
			pos := (n - 1) * int64(c+1)
			at, fifths := pos/5, pos%5
			switch {
			case at < seen:
				cuts[c] = lower + (v-lower)*float64(fifths)/5
			case at+1 < seen+m, at < seen+m && fifths == 0:
				cuts[c] = v
			default: // needs a later value
				lower, seen = v, seen+m
				return true
			}
			c++
		}
		return false
	})
	return cuts
}
