package decode

import (
	"errors"
	"fmt"
	"time"

	"github.com/dangol-dev/dangol/engine/event"
)

func (t *Table) time(number int64, ev *event.Event) (string, event.Reason) {
	var reason event.Reason
	if t.every > 0 {
		ev.Time, reason = t.spaced(number)
		return "", reason
	}
	s := t.text(&t.at, number)
	if s == "" {
		return t.at.name, event.MissingTime
	}
	switch t.m.Time.Layout {
	case "unix":
		var seconds event.Micro
		var err error
		if seconds, err = event.ParseMicro([]byte(s)); err != nil {
			return t.at.name, event.BadTime
		}
		ev.Time = int64(seconds / 1000)
		reason = checkTime(ev.Time)
	case "unix_ms":
		ev.Time, reason = parseMillis([]byte(s))
	case time.RFC3339Nano:
		ev.Time, reason = parseTime(s)
	default:
		at, err := time.ParseInLocation(t.m.Time.Layout, s, t.loc)
		if err != nil {
			return t.at.name, event.BadTime
		}
		ev.Time = at.UnixMilli()
		reason = checkTime(ev.Time)
	}
	return t.at.name, reason
}

// spaced is the time of a line of a table that has none: start + (number − 1)·every.
func (t *Table) spaced(number int64) (int64, event.Reason) {
	if number > (endOfTime-t.start)/t.every {
		return 0, event.BadTime
	}
	ms := t.start + (number-1)*t.every
	return ms, checkTime(ms)
}

// start is Start in Unix milliseconds.
func (f *TimeFormat) start() (int64, error) {
	loc, err := time.LoadLocation(f.Zone)
	if err != nil {
		return 0, fmt.Errorf("time.zone: %w", err)
	}
	day, err := time.ParseInLocation(time.DateOnly, f.Start, loc)
	ms, reason := day.UnixMilli(), checkTime(day.UnixMilli())
	if err != nil {
		ms, reason = parseTime(f.Start)
	}
	if reason != "" {
		return 0, fmt.Errorf("time.start: %q is neither a day (2006-01-02) nor RFC 3339, of 1970 to 9999", f.Start)
	}
	return ms, nil
}

// timeFaults are those of columns.time and time.
func (m *Mapping) timeFaults() (errs []error) {
	f := &m.Time
	if _, err := time.LoadLocation(f.Zone); err != nil {
		return []error{fmt.Errorf("time.zone: %q is not a known time zone", f.Zone)}
	}
	switch {
	case m.Columns.Time == "" && f.Start == "":
		errs = append(errs, errors.New("columns.time: missing; every event has a time. Where the table has none, give time.start and time.every"))
	case m.Columns.Time != "" && f.Start != "":
		errs = append(errs, errors.New("time.start: give either columns.time or time.start"))
	}
	if f.Start != "" {
		if _, err := f.start(); err != nil {
			errs = append(errs, err)
		}
	}
	if (f.Start != "" || f.Every != 0) && (f.Every < time.Millisecond || f.Every > 366*24*time.Hour) {
		errs = append(errs, fmt.Errorf("time.every: %s is outside 1ms to 8784h", f.Every))
	}
	if f.Start == "" && f.Every != 0 {
		errs = append(errs, errors.New("time.start: missing; time.every needs the time of line 1"))
	}
	return errs
}
