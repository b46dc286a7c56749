package pipeline

import "github.com/dangol-dev/dangol/engine/basket"

// basketMoves are baskets to be added to the counts or taken from them once the
// transaction has committed.
type basketMoves struct {
	items []uint64
	cuts  []basketCut
}

type basketCut struct {
	end  int // in items
	sign int
}

func (m *basketMoves) add(items []uint64, sign int) {
	m.items = append(m.items, items...)
	m.cuts = append(m.cuts, basketCut{len(m.items), sign})
}

func (m *basketMoves) into(c *basket.Counts) {
	from := 0
	for _, cut := range m.cuts {
		c.Apply(m.items[from:cut.end], cut.sign)
		from = cut.end
	}
}

func (m *basketMoves) reset() { m.items, m.cuts = m.items[:0], m.cuts[:0] }
