package decode

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

// scanner walks over the bytes of one record. Its methods take the index where
// they begin and return the index where they ended; a negative one says that
// they failed and that rej tells why.
type scanner struct {
	data     []byte
	scratch  []byte // unescaped strings of the present record
	maxDepth int
	rej      event.Reject
}

func (d *scanner) fail(reason event.Reason, field string, at int) int {
	d.rej = event.Reject{Reason: reason, Field: field, Offset: at}
	return -1
}

// space skips white space.
func (d *scanner) space(i int) int {
	for i < len(d.data) {
		if c := d.data[i]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			break
		}
		i++
	}
	return i
}

// unexpected is the failure of a byte that the grammar does not allow at i, or
// of the record's end there.
func (d *scanner) unexpected(i int) int {
	if i >= len(d.data) {
		return d.fail(event.Truncated, "", i)
	}
	return d.fail(event.Malformed, "", i)
}

// wrongType is the failure of a value at i that is not what field must be.
func (d *scanner) wrongType(i int, field string) int {
	if i >= len(d.data) {
		return d.fail(event.Truncated, field, i)
	}
	switch c := d.data[i]; {
	case c == '"' || c == '{' || c == '[' || c == 't' || c == 'f' || c == 'n' || c == '-' || c-'0' <= 9:
		return d.fail(event.WrongType, field, i)
	case c == '+' || c == '.' || d.notANumber(i):
		return d.fail(event.BadNumber, field, i)
	}
	return d.fail(event.Malformed, field, i)
}

// notANumber reports one of the words by which careless producers write floats
// that JSON has no number for.
func (d *scanner) notANumber(i int) bool {
	return d.has(i, "NaN") || d.has(i, "Infinity")
}

func (d *scanner) has(i int, word string) bool {
	return len(d.data)-i >= len(word) && string(d.data[i:i+len(word)]) == word
}

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

// number steps over a number, held to JSON's grammar.
func (d *scanner) number(i int) int {
	data := d.data
	if i < len(data) && data[i] == '-' {
		i++
	}
	switch {
	case i >= len(data):
		return d.unexpected(i)
	case data[i] == '0':
		i++
	case data[i]-'1' <= 8:
		i = d.digits(i)
	default:
		return d.fail(event.BadNumber, "", i)
	}
	if i < len(data) && data[i] == '.' {
		if i = d.someDigits(i + 1); i < 0 {
			return i
		}
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if i = d.someDigits(i); i < 0 {
			return i
		}
	}
	if i < len(data) && (data[i]-'0' <= 9 || data[i] == '.') {
		return d.fail(event.BadNumber, "", i) // 01, 1.2.3
	}
	return i
}

func (d *scanner) digits(i int) int {
	for i < len(d.data) && d.data[i]-'0' <= 9 {
		i++
	}
	return i
}

func (d *scanner) someDigits(i int) int {
	end := d.digits(i)
	switch {
	case end > i:
		return end
	case i >= len(d.data):
		return d.unexpected(i)
	}
	return d.fail(event.BadNumber, "", i)
}

// literal steps over one of the words true, false and null.
func (d *scanner) literal(i int, word string) int {
	for k := range len(word) {
		if i+k >= len(d.data) || d.data[i+k] != word[k] {
			return d.unexpected(i + k)
		}
	}
	return i + len(word)
}

// skip steps over any value at i, which lies in a container of the given depth.
func (d *scanner) skip(i, depth int) int {
	if i >= len(d.data) {
		return d.unexpected(i)
	}
	switch c := d.data[i]; c {
	case '"':
		_, i = d.str(i + 1)
		return i
	case '{':
		return d.skipObject(i+1, depth+1)
	case '[':
		return d.skipArray(i+1, depth+1)
	case 't':
		return d.literal(i, "true")
	case 'f':
		return d.literal(i, "false")
	case 'n':
		return d.literal(i, "null")
	default:
		if c == '-' || c-'0' <= 9 {
			return d.number(i)
		}
		if c == '+' || c == '.' || d.notANumber(i) {
			return d.fail(event.BadNumber, "", i)
		}
		return d.unexpected(i)
	}
}

