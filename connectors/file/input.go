package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// input is the text of a Reader's files, one file after the other, each gzip or
// not. There is none before the first advance.
type input struct {
	*bufio.Reader // of the present file
	paths         []string
	path          string // the present file
	several       bool   // files, so that a line's number alone does not say where it is
	file          *os.File
	skipped       int64 // bytes of its text before the Reader's
	stage         Stage
	progress      func(Stage, float64)
	size          int64 // of all files, as they lie on the disk
	read          int64 // of size
	told          int64 // of read, when progress was last told
}

var bom = []byte("\xef\xbb\xbf")

// newInput looks for the files. Progress is told as that of stage, of no stage
// where that is empty.
func (r *Reader) newInput(stage Stage) (*input, error) {
	in := &input{paths: r.paths, several: len(r.paths) > 1, stage: stage, progress: r.opts.Progress}
	for _, path := range r.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: not a regular file; a history is read more than once", path)
		}
		in.size += info.Size()
	}
	return in, nil
}

// advance goes to the next file; io.EOF: the present one was the last.
func (in *input) advance() error {
	if err := in.close(); err != nil {
		return err
	}
	if len(in.paths) == 0 {
		return io.EOF
	}
	in.path, in.paths = in.paths[0], in.paths[1:]
	var err error
	if in.file, err = os.Open(in.path); err != nil {
		return err
	}
	in.skipped = 0
	return in.fault(in.uncompress())
}

// fault names the present file in an error of its.
func (in *input) fault(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%s: %w", in.path, err)
}

func (in *input) close() error {
	if in.file == nil {
		return nil
	}
	err := in.file.Close()
	in.file = nil
	return err
}

// uncompress puts a gzip reader in between where the file begins like one.
func (in *input) uncompress() error {
	in.Reader = bufio.NewReaderSize(counter{in}, 256<<10)
	if head, err := in.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(in.Reader)
		if err != nil {
			return err
		}
		in.Reader = bufio.NewReaderSize(z, 256<<10)
	}
	if head, err := in.Peek(len(bom)); err == nil && bytes.Equal(head, bom) {
		n, err := in.Discard(len(bom))
		in.skipped = int64(n)
		return err
	}
	return nil
}

// counter counts what is read of the files and tells the progress.
type counter struct{ in *input }

func (c counter) Read(b []byte) (int, error) {
	in := c.in
	n, err := in.file.Read(b)
	in.read += int64(n)
	if in.progress != nil && in.stage != "" && (in.read-in.told > in.size/200 || err != nil) {
		in.told = in.read
		in.progress(in.stage, share(in.read, in.size))
	}
	return n, err
}

func share(part, whole int64) float64 {
	if part >= whole {
		return 1
	}
	return float64(part) / float64(whole)
}
