package decode

import "github.com/dangol-dev/dangol/engine/event"

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
