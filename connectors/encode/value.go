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

func appendInt(b []byte, v int) []byte { return strconv.AppendInt(b, int64(v), 10) }

func appendMoney(b []byte, m event.Micro) []byte {
	return append(m.Append(append(b, '"')), '"')
}

// appendFloat writes f rounded to six decimals, with at least one: 12.0, 0.35.
// What is not finite is null, for JSON has no word for it. (strconv would take
// four times as long, since it finds fixed decimals by long division.)
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, `null`...)
	}
	if math.Abs(f) >= exact {
		return append(strconv.AppendFloat(b, f, 'f', 0, 64), `.0`...)
	}
	millionths := int64(math.Round(f * 1e6))
	if millionths < 0 {
		b, millionths = append(b, '-'), -millionths
	}
	b = strconv.AppendInt(b, millionths/1e6, 10)
	frac := millionths % 1e6
	b = append(b, '.')
	for unit := int64(1e5); ; unit /= 10 {
		b = append(b, byte('0'+frac/unit))
		if frac %= unit; frac == 0 {
			return b
		}
	}
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
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
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
	return append(append(b, s[done:]...), '"')
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
