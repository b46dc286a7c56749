package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, in the high bit of each byte of w, a quote, a backslash, a
// control character or a byte beyond ASCII. Only the lowest mark is exact: a
// borrow may run from a marked byte into those above it.
func special(w uint64) uint64 {
	quote, slash := w^ones*'"', w^ones*'\\'
	return (w | (w - ones*' ') | (quote - ones) | (slash - ones)) & highs
}

// str reads a string whose opening quote is before i. The string aliases data,
// or, where it holds escapes, scratch.
func (d *scanner) str(i int) (string, int) {
	data, start := d.data, i
	for len(data)-i >= 8 {
		m := special(binary.LittleEndian.Uint64(data[i:]))
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		if data[i] == '"' {
			return unsafe.String(unsafe.SliceData(data[start:]), i-start), i + 1
		}
		break
	}
	return d.strSlow(start, i)
}

// strSlow goes on with a string that begins at start and is plain up to i.
func (d *scanner) strSlow(start, i int) (string, int) {
	data, from := d.data, start
	held := -1 // where the string begins in scratch, once an escape was met
	for i < len(data) {
		c := data[i]
		switch {
		case c == '"':
			if held < 0 {
				return unsafe.String(unsafe.SliceData(data[start:]), i-start), i + 1
			}
			d.scratch = append(d.scratch, data[from:i]...)
			s := d.scratch[held:]
			return unsafe.String(unsafe.SliceData(s), len(s)), i + 1
		case c == '\\':
			if held < 0 {
				held = len(d.scratch)
			}
			d.scratch = append(d.scratch, data[from:i]...)
			if i = d.escape(i + 1); i < 0 {
				return "", i
			}
			from = i
		case c < ' ':
			return "", d.fail(event.Malformed, "", i)
		case c < utf8.RuneSelf:
			i++
		default:
			_, n := utf8.DecodeRune(data[i:])
			if n == 1 {
				if !utf8.FullRune(data[i:]) {
					return "", d.fail(event.Truncated, "", len(data))
				}
				return "", d.fail(event.BadUTF8, "", i)
			}
			i += n
		}
	}
	return "", d.fail(event.Truncated, "", len(data))
}

// escape appends to scratch what the escape after the backslash before i means.
// Half a surrogate pair becomes U+FFFD, as in encoding/json: JavaScript cuts
// strings in the middle of a pair.
func (d *scanner) escape(i int) int {
	if i >= len(d.data) {
		return d.unexpected(i)
	}
	c := d.data[i]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, i := d.hex(i + 1)
		if i < 0 {
			return i
		}
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if d.has(i, `\u`) {
				low, next := d.hex(i + 2)
				if next < 0 {
					return next
				}
				if pair = utf16.DecodeRune(r, low); pair != utf8.RuneError {
					i = next
				}
			}
			r = pair
		}
		d.scratch = utf8.AppendRune(d.scratch, r)
		return i
	default:
		return d.unexpected(i)
	}
	d.scratch = append(d.scratch, c)
	return i + 1
}

// hex reads four hexadecimal digits.
func (d *scanner) hex(i int) (rune, int) {
	var r rune
	for end := i + 4; i < end; i++ {
		if i >= len(d.data) {
			return 0, d.unexpected(i)
		}
		c := d.data[i]
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, d.unexpected(i)
		}
		r = r<<4 | rune(c)
	}
	return r, i
}
