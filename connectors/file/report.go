package file

import (
	"errors"
	"maps"

	"github.com/dangol-dev/dangol/engine/event"
)

// Report says what became of each line of a file: it is in an event, or after
// AsOf, or counted in Rejects.
type Report struct {
	Lines   int64 // of data; a header is none
	After   int64 // lines of events later than Options.AsOf
	Events  int64 // returned by Next
	Rejects map[event.Reason]int64
	// Examples are the first lines that were rejected, a few for each reason, in
	// the order in which they were met.
	Examples []Example
}

// Example is a line that was rejected.
type Example struct {
	Line   int64 // from 1; the header counts
	Reject event.Reject
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

func (r *Report) reject(line int64, rej event.Reject) {
	if r.Rejects == nil {
		r.Rejects = make(map[event.Reason]int64)
	}
	r.Rejects[rej.Reason]++
	if r.Rejects[rej.Reason] <= examples {
		r.Examples = append(r.Examples, Example{Line: line, Reject: rej})
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
	c.Rejects = maps.Clone(r.Rejects)
	c.Examples = append([]Example(nil), r.Examples...)
	return c
}
