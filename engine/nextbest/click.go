package nextbest

import (
	"cmp"
	"slices"

	"github.com/dangol-dev/dangol/engine/basket"
)

// NextViews returns the k items (hashes) that are likeliest to be looked at next
// in a session, given what was looked at in it so far (hashes, the latest last),
// likeliest first. An item can be looked at again.
func NextViews(c *basket.Counts, session []uint64, k int) []uint64 {
	var seen []basket.Ref
	sums := map[basket.Ref]float64{}
	w := 1.
	for i := len(session) - 1; i >= 0 && len(seen) < maxViews; i-- {
		ref := c.Ref(session[i])
		if ref == 0 || slices.Contains(seen, ref) {
			continue
		}
		seen = append(seen, ref)
		var near [basket.MaxNear]basket.Near
		for _, n := range c.Near(basket.SameSession, ref, &near) {
			sums[n.To] += w * float64(n.Strength)
		}
		w *= viewFade
	}
	var list []uint64
	for ref := range sums {
		list = append(list, uint64(ref))
	}
	slices.SortFunc(list, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(sums[basket.Ref(b)], sums[basket.Ref(a)]), cmp.Compare(c.Item(basket.Ref(a)), c.Item(basket.Ref(b))))
	})
	list = list[:min(k, len(list))]
	for i := range list {
		list[i] = c.Item(basket.Ref(list[i]))
	}
	return list
}
