package decode

import (
	"errors"
	"strconv"
	"unsafe"

	"github.com/dangol-dev/dangol/engine/event"
)

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
	var next int
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
