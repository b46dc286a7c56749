package decode

import "github.com/dangol-dev/dangol/engine/event"

const msPerDay = 24 * 60 * 60 * 1000

// endOfTime is the first millisecond of the year 10000.
const endOfTime = 253402300800000

// parseTime reads RFC 3339 ("2026-11-21T09:30:00.25+09:00"; a space may stand
// for the T, letters may be small) into Unix milliseconds; what is finer than a
// millisecond is cut off. reason is empty where it succeeded.
func parseTime(s string) (ms int64, reason event.Reason) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' ||
		s[10]|0x20 != 't' && s[10] != ' ' {
		return 0, event.BadTime
	}
	year, month, day := two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8)
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	if year < 0 || two(s, 2) < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, event.BadTime
	}
	milli, i := fraction(s, 19)
	offset, ok := zone(s[i:])
	if !ok {
		return 0, event.BadTime
	}
	if year < 2 && month <= 1 && day <= 1 && month >= 0 && day >= 0 {
		return 0, event.ZeroTime // 0000-00-00 and 0001-01-01: nobody set the clock
	}
	if year < 1969 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, event.BadTime
	}
	ms = days(year, month, day)*msPerDay + int64(hour*3600+minute*60+second-offset*60)*1000 + int64(milli)
	return ms, checkTime(ms)
}

// checkTime holds an instant to the years 1970–9999.
func checkTime(ms int64) event.Reason {
	switch {
	case ms == 0:
		return event.ZeroTime
	case ms < 0 || ms >= endOfTime:
		return event.BadTime
	}
	return ""
}

// parseMillis reads a JSON number of Unix milliseconds; a fraction is cut off.
func parseMillis(s []byte) (int64, event.Reason) {
	var ms int64
	i := 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if ms = ms*10 + int64(s[i]-'0'); ms >= endOfTime {
			return 0, event.BadTime
		}
	}
	if i == 0 {
		return 0, event.BadTime
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		}
	}
	if i < len(s) {
		return 0, event.BadTime // an exponent
	}
	return ms, checkTime(ms)
}

// two reads two digits, or returns a number far below zero.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1 << 20
	}
	return int(a)*10 + int(b)
}

// fraction reads ".250" at s[i:], if it is there, as milliseconds, and returns
// where it ends.
func fraction(s string, i int) (milli, end int) {
	if i+1 >= len(s) || s[i] != '.' || s[i+1]-'0' > 9 {
		return 0, i
	}
	scale := 100
	for i++; i < len(s) && s[i]-'0' <= 9; i++ {
		milli += int(s[i]-'0') * scale
		scale /= 10
	}
	return milli, i
}

// zone reads "Z" or "+09:00" as minutes east.
func zone(s string) (minutes int, ok bool) {
	if len(s) == 1 {
		return 0, s[0]|0x20 == 'z'
	}
	if len(s) != 6 || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, m := two(s, 1), two(s, 4)
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -h*60 - m, true
	}
	return h*60 + m, true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// days counts the days from 1970-01-01 to a date of the Gregorian calendar. The
// year is taken to begin in March, so that the leap day is its last; 146097 days
// make 400 years.
func days(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	y := year % 400
	doy := (153*(month-3)+2)/5 + day - 1
	return int64(era)*146097 + int64(y*365+y/4-y/100+doy) - 719468
}
