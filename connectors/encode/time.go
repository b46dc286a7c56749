package encode

// Bounds of a time that RFC 3339 can name, in Unix milliseconds: the years 0
// to 9999.
const (
	firstTime = -62167219200000
	lastTime  = 253402300799999
)

const dayMS = 86_400_000

// appendTime writes Unix milliseconds as RFC 3339 in UTC; null for 0 and for
// what lies outside the years that RFC 3339 can name.
func appendTime(b []byte, ms int64) []byte {
	if ms == 0 || ms < firstTime || ms > lastTime {
		return append(b, `null`...)
	}
	since := uint64(ms - firstTime)
	year, month, day := date(uint32(since / dayMS))
	rest := uint32(since % dayMS)
	milli := rest % 1000
	rest /= 1000
	b = append(b, `"0000-00-00T00:00:00`...)
	at := b[len(b)-20:]
	put(at[1:], year/100)
	put(at[3:], year%100)
	put(at[6:], month)
	put(at[9:], day)
	put(at[12:], rest/3600)
	put(at[15:], rest/60%60)
	put(at[18:], rest%60)
	if milli != 0 {
		b = append(b, '.', byte('0'+milli/100), digits[milli%100*2], digits[milli%100*2+1])
	}
	return append(b, 'Z', '"')
}

// date is the Gregorian date of a day counted from the year 0. It reckons in
// years that begin in March, so that the leap day is a year's last, and in eras
// of 400 of them, 146,097 days; the first one begins in March of the year −400.
func date(n uint32) (year, month, day uint32) {
	n += 146_097 - 60
	era, n := n/146_097, n%146_097
	inEra := (n - n/1460 + n/36_524 - n/146_096) / 365 // the leap days taken out
	n -= 365*inEra + inEra/4 - inEra/100
	month = (5*n + 2) / 153 // months from March are 31 30 31 30 31 days, again and again
	day = n - (153*month+2)/5 + 1
	year = era*400 + inEra
	if month < 10 {
		return year - 400, month + 3, day
	}
	return year - 399, month - 9, day
}

// digits are all pairs of digits.
const digits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839" +
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

// put writes two digits over the first two bytes of b.
func put(b []byte, v uint32) {
	b[0], b[1] = digits[v*2], digits[v*2+1]
}
