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
	return openSources([]string{path}, format, bar)
}

// openSources opens files to be produced as one.
func openSources(paths []string, format string, bar *progress) (source, error) {
	if format == jsonFormat {
		return openLines(paths, bar)
	}
	r, err := file.OpenAll(paths, format, file.Options{
		Progress: func(s file.Stage, share float64) { bar.set(string(s), share) },
	})
	if err != nil {
		return nil, err
	}
	return &events{r: r}, nil
}

// events is a source of files' events in the order of their time, written as
// native JSON.
type events struct {
	r  *file.Reader
	ev event.Event
}

func (e *events) next() (outgoing, error) {
	if err := e.r.Next(&e.ev); err != nil {
		return outgoing{}, err
	}
	return outgoing{key: keyOf(&e.ev), value: decode.AppendJSON(nil, &e.ev)}, nil
}

func (e *events) report() string {
	r := e.r.Report()
	s := fmt.Sprintf("; from %d lines", r.Lines)
	for _, reason := range slices.Sorted(maps.Keys(r.Rejects)) {
		s += fmt.Sprintf("\n  left out as %s: %d", reason, r.Rejects[reason])
	}
	for _, x := range r.Examples {
		s += "\n  " + x.String()
	}
	return s
}

// Close closes the files.
func (e *events) Close() error { return e.r.Close() }

// maxLine bounds a line of a JSON file: more is no line but another format.
const maxLine = 16 << 20

// lines is a source of JSON lines, passed on as they are, file after file.
type lines struct {
	paths   []string // of the files to come
	file    *os.File
	size    int64 // of all files
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

func openLines(paths []string, bar *progress) (*lines, error) {
	d, err := decode.NewJSON(decode.DefaultConfig())
	if err != nil {
		return nil, err
	}
	l := &lines{paths: paths, decoder: d, bar: bar}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		l.size += info.Size()
	}
	if err := l.advance(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// advance goes to the next file; io.EOF: there is none.
func (l *lines) advance() error {
	if len(l.paths) == 0 {
		return io.EOF
	}
	if err := l.Close(); err != nil {
		return err
	}
	path := l.paths[0]
	l.paths, l.number = l.paths[1:], 0
	var err error
	if l.file, err = os.Open(path); err != nil {
		return err
	}
	l.raw.r = l.file
	var r io.Reader = &l.raw
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	l.r = bufio.NewReaderSize(r, 1<<18)
	return nil
}

// next returns the next line that is not empty.
func (l *lines) next() (outgoing, error) {
	for {
		line, err := l.line()
		if errors.Is(err, io.EOF) {
			if err = l.advance(); err == nil {
				continue
			}
		}
		if err != nil {
			return outgoing{}, err
		}
		if len(line) == 0 {
			l.empty++
			continue
		}
		o := outgoing{value: line}
		if l.decoder.Decode(line, &l.ev) == nil {
			o.key = keyOf(&l.ev)
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

// Close closes the present file.
func (l *lines) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// keyOf is the key of an event's record: the customer's id, or the item's where
// it is about one.
func keyOf(ev *event.Event) []byte {
	if ev.Type == event.ItemUpdated {
		return []byte(ev.Items[0].ID)
	}
	return []byte(ev.CustomerID)
}
