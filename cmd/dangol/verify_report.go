package main

import (
	"fmt"
	"io"
)

// shownEach is how many differences of a kind are listed.
const shownEach = 20

// findings gathers differences by kind, in the order in which the kinds came up.
type findings struct {
	kinds []string
	lines map[string][]string
	total map[string]int
	notes []string
}

func newFindings() *findings {
	return &findings{lines: map[string][]string{}, total: map[string]int{}}
}

// say adds a difference.
func (f *findings) say(kind, format string, args ...any) {
	if f.total[kind] == 0 {
		f.kinds = append(f.kinds, kind)
	}
	if f.total[kind]++; f.total[kind] <= shownEach {
		f.lines[kind] = append(f.lines[kind], fmt.Sprintf(format, args...))
	}
}

// note adds what is worth saying and no difference.
func (f *findings) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// count is how many differences there are.
func (f *findings) count() (n int) {
	for _, t := range f.total {
		n += t
	}
	return n
}

// print writes notes, differences and what was compared, a line.
func (f *findings) print(w io.Writer, compared string) error {
	for _, n := range f.notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", n); err != nil {
			return err
		}
	}
	for _, kind := range f.kinds {
		for _, line := range f.lines[kind] {
			if _, err := fmt.Fprintf(w, "%s: %s\n", kind, line); err != nil {
				return err
			}
		}
		if more := f.total[kind] - shownEach; more > 0 {
			if _, err := fmt.Fprintf(w, "%s: and %d more, %d in all\n", kind, more, f.total[kind]); err != nil {
				return err
			}
		}
	}
	n := f.count()
	if n == 0 {
		_, err := fmt.Fprintf(w, "%s: no difference\n", compared)
		return err
	}
	if _, err := fmt.Fprintf(w, "%s: %s\n", compared, quantity(n, "difference")); err != nil {
		return err
	}
	return errReported
}

// naming is a list of names, cut where it is long.
func naming(names []string) string {
	const most = 5
	text := ""
	for i, n := range names {
		if i == most {
			return text + fmt.Sprintf(" and %d more", len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}
