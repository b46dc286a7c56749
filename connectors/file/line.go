package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/engine/event"
)

// lines yields the events of a file line by line, in the file's order.
type lines struct {
	file   *os.File
	size   int64
	read   int64 // bytes of the file, as it lies on the disk
	told   int64 // of read, when progress was last told
	stage  Stage
	opts   *Options
	in     *bufio.Reader
	long   []byte // a line that is longer than in's buffer
	number int64
	json   *decode.JSON
	table  *decode.Table
	report *Report
}

var bom = []byte("\xef\xbb\xbf")

// openLines opens the file and takes its header. Progress is told as that of
// stage, of no stage where that is empty.
func (r *Reader) openLines(stage Stage, report *Report) (_ *lines, err error) {
	l := &lines{stage: stage, opts: &r.opts, report: report}
	if r.table == nil {
		l.json, err = decode.NewJSON(r.opts.Decode)
	} else {
		l.table, err = decode.NewTable(r.table, r.opts.Decode)
	}
	if err != nil {
		return nil, err
	}
	if l.file, err = os.Open(r.path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", r.path, err), l.close())
		}
	}()
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file; a history is read more than once")
	}
	l.size = info.Size()
	if err := l.uncompress(); err != nil {
		return nil, err
	}
	if l.table != nil && l.table.NeedsHeader() {
		header, _, err := l.line()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty; a header was expected")
		}
		if err != nil {
			return nil, err
		}
		return l, l.table.Header(header)
	}
	return l, nil
}

// uncompress puts a gzip reader in between where the file begins like one.
func (l *lines) uncompress() error {
	l.in = bufio.NewReaderSize(counter{l}, 256<<10)
	if head, err := l.in.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(l.in)
		if err != nil {
			return err
		}
		l.in = bufio.NewReaderSize(z, 256<<10)
	}
	if head, err := l.in.Peek(3); err == nil && bytes.Equal(head, bom) {
		if _, err := l.in.Discard(3); err != nil {
			return err
		}
	}
	return nil
}

// counter counts what is read of the file and tells the progress.
type counter struct{ l *lines }

func (c counter) Read(b []byte) (int, error) {
	n, err := c.l.file.Read(b)
	c.l.read += int64(n)
	if c.l.opts.Progress != nil && c.l.stage != "" && (c.l.read-c.l.told > c.l.size/200 || err != nil) {
		c.l.told = c.l.read
		c.l.opts.Progress(c.l.stage, share(c.l.read, c.l.size))
	}
	return n, err
}

func share(part, whole int64) float64 {
	if part >= whole {
		return 1
	}
	return float64(part) / float64(whole)
}

func (l *lines) close() error { return l.file.Close() }

// line reads a line without its end. It is cut where it exceeds the longest
// record by more than a byte (cut).
func (l *lines) line() (line []byte, cut bool, err error) {
	l.number++
	line, err = l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			l.long, cut = l.keep(line, cut)
			line, err = l.in.ReadSlice('\n')
		}
		l.long, cut = l.keep(line, cut)
		line = l.long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, false, err
	}
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
