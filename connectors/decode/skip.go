package decode

import "github.com/dangol-dev/dangol/engine/event"

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
