package pipeline

import "github.com/dangol-dev/dangol/engine/basket"

// basketMoves are rows of evidence to be added to the counts or taken from them
// once the transaction has committed.
type basketMoves struct {
	items []uint64
	rows  []movedRow
}

type movedRow struct {
	at       int64
	from, to int32 // ends in items
	kind     basket.Kind
	sign     int8
}

func (m *basketMoves) add(r *basket.Row, sign int) {
	m.items = append(m.items, r.From...)
	from := int32(len(m.items))
	m.items = append(m.items, r.To...)
	m.rows = append(m.rows, movedRow{r.At, from, int32(len(m.items)), r.Kind, int8(sign)})
}

func (m *basketMoves) into(c *basket.Counts, p *publisher) {
	at := int32(0)
	for i := range m.rows {
		r := &m.rows[i]
		c.Apply(&basket.Row{Kind: r.kind, At: r.at, From: m.items[at:r.from], To: m.items[r.from:r.to]}, int(r.sign))
		if r.kind == basket.SameOrder {
			p.want(c, m.items[r.from:r.to])
		}
		at = r.to
	}
}

func (m *basketMoves) reset() { m.items, m.rows = m.items[:0], m.rows[:0] }
