package encode

import "time"

// Bounds of a time that RFC 3339 can name, in Unix milliseconds: the years 0
// to 9999.
const (
	firstTime = -62167219200000
	lastTime  = 253402300799999
)

// appendTime writes Unix milliseconds as RFC 3339 in UTC; null for 0 and for
// what lies outside the years that RFC 3339 can name.
func appendTime(b []byte, ms int64) []byte {
	if ms == 0 || ms < firstTime || ms > lastTime {
		return append(b, `null`...)
	}
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, '"')
	b = append(pair(pair(b, year/100), year%100), '-')
	b = append(pair(b, int(month)), '-')
	b = append(pair(b, day), 'T')
	b = append(pair(b, hour), ':')
	b = append(pair(b, minute), ':')
	b = pair(b, second)
	if milli := t.Nanosecond() / 1e6; milli != 0 {
		b = append(b, '.', byte('0'+milli/100))
		b = pair(b, milli%100)
	}
	return append(b, 'Z', '"')
}

// pair writes two digits.
func pair(b []byte, v int) []byte { return append(b, byte('0'+v/10), byte('0'+v%10)) }
