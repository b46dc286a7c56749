package encode

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dangol-dev/dangol/engine/event"
	"github.com/dangol-dev/dangol/engine/score"
)

// exact is where the millionths of a float64 stop being exact integers; from
// there on no fraction is told.
const exact = 1 << 53 / 1e6

func appendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }

func appendInt(b []byte, v int) []byte {
	if uint(v) < 10 {
		return append(b, byte('0'+v))
	}
	return strconv.AppendInt(b, int64(v), 10)
}

// appendMoney writes an amount as event.Micro does, in quotes.
func appendMoney(b []byte, m event.Micro) []byte {
	b = append(b, '"')
	u := uint64(m)
	if m < 0 {
		b, u = append(b, '-'), -u
	}
	return append(appendMillionths(b, u, 2), '"')
}

// appendFloat writes f rounded to six decimals, with at least one: 12.0, 0.35.
// What is not finite is null, for JSON has no word for it. (strconv would take
// four times as long, since it finds fixed decimals by long division.)
func appendFloat(b []byte, f float64) []byte {
	if !(math.Abs(f) < exact) {
		return appendLarge(b, f)
	}
	f *= 1e6
	m := int64(f)
	switch rest := f - float64(m); { // exact, and so is this rounding: halves away from zero
	case rest >= .5:
		m++
	case rest <= -.5:
		m--
	}
	if m < 0 {
		b, m = append(b, '-'), -m
	}
	return appendMillionths(b, uint64(m), 1)
}

// appendLarge writes what has no millionths.
func appendLarge(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, `null`...)
	}
	return append(strconv.AppendFloat(b, f, 'f', 0, 64), `.0`...)
}

// appendMillionths writes so many millionths as a decimal without trailing
// zeros, but with at least so many places, 1 or 2.
func appendMillionths(b []byte, u uint64, places int) []byte {
	whole := u / 1e6
	frac := uint32(u - whole*1e6)
	if whole < 10 {
		b = append(b, byte('0'+whole), '.')
	} else {
		b = append(strconv.AppendUint(b, whole, 10), '.')
	}
	x, y, z := frac/10_000*2, frac/100%100*2, frac%100*2
	b = append(b, digits[x], digits[x+1], digits[y], digits[y+1], digits[z], digits[z+1])
	for least := len(b) - 6 + places; len(b) > least && b[len(b)-1] == '0'; {
		b = b[:len(b)-1]
	}
	return b
}

// appendSide writes a value of a score.Delta.
func appendSide(b []byte, v *score.Side) []byte {
	switch v.Kind() {
	case score.TextSide:
		return appendString(b, v.Text())
	case score.NumberSide:
		return appendFloat(b, v.Number())
	case score.CountSide:
		return appendInt(b, v.Count())
	case score.MoneySide:
		return appendMoney(b, v.Money())
	case score.ListSide:
		return appendStrings(b, v.List())
	}
	return append(b, `null`...)
}

func appendStrings(b []byte, ss []string) []byte {
	b = append(b, '[')
	for i, s := range ss {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

const hex = "0123456789abcdef"

// appendString writes s as a JSON string.
func appendString(b []byte, s string) []byte {
	return append(appendText(append(b, '"'), s), '"')
}

// appendText writes what stands between a JSON string's quotes.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if !clean[s[i]] {
			return appendEscaped(b, s)
		}
	}
	return append(b, s...)
}

// clean are the bytes that stand for themselves without a look at the next.
var clean = func() (c [256]bool) {
	for i := 0x20; i < utf8.RuneSelf; i++ {
		c[i] = i != '"' && i != '\\'
	}
	return c
}()

// appendEscaped is appendText for any text.
func appendEscaped(b []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if clean[c] {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		}
		b = append(b, s[done:i]...)
		b = appendEscape(b, c)
		i += size
		done = i
	}
	return append(b, s[done:]...)
}

// appendEscape writes a byte that cannot stand in a JSON string.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if c >= utf8.RuneSelf {
		return append(b, "\ufffd"...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
