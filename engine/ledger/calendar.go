package ledger

import (
	"sort"
	"time"
)

const (
	dayMs  = 24 * 60 * 60 * 1000
	hourMs = 60 * 60 * 1000
)

// calendarEnd is the year up to which a zone's clock changes are followed.
const calendarEnd = 2200

// Calendar turns instants (Unix ms) into days and hours of one time zone. Days
// are counted from 1970-01-01 there. The zero Calendar is UTC. A Calendar is
// immutable and serves many goroutines; copies share its table.
//
// Time zones in package time cost 40 ns a question; the table of clock changes
// that a Calendar makes of one costs a binary search.
type Calendar struct {
	spans []span // ascending; nil: UTC
}

// span is a stretch of time with one offset from UTC.
type span struct {
	start  int64 // Unix ms of the first instant
	offset int64 // ms to add to get local time
}

// NewCalendar is the calendar of a zone, from 1970 on; nil is UTC. Instants
// before count as in the zone's offset at that time, those after the year 2200
// as in its last offset.
func NewCalendar(zone *time.Location) Calendar {
	if zone == nil || zone == time.UTC {
		return Calendar{}
	}
	var c Calendar
	for t := time.Unix(0, 0).In(zone); t.Year() <= calendarEnd; {
		_, seconds := t.Zone()
		offset := int64(seconds) * 1000
		if n := len(c.spans); n == 0 || c.spans[n-1].offset != offset {
			c.spans = append(c.spans, span{t.UnixMilli(), offset})
		}
		_, end := t.ZoneBounds()
		switch {
		case end.IsZero():
			return c
		case end.After(t):
			t = end
		default: // ZoneBounds of Go 1.26 ends in itself on the last day of some leap years
			t = t.Add(time.Hour)
		}
	}
	return c
}

// at is the index of the span that holds ms.
func (c Calendar) at(ms int64) int {
	i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].start > ms })
	return max(0, i-1)
}

// local is ms as the wall clock shows it, counted as if that were UTC.
func (c Calendar) local(ms int64) int64 {
	if c.spans == nil {
		return ms
	}
	return ms + c.spans[c.at(ms)].offset
}

// Day is the day of an instant.
func (c Calendar) Day(ms int64) int32 { return int32(floorDiv(c.local(ms), dayMs)) }

// Start is the first instant (Unix ms) of a day: midnight, or, where the clocks
// skip midnight, the instant they skip to. A day that the zone skipped starts
// with the day after it.
func (c Calendar) Start(day int32) int64 {
	midnight := int64(day) * dayMs
	if c.spans == nil {
		return midnight
	}
	// No offset exceeds 26 hours, so an earlier span ends before this day.
	i := c.at(midnight - 26*hourMs)
	for ; i+1 < len(c.spans); i++ {
		if at := max(midnight-c.spans[i].offset, c.spans[i].start); at < c.spans[i+1].start {
			return at
		}
	}
	return max(midnight-c.spans[i].offset, c.spans[i].start)
}

// Hour is the hour of an instant on the wall clock, 0 to 23.
func (c Calendar) Hour(ms int64) int {
	ms = c.local(ms)
	return int((ms - floorDiv(ms, dayMs)*dayMs) / hourMs)
}

// Weekday is the day of the week of an instant, 1 Monday to 7 Sunday.
func (c Calendar) Weekday(ms int64) int {
	d := int64(c.Day(ms)) + 3 // 1970-01-01 was a Thursday
	return int(d-floorDiv(d, 7)*7) + 1
}

// Week is the calendar week of a day: 0 begins on Monday, 1969-12-29.
func Week(day int32) int32 { return int32(floorDiv(int64(day)+3, 7)) } // day 0 was a Thursday

// Monday is the first day of a week.
func Monday(week int32) int32 { return week*7 - 3 }

// floorDiv divides towards minus infinity; n > 0.
func floorDiv(v, n int64) int64 {
	q := v / n
	if v < 0 && q*n != v {
		q--
	}
	return q
}
