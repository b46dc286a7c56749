package rfm

// dayCount counts customers by a calendar day (days since 1970), exactly. The
// days lie side by side: a shop's history is some thousands of them. The zero
// dayCount is empty.
type dayCount struct {
	n     int64
	first int32 // day of count[0]
	count []int64
}

// add counts day n times; a negative n takes it away.
func (d *dayCount) add(day int32, n int64) {
	d.cover(day)
	d.count[day-d.first] += n
	d.n += n
}

// cover makes room for day, with some to spare on the side that grows.
func (d *dayCount) cover(day int32) {
	const spare = 64
	switch {
	case len(d.count) == 0:
		d.first, d.count = day, make([]int64, 1, spare)
	case day < d.first:
		grown := make([]int64, int(d.first-day)+spare+len(d.count))
		copy(grown[int(d.first-day)+spare:], d.count)
		d.first, d.count = day-spare, grown
	default:
		for int(day-d.first) >= len(d.count) {
			d.count = append(d.count, 0)
		}
	}
}

func (d *dayCount) merge(o *dayCount) {
	for i, n := range o.count {
		if n != 0 {
			d.add(o.first+int32(i), n)
		}
	}
}

// quintiles are those of the recency in days as of the given day.
func (d *dayCount) quintiles(asOf int32) [4]float64 {
	return quintiles(d.n, func(f func(v float64, n int64) bool) {
		for i := len(d.count) - 1; i >= 0; i-- {
			if n := d.count[i]; n > 0 && !f(float64(asOf-d.first-int32(i)), n) {
				return
			}
		}
	})
}
