package file

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

// Report says what became of each line of the files: it is in an event, or after
// AsOf, or counted in Rejects.
type Report struct {
	Lines   int64 // of data; a header is none. Of Tafeng, baskets
	After   int64 // lines of events later than Options.AsOf
	Events  int64 // returned by Next
	Rejects map[event.Reason]int64
	// Examples are the first lines that were rejected, a few for each reason, in
	// the order in which they were met.
	Examples []Example

	begins []begin // of several files, in their order
}

// begin is where the lines of a file begin.
type begin struct {
	path   string
	before int64 // lines of the files before it
}

// Example is a line that was rejected.
type Example struct {
	File   string // its path, where several files are read
	Line   int64  // from 1; the header counts. Of Tafeng, the basket
	Reject event.Reject
}

// String names the line and the reason.
func (x Example) String() string {
	s := fmt.Sprintf("line %d: %s", x.Line, x.Reject.Error())
	if x.File != "" {
		s = x.File + ", " + s
	}
	return s
}

// examples is how many lines of each reason are remembered.
const examples = 3

// Rejected is the number of all rejected lines.
func (r *Report) Rejected() int64 {
	var n int64
	for _, c := range r.Rejects {
		n += c
	}
	return n
}

// Accepted is the number of lines that became events.
func (r *Report) Accepted() int64 { return r.Lines - r.After - r.Rejected() }

// begin says that the lines after the first so many are of path.
func (r *Report) begin(path string, before int64) {
	r.begins = append(r.begins, begin{path, before})
}

// reject counts a line, which is numbered through all files.
func (r *Report) reject(line int64, rej event.Reject) {
	if r.Rejects == nil {
		r.Rejects = make(map[event.Reason]int64)
	}
	r.Rejects[rej.Reason]++
	if r.Rejects[rej.Reason] <= examples {
		x := Example{Line: line, Reject: rej}
		if i, _ := slices.BinarySearchFunc(r.begins, line, func(b begin, line int64) int { return cmp.Compare(b.before, line) }); i > 0 {
			x.File, x.Line = r.begins[i-1].path, line-r.begins[i-1].before
		}
		r.Examples = append(r.Examples, x)
	}
}

// rejectErr counts a decoder's error; false where it is none of an event.
func (r *Report) rejectErr(line int64, err error) bool {
	var rej *event.Reject
	if !errors.As(err, &rej) {
		return false
	}
	r.reject(line, *rej)
	return true
}

func (r *Report) copy() Report {
	c := *r
	c.begins = nil
	c.Rejects = maps.Clone(r.Rejects)
	c.Examples = append([]Example(nil), r.Examples...)
	return c
}
