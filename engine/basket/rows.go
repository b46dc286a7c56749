package basket

// Rows are rows of evidence that are counted together: for less than one by one,
// and each kind beside the others. The zero Rows are none.
type Rows struct {
	kinds [NumKinds]rows
	coder coder
}

// rows are those of one kind.
type rows struct {
	items  []uint64
	places []uint32 // of the items, from Meet on
	rows   []placed
}

// placed is a row whose items are some of all.
type placed struct {
	at       int64
	from, to int32 // ends in items
	sign     int8
}

// Add keeps a row to be added (sign +1) or to be taken away (−1).
func (m *Rows) Add(r *Row, sign int) {
	k := &m.kinds[r.Kind]
	k.items = append(k.items, r.From[:min(len(r.From), MaxItems)]...)
	from := len(k.items)
	k.items = append(k.items, r.To[:min(len(r.To), MaxItems)]...)
	k.rows = append(k.rows, placed{r.At, int32(from), int32(len(k.items)), int8(sign)})
}

// Items are those of all rows of a kind, one row's after another's.
func (m *Rows) Items(k Kind) []uint64 { return m.kinds[k].items }

// Reset forgets the rows and keeps their memory.
func (m *Rows) Reset() {
	for k := range m.kinds {
		m.kinds[k].items, m.kinds[k].rows = m.kinds[k].items[:0], m.kinds[k].rows[:0]
	}
}

// Empty says whether there are no rows.
func (m *Rows) Empty() bool {
	for k := range m.kinds {
		if len(m.kinds[k].rows) > 0 {
			return false
		}
	}
	return true
}

// Meet prepares for rows: it gives their items places and moves the clock.
func (c *Counts) Meet(m *Rows) {
	for k := range m.kinds {
		r := &m.kinds[k]
		r.places = r.places[:0]
		for _, it := range r.items {
			r.places = append(r.places, c.dense(it))
		}
		for i := range r.rows {
			c.Advance(r.rows[i].at)
		}
	}
	c.rescale(c.now)
}

// dense returns the index of an item, a new one where it has none.
func (c *Counts) dense(hash uint64) uint32 {
	if d := c.index.find(hash); d != 0 {
		return d
	}
	return c.add(hash)
}

// add gives an item that has none an index, and room in every table.
func (c *Counts) add(hash uint64) uint32 {
	d := c.index.add(hash)
	for k := range c.tables {
		c.tables[k].grow(len(c.index.hashes))
	}
	return d
}

// ApplyKind is Apply for the rows of one kind, after Meet, which may have met other
// rows since: sign +1 adds those to be added and takes away those to be taken away,
// −1 undoes that. Kinds may be applied side by side.
func (c *Counts) ApplyKind(k Kind, m *Rows, sign int) {
	t, rs := &c.tables[k], &m.kinds[k]
	seen, ahead := 0, 0
	for i := range rs.rows {
		for ; ahead < lookAhead && seen < len(rs.rows); seen++ {
			ahead += t.touch(rs.of(seen))
		}
		from, to := rs.of(i)
		ahead -= touches(from, to)
		c.apply(k, from, to, rs.rows[i].at, sign*int(rs.rows[i].sign))
	}
}

// of are the places of a row's items.
func (r *rows) of(i int) (from, to []uint32) {
	begin := int32(0)
	if i > 0 {
		begin = r.rows[i-1].to
	}
	return r.places[begin:r.rows[i].from], r.places[r.rows[i].from:r.rows[i].to]
}

// lookAhead is how many pairs are looked for before the first of them is counted.
// Lists lie far apart in memory; the processor waits for many side by side, but for
// what it counts with one after the other.
const lookAhead = 32

// touch goes to see where the pairs of a row are counted.
func (t *table) touch(from, to []uint32) int {
	for _, b := range to {
		for _, a := range from {
			t.near += t.pool.glance(&t.lists[a], b)
			if t.kind != SameSession {
				t.near += t.pool.glance(&t.lists[b], a)
			}
		}
	}
	return touches(from, to)
}

// touches is how many pairs touch sees, at least one.
func touches(from, to []uint32) int { return max(1, len(from)*len(to)) }
