package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dangol-dev/dangol/connectors/decode"
	"github.com/dangol-dev/dangol/connectors/file"
	"github.com/dangol-dev/dangol/engine/event"
)

const jsonFormat = file.JSON

// openSource opens a file to be produced, in any format that file.Open knows.
func openSource(path, format string, bar *progress) (source, error) {
	if format == jsonFormat {
		return openLines(path, bar)
	}
	r, err := file.Open(path, format, file.Options{
		Progress: func(s file.Stage, share float64) { bar.set(string(s), share) },
	})
	if err != nil {
		return nil, err
	}
	return &events{r: r}, nil
}

// events is a source of a file's events in the order of their time, written as
// native JSON.
type events struct {
	r  *file.Reader
	ev event.Event
}

func (e *events) next() (outgoing, error) {
	if err := e.r.Next(&e.ev); err != nil {
		return outgoing{}, err
	}
	return outgoing{key: []byte(e.ev.CustomerID), value: decode.AppendJSON(nil, &e.ev)}, nil
}

func (e *events) report() string {
	r := e.r.Report()
	s := fmt.Sprintf("; from %d lines", r.Lines)
	for _, reason := range slices.Sorted(maps.Keys(r.Rejects)) {
		s += fmt.Sprintf("\n  left out as %s: %d", reason, r.Rejects[reason])
	}
	for _, x := range r.Examples {
		s += fmt.Sprintf("\n  line %d: %s", x.Line, x.Reject.Error())
	}
	return s
}

// Close closes the file.
func (e *events) Close() error { return e.r.Close() }

// maxLine bounds a line of a JSON file: more is no line but another format.
const maxLine = 16 << 20

// lines is a source of JSON lines, passed on as they are.
type lines struct {
	file    *os.File
	size    int64
	raw     counter
	bar     *progress
	r       *bufio.Reader
	decoder *decode.JSON
	ev      event.Event
	number  int
	empty   int
	unkeyed int
}

// counter counts the bytes read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func openLines(path string, bar *progress) (*lines, error) {
	d, err := decode.NewJSON(decode.DefaultConfig())
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := &lines{file: f, decoder: d, bar: bar, raw: counter{r: f}}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l.size = info.Size()
	var r io.Reader = &l.raw
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
		}
	}
	l.r = bufio.NewReaderSize(r, 1<<18)
	return l, nil
}

// next returns the next line that is not empty.
func (l *lines) next() (outgoing, error) {
	for {
		line, err := l.line()
		if err != nil {
			return outgoing{}, err
		}
		if len(line) == 0 {
			l.empty++
			continue
		}
		o := outgoing{value: line}
		if l.decoder.Decode(line, &l.ev) == nil {
			o.key = []byte(l.ev.CustomerID)
		} else {
			l.unkeyed++
		}
		return o, nil
	}
}

// line reads up to the next line feed, into memory of its own.
func (l *lines) line() ([]byte, error) {
	if l.number++; l.number%1024 == 0 {
		l.bar.set("producing", float64(l.raw.n)/float64(l.size))
	}
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
			return line, nil
		case errors.Is(err, io.EOF):
			if len(line) == 0 {
				return nil, io.EOF
			}
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%s: line %d: %w", l.file.Name(), l.number, err)
		case len(line) > maxLine:
			return nil, fmt.Errorf("%s: line %d is longer than %d bytes: is it JSON, one object a line?", l.file.Name(), l.number, maxLine)
		}
	}
}

func (l *lines) report() string {
	s := ""
	if l.unkeyed > 0 {
		s += fmt.Sprintf("; %d of them are no events and have no key", l.unkeyed)
	}
	if l.empty > 0 {
		s += fmt.Sprintf("; %d empty lines left out", l.empty)
	}
	return s
}

// Close closes the file.
func (l *lines) Close() error { return l.file.Close() }
