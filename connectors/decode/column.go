package decode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// part is a piece of a cell's pattern: fixed text, the line's number, or a cell.
type part struct {
	text string
	cell int // −1: text; −2: the line's number
}

// cell says where a field comes from; no parts: from nowhere.
type cell struct {
	name  string
	parts []part
}

// resolve finds the columns of a field. names are the header's, or nil.
func resolve(spec string, names []string, count int) (cell, error) {
	c := cell{name: spec}
	if spec == "" {
		return c, nil
	}
	if !strings.Contains(spec, "{") {
		at, err := column(spec, names, count)
		c.parts = []part{{cell: at}}
		return c, err
	}
	for rest := spec; rest != ""; {
		text, after, open := strings.Cut(rest, "{")
		if text != "" {
			c.parts = append(c.parts, part{text: text, cell: -1})
		}
		if !open {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return c, fmt.Errorf("%q: a brace is not closed", spec)
		}
		if name == "#" {
			c.parts = append(c.parts, part{cell: -2})
		} else {
			at, err := column(name, names, count)
			if err != nil {
				return c, err
			}
			c.parts = append(c.parts, part{cell: at})
		}
		rest = tail
	}
	return c, nil
}

func column(name string, names []string, count int) (int, error) {
	if names != nil {
		if i := slices.Index(names, name); i >= 0 {
			return i, nil
		}
		return 0, fmt.Errorf("no column %q: the header has %s", name, strings.Join(names, ", "))
	}
	n, err := strconv.Atoi(name)
	if err != nil || n < 1 || n > count {
		return 0, fmt.Errorf("column %q: without a header a column is a position from 1 to %d", name, count)
	}
	return n - 1, nil
}
