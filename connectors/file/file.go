// Package file reads histories of events from files, in the order of their
// time.
package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// Options of a Reader. The zero value reads everything with the default bounds.
type Options struct {
	Decode     decode.Config        // the zero value: decode.DefaultConfig()
	AsOf       int64                // Unix ms; events after it are left out and counted. 0: none are
	ChunkBytes int                  // memory for sorting; 0: 64 MiB
	TempDir    string               // for what does not fit; "": the system's
	Progress   func(Stage, float64) // told now and then how much of a stage is done, 0 to 1
}

// Stage is what a Reader is at.
type Stage string

// The stages: a file in order is Checked and then Read; another one is Sorted
// and then Read.
const (
	Checking Stage = "checking"
	Sorting  Stage = "sorting"
	Reading  Stage = "reading"
)

// Formats that are no tables.
const (
	JSON   = "json"   // one JSON object a line, in its native form or Segment's
	Tafeng = "tafeng" // {"user": [[item, …], …], …}: the ordered baskets of each user, without dates
)

// Formats returns the formats that Open knows by name.
func Formats() []string { return append(append([]string{JSON}, decode.Presets()...), Tafeng) }

// stream yields events. An event holds until the next one is asked for. pos is
// the event's place, by which events of one instant keep the file's order.
type stream interface {
	next(ev *event.Event) (pos int64, err error) // io.EOF at the end
	close() error
}

// Reader yields the events of one or more files in the order of their time; events
// of one instant keep the order of the files and, within one, of their lines. It
// serves one goroutine.
//
// What is in order is read twice and needs no memory. All else is sorted
// with ChunkBytes of memory and, beyond that, a temporary file, which is gone
// when the Reader is closed or the process dies.
type Reader struct {
	paths  []string
	format string
	opts   Options
	table  *decode.Mapping // nil: JSON or Tafeng
	report Report
	out    stream // nil before the first Next
	err    error
}

// Open returns a Reader of path. format is one of Formats or the path of a
// mapping's YAML file. gzip is recognised. The file is looked at, and a wrong
// header reported, at once; the sorting is done by the first Next.
func Open(path, format string, opts Options) (*Reader, error) {
	return OpenAll([]string{path}, format, opts)
}

// OpenAll returns a Reader of one history that lies in several files of one
// format. It is read as if they were one file: an order may have lines in several
// of them, and lines are numbered through.
func OpenAll(paths []string, format string, opts Options) (*Reader, error) {
	if len(paths) == 0 {
		return nil, errors.New("no file given")
	}
	if opts.Decode.MaxBytes == 0 {
		opts.Decode = decode.DefaultConfig()
	}
	if opts.ChunkBytes == 0 {
		opts.ChunkBytes = 64 << 20
	}
	r := &Reader{paths: paths, format: format, opts: opts}
	var err error
	if r.table, err = mapping(format); err != nil {
		return nil, err
	}
	return r, r.look()
}

// look opens each file and reads how it begins.
func (r *Reader) look() error {
	var src interface {
		advance() error
		close() error
	}
	var err error
	if r.format == Tafeng {
		src, err = r.openWalk("", &Report{})
	} else {
		src, err = r.openLines("", &Report{})
	}
	if err != nil {
		return err
	}
	for err == nil {
		err = src.advance()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, src.close())
}

func mapping(format string) (*decode.Mapping, error) {
	switch {
	case format == JSON || format == Tafeng:
		return nil, nil
	case slices.Contains(decode.Presets(), format):
		return decode.Preset(format)
	case !strings.HasSuffix(format, ".yaml") && !strings.HasSuffix(format, ".yml"):
		return nil, fmt.Errorf("format %q is unknown: give %s, or the path of a mapping file (.yaml)", format, strings.Join(Formats(), ", "))
	}
	text, err := os.ReadFile(format)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	m, err := decode.ParseMapping(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", format, err)
	}
	return m, nil
}

// Next reads the next event into ev, whose strings hold until the Next after it.
// It returns io.EOF at the end. A line that is no event is counted in the
// Report and is no error; an error is the file's or the disk's, and final.
func (r *Reader) Next(ev *event.Event) error {
	if r.err != nil {
		return r.err
	}
	if r.out == nil {
		r.out, r.err = r.start()
	}
	if r.err == nil {
		_, r.err = r.out.next(ev)
	}
	if r.err == nil {
		r.report.Events++
	}
	return r.err
}

// Report returns the counts so far; they are whole once Next has returned
// io.EOF.
func (r *Reader) Report() Report { return r.report.copy() }

// Close releases the files and what was spilled.
func (r *Reader) Close() error {
	r.err = os.ErrClosed
	if r.out == nil {
		return nil
	}
	return r.out.close()
}

// start chooses the way from the lines to events in order.
func (r *Reader) start() (stream, error) {
	if r.format == Tafeng {
		src, err := r.openNested()
		if err != nil {
			return nil, err
		}
		return r.sorted(src, byTime)
	}
	if r.table != nil && r.table.GroupBy != "" {
		return r.grouped()
	}
	inOrder, err := r.inOrder()
	if err != nil {
		return nil, err
	}
	stage := Sorting
	if inOrder {
		stage = Reading
	}
	src, err := r.openLines(stage, &r.report)
	if err != nil {
		return nil, err
	}
	if inOrder {
		return src, nil
	}
	return r.sorted(src, byTime)
}

// inOrder reads the files once to see whether their events are in order.
func (r *Reader) inOrder() (bool, error) {
	src, err := r.openLines(Checking, &Report{})
	if err != nil {
		return false, err
	}
	defer src.close()
	var ev event.Event
	for last := int64(0); ; last = ev.Time {
		if _, err := src.next(&ev); errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		if ev.Time < last {
			return false, nil
		}
	}
}

// grouped sorts the lines by their order, puts each order together, sorts the
// orders by time, and then gives each refund to its order.
func (r *Reader) grouped() (stream, error) {
	src, err := r.openLines(Sorting, &r.report)
	if err != nil {
		return nil, err
	}
	rows, err := r.sorted(src, byOrder)
	if err != nil {
		return nil, err
	}
	orders, err := r.sorted(newGroups(rows, r.opts.Decode.MaxItems, &r.report), byTime)
	if err != nil {
		return nil, err
	}
	if r.table.Refunds == nil {
		return orders, nil
	}
	return newRefunds(orders, &r.report), nil
}

// sorted reads all of from, closes it, and returns it in the order of key.
func (r *Reader) sorted(from stream, key func(*event.Event) uint64) (_ stream, err error) {
	s := newSorter(r.opts.TempDir, r.opts.ChunkBytes)
	defer func() {
		if err != nil {
			err = errors.Join(err, from.close(), s.close())
		}
	}()
	var ev event.Event
	for {
		pos, err := from.next(&ev)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.add(key(&ev), pos, &ev)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := from.close(); err != nil {
		return nil, err
	}
	return s.merge(r.opts.Progress)
}

func byTime(ev *event.Event) uint64 { return uint64(ev.Time) }

func byOrder(ev *event.Event) uint64 {
	return event.Hash(ev.OrderID) ^ event.Hash(ev.CustomerID)*0x9e3779b97f4a7c15
}
