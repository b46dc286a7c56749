package file

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// lines yields the events of files line by line, in the files' order. Lines are
// numbered through all files.
type lines struct {
	*input
	opts    *Options
	long    []byte // a line that is longer than the input's buffer
	number  int64
	json    *decode.JSON
	mapping *decode.Mapping // nil: JSON
	table   *decode.Table   // of the present file
	report  *Report
}

// openLines opens the first file and takes its header.
func (r *Reader) openLines(stage Stage, report *Report) (*lines, error) {
	in, err := r.newInput(stage)
	if err != nil {
		return nil, err
	}
	l := &lines{input: in, opts: &r.opts, mapping: r.table, report: report}
	if l.json, err = decode.NewJSON(r.opts.Decode); err != nil {
		return nil, err
	}
	if err := l.advance(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// advance goes to the next file and takes its header; io.EOF: there is none.
func (l *lines) advance() error {
	if err := l.input.advance(); err != nil {
		return err
	}
	if l.several {
		l.report.begin(l.path, l.number)
	}
	if l.mapping == nil {
		return nil
	}
	table, err := decode.NewTable(l.mapping, l.opts.Decode)
	if err != nil {
		return err
	}
	l.table = table
	if !table.NeedsHeader() {
		return nil
	}
	header, _, err := l.line()
	if errors.Is(err, io.EOF) {
		return l.fault(errors.New("the file is empty; a header was expected"))
	}
	if err != nil {
		return err
	}
	return l.fault(table.Header(header))
}

// line reads a line of the present file without its end. It is cut where it
// exceeds the longest record by more than a byte (cut).
func (l *lines) line() (line []byte, cut bool, err error) {
	line, err = l.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			l.long, cut = l.keep(line, cut)
			line, err = l.ReadSlice('\n')
		}
		l.long, cut = l.keep(line, cut)
		line = l.long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, false, l.fault(err)
	}
	l.number++
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), cut || len(line) > l.opts.Decode.MaxBytes, nil
}

// keep adds a piece to the long line while that may still be a record.
func (l *lines) keep(piece []byte, cut bool) ([]byte, bool) {
	if cut || len(l.long)+len(piece) > l.opts.Decode.MaxBytes+2 {
		return l.long, true
	}
	return append(l.long, piece...), false
}

// next returns the next line that is an event.
func (l *lines) next(ev *event.Event) (int64, error) {
	for {
		line, cut, err := l.line()
		if errors.Is(err, io.EOF) {
			if err = l.advance(); err == nil {
				continue
			}
		}
		if err != nil {
			return 0, err
		}
		l.report.Lines++
		if cut {
			l.report.reject(l.number, event.Reject{Reason: event.TooLarge, Offset: l.opts.Decode.MaxBytes})
			continue
		}
		if l.table != nil {
			err = l.table.Decode(line, l.number, ev)
		} else {
			err = l.json.Decode(line, ev)
		}
		switch {
		case err == nil && (l.opts.AsOf == 0 || ev.Time <= l.opts.AsOf):
			return l.number, nil
		case err == nil:
			l.report.After++
		case !l.report.rejectErr(l.number, err):
			return 0, err
		}
	}
}