func (d *scanner) skipObject(i, depth int) int {
	if depth > d.maxDepth {
		return d.fail(event.TooDeep, "", i-1)
	}
	if i = d.space(i); i < len(d.data) && d.data[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(d.data) || d.data[i] != '"' {
			return d.unexpected(i)
		}
		if _, i = d.str(i + 1); i < 0 {
			return i
		}
		if i = d.colon(i); i < 0 {
			return i
		}
		if i = d.skip(i, depth); i < 0 {
			return i
		}
		var more bool
		if i, more = d.after(i, '}'); !more {
			return i
		}
	}
}

func (d *scanner) skipArray(i, depth int) int {
	if depth > d.maxDepth {
		return d.fail(event.TooDeep, "", i-1)
	}
	if i = d.space(i); i < len(d.data) && d.data[i] == ']' {
		return i + 1
	}
	for {
		if i = d.skip(i, depth); i < 0 {
			return i
		}
		var more bool
		if i, more = d.after(i, ']'); !more {
			return i
		}
	}
}

// colon steps from the end of a key to its value.
func (d *scanner) colon(i int) int {
	if i = d.space(i); i >= len(d.data) || d.data[i] != ':' {
		return d.unexpected(i)
	}
	return d.space(i + 1)
}

// after steps from the end of a member to the next one (more), or past the
// container's closing bracket.
func (d *scanner) after(i int, closing byte) (next int, more bool) {
	if i+1 < len(d.data) && d.data[i] == ',' && d.data[i+1] > ' ' {
		return i + 1, true
	}
	i = d.space(i)
	if i < len(d.data) {
		switch d.data[i] {
		case ',':
			return d.space(i + 1), true
		case closing:
			return i + 1, false
		}
	}
	return d.unexpected(i), false
}

// text reads a string of at most limit bytes; field names it in a failure.
func (d *scanner) text(i int, field string, limit int) (string, int) {
	if i >= len(d.data) || d.data[i] != '"' {
		return "", d.wrongType(i, field)
	}
	s, next := d.str(i + 1)
	if next < 0 {
		d.rej.Field = field
		return "", next
	}
	if len(s) > limit {
		return "", d.fail(event.TooLarge, field, i)
	}
	return s, next
}

// micro reads a decimal ≥ 0, a number or a string.
func (d *scanner) micro(i int, field string) (event.Micro, int) {
	var token []byte
	next := i
	switch {
	case i < len(d.data) && d.data[i] == '"':
		var s string
		if s, next = d.str(i + 1); next < 0 {
			d.rej.Field = field
			return 0, next
		}
		token = unsafe.Slice(unsafe.StringData(s), len(s))
	case i < len(d.data) && (d.data[i] == '-' || d.data[i]-'0' <= 9):
		if next = d.number(i); next < 0 {
			d.rej.Field = field
			return 0, next
		}
		token = d.data[i:next]
	default:
		return 0, d.wrongType(i, field)
	}
	m, err := event.ParseMicro(token)
	if err != nil {
		return 0, d.fail(numberReason(token, err), field, i)
	}
	if m < 0 {
		return 0, d.fail(event.NegativeAmount, field, i)
	}
	return m, next
}

// numberReason tells what not even a float64 holds (1e400) from what only the
// engine's integers don't.
func numberReason(token []byte, err error) event.Reason {
	if !errors.Is(err, event.ErrOverflow) {
		return event.BadNumber
	}
	if _, err := strconv.ParseFloat(string(token), 64); err != nil {
		return event.BadNumber
	}
	return event.Overflow
}

// boolean reads true or false.
func (d *scanner) boolean(i int, field string) (bool, int) {
	if i < len(d.data) {
		switch d.data[i] {
		case 't':
			return true, d.literal(i, "true")
		case 'f':
			return false, d.literal(i, "false")
		}
	}
	return false, d.wrongType(i, field)
}
