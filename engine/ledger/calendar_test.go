package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Zones whose clocks misbehave: half hours, changes at midnight, a skipped day,
// a change of a day's date backwards, none at all.
var zones = []string{
	"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "America/St_Johns",
	"Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Seoul", "Pacific/Kiritimati",
}

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

// The table of clock changes answers as package time does.
func TestCalendarAgainstTime(t *testing.T) {
	calendars := map[string]Calendar{}
	for _, name := range zones {
		calendars[name] = NewCalendar(zone(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		c, loc := calendars[name], zone(t, name)
		ms := rapid.Int64Range(0, 4_102_444_800_000).Draw(t, "ms")
		if rapid.Bool().Draw(t, "at a change") {
			if _, end := time.UnixMilli(ms).In(loc).ZoneBounds(); !end.IsZero() {
				ms = max(0, end.UnixMilli()+rapid.Int64Range(-2, 2).Draw(t, "off"))
			}
		}
		local := time.UnixMilli(ms).In(loc)
		y, m, d := local.Date()
		want := int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
		require.Equal(t, want, c.Day(ms))
		require.Equal(t, local.Hour(), c.Hour(ms))
		require.Equal(t, (int(local.Weekday())+6)%7+1, c.Weekday(ms))
	})
}

// Start is the first instant of its day.
func TestCalendarStart(t *testing.T) {
	for _, name := range zones {
		c := NewCalendar(zone(t, name))
		for day := int32(1); day < 366*90; day++ {
			start := c.Start(day)
			require.GreaterOrEqual(t, c.Day(start), day, "%s day %d", name, day)
			if c.Day(start) != day { // skipped
				require.Equal(t, c.Start(day+1), start)
			}
			require.Less(t, c.Day(start-1), day, "%s day %d", name, day)
		}
	}
}

// Known instants, worked out by hand.
func TestCalendarKnown(t *testing.T) {
	berlin := NewCalendar(zone(t, "Europe/Berlin"))
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return v.UnixMilli()
	}
	require.Equal(t, int32(0), Calendar{}.Day(0))
	require.Equal(t, int32(-1), Calendar{}.Day(-1))
	require.Equal(t, 4, Calendar{}.Weekday(0), "a Thursday")
	require.Equal(t, 23, Calendar{}.Hour(-1))
	require.Equal(t, berlin.Day(at("2026-03-28T23:30:00Z")), berlin.Day(at("2026-03-29T21:59:59Z")), "the day of 23 hours")
	require.Equal(t, at("2026-03-28T23:00:00Z"), berlin.Start(berlin.Day(at("2026-03-29T12:00:00Z"))))
	require.Equal(t, at("2026-03-29T22:00:00Z"), berlin.Start(berlin.Day(at("2026-03-30T12:00:00Z"))))
	saoPaulo := NewCalendar(zone(t, "America/Sao_Paulo"))
	require.Equal(t, at("2018-11-04T03:00:00Z"), saoPaulo.Start(saoPaulo.Day(at("2018-11-04T12:00:00Z"))), "midnight was skipped")
	apia := NewCalendar(zone(t, "Pacific/Apia"))
	require.Equal(t, apia.Day(at("2011-12-30T09:59:59Z"))+2, apia.Day(at("2011-12-30T10:00:00Z")), "the day that Samoa skipped")
	require.Equal(t, Calendar{}, NewCalendar(nil))
	require.Equal(t, Calendar{}, NewCalendar(time.UTC))
}

func BenchmarkCalendarDay(b *testing.B) {
	for _, name := range []string{"UTC", "Europe/Berlin"} {
		c := NewCalendar(zone(b, name))
		b.Run(name, func(b *testing.B) {
			sum := int32(0)
			for i := range b.N {
				sum += c.Day(worldStart + int64(i)*1000)
			}
			_ = sum
		})
	}
}
