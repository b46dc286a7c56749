package decode

import (
	"bytes"

	"github.com/dangol-dev/dangol/engine/event"
)

// cut cuts a line into cells, each without the white space at its ends.
func (t *Table) cut(line []byte) event.Reason {
	t.cells = t.cells[:0]
	switch t.m.Format {
	case "whitespace":
		for {
			line = bytes.TrimLeft(line, " \t")
			if len(line) == 0 {
				return ""
			}
			n := bytes.IndexAny(line, " \t")
			if n < 0 {
				n = len(line)
			}
			t.cells = append(t.cells, line[:n])
			line = line[n:]
		}
	case "fixed":
		for _, w := range t.m.Widths {
			if len(line) == 0 {
				return ""
			}
			n := min(w, len(line))
			t.cells = append(t.cells, bytes.TrimSpace(line[:n]))
			line = line[n:]
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return event.Malformed
		}
		return ""
	}
	return t.cutCSV(line, t.m.Separator[0])
}

func (t *Table) cutCSV(line []byte, sep byte) event.Reason {
	for {
		if len(line) == 0 || line[0] != '"' {
			n := bytes.IndexByte(line, sep)
			if n < 0 {
				t.cells = append(t.cells, bytes.TrimSpace(line))
				return ""
			}
			t.cells = append(t.cells, bytes.TrimSpace(line[:n]))
			line = line[n+1:]
			continue
		}
		from := len(t.scratch)
		for line = line[1:]; ; {
			n := bytes.IndexByte(line, '"')
			if n < 0 {
				return event.Truncated
			}
			t.scratch = append(t.scratch, line[:n]...)
			line = line[n+1:]
			if len(line) == 0 || line[0] != '"' {
				break
			}
			t.scratch = append(t.scratch, '"')
			line = line[1:]
		}
		t.cells = append(t.cells, bytes.TrimSpace(t.scratch[from:]))
		switch {
		case len(line) == 0:
			return ""
		case line[0] != sep:
			return event.Malformed
		}
		line = line[1:]
	}
}
