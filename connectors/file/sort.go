package file

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/dangol-dev/dangol/engine/event"
)

// sorter sorts events by (key, pos) in bounded memory. What exceeds the bound is
// written, sorted, as a run to one temporary file; the runs are then merged.
type sorter struct {
	dir   string
	limit int // bytes of buf and index together
	buf   []byte
	index []entry
	spill *os.File
	runs  []run
	size  int64 // of spill
	count int64
}

// entry is an event in buf.
type entry struct {
	key uint64
	pos int64
	off int
	len int
}

const entryBytes = 32

// run is a sorted part of the temporary file.
type run struct{ off, size int64 }

func newSorter(dir string, limit int) *sorter { return &sorter{dir: dir, limit: limit} }

func (s *sorter) add(key uint64, pos int64, ev *event.Event) error {
	off := len(s.buf)
	s.buf = appendRecord(s.buf, ev)
	s.index = append(s.index, entry{key, pos, off, len(s.buf) - off})
	s.count++
	if len(s.buf)+len(s.index)*entryBytes >= s.limit {
		return s.flush()
	}
	return nil
}

func (s *sorter) sort() {
	slices.SortFunc(s.index, func(a, b entry) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.pos, b.pos)
	})
}

// flush writes what is in memory as a run: for each event key and pos (8 bytes
// each, little endian), the length (uvarint), the record.
func (s *sorter) flush() error {
	if s.spill == nil {
		f, err := os.CreateTemp(s.dir, "dangol-sort-*")
		if err != nil {
			return err
		}
		s.spill = f
		_ = os.Remove(f.Name()) // so that it goes with the process; where that cannot be done, close does it
	}
	s.sort()
	w := bufio.NewWriterSize(s.spill, 256<<10)
	r := run{off: s.size}
	var head [16 + binary.MaxVarintLen64]byte
	for _, e := range s.index {
		binary.LittleEndian.PutUint64(head[:], e.key)
		binary.LittleEndian.PutUint64(head[8:], uint64(e.pos))
		n := 16 + binary.PutUvarint(head[16:], uint64(e.len))
		_, err := w.Write(head[:n])
		if err == nil {
			_, err = w.Write(s.buf[e.off : e.off+e.len])
		}
		if err != nil {
			return err
		}
		r.size += int64(n + e.len)
	}
	s.size += r.size
	s.runs = append(s.runs, r)
	s.buf, s.index = s.buf[:0], s.index[:0]
	return w.Flush()
}

func (s *sorter) close() error {
	s.buf, s.index = nil, nil
	if s.spill == nil {
		return nil
	}
	err := s.spill.Close()
	if rm := os.Remove(s.spill.Name()); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	s.spill = nil
	return err
}

// merge ends the adding and returns the events in order.
func (s *sorter) merge(progress func(Stage, float64)) (stream, error) {
	t := telling{total: s.count, progress: progress}
	if len(s.runs) == 0 {
		s.sort()
		return &memory{sorter: s, telling: t}, nil
	}
	if len(s.index) > 0 {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	s.buf, s.index = nil, nil
	m := &merger{sorter: s, telling: t}
	size := min(max(s.limit/len(s.runs), 4<<10), 256<<10)
	for _, r := range s.runs {
		c := &cursor{in: bufio.NewReaderSize(io.NewSectionReader(s.spill, r.off, r.size), size)}
		if err := c.advance(); err != nil {
			return nil, err
		}
		m.heap = append(m.heap, c)
	}
	heap.Init(&m.heap)
	return m, nil
}

// telling reports the progress of reading sorted events.
type telling struct {
	done, total int64
	progress    func(Stage, float64)
}

func (t *telling) tell() {
	t.done++
	if t.progress != nil && (t.done%(t.total/200+1) == 0 || t.done == t.total) {
		t.progress(Reading, share(t.done, t.total))
	}
}

// memory yields what needed no temporary file.
type memory struct {
	*sorter
	telling
	at int
}

func (m *memory) next(ev *event.Event) (int64, error) {
	if m.at == len(m.index) {
		return 0, io.EOF
	}
	e := m.index[m.at]
	m.at++
	m.tell()
	return e.pos, readRecord(m.buf[e.off:e.off+e.len], ev)
}

// merger yields the least event of all runs.
type merger struct {
	*sorter
	telling
	heap  cursors
	moved bool // the top's event was given away; the run is to advance
}

func (m *merger) next(ev *event.Event) (int64, error) {
	if m.moved {
		m.moved = false
		switch err := m.heap[0].advance(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&m.heap)
		case err != nil:
			return 0, err
		default:
			heap.Fix(&m.heap, 0)
		}
	}
	if len(m.heap) == 0 {
		return 0, io.EOF
	}
	m.moved = true
	m.tell()
	return m.heap[0].pos, readRecord(m.heap[0].record, ev)
}

// cursor is the place of the merge in a run.
type cursor struct {
	in     *bufio.Reader
	key    uint64
	pos    int64
	record []byte
}

// advance reads the run's next event, or returns io.EOF.
func (c *cursor) advance() error {
	var head [16]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return err
	}
	c.key, c.pos = binary.LittleEndian.Uint64(head[:]), int64(binary.LittleEndian.Uint64(head[8:]))
	n, err := binary.ReadUvarint(c.in)
	if err != nil {
		return errors.Join(errRecord, err)
	}
	c.record = slices.Grow(c.record[:0], int(n))[:n]
	if _, err := io.ReadFull(c.in, c.record); err != nil {
		return errors.Join(errRecord, err)
	}
	return nil
}

// cursors is the heap of the runs, the least event on top.
type cursors []*cursor

func (h cursors) Len() int      { return len(h) }
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h cursors) Less(i, j int) bool {
	if h[i].key != h[j].key {
		return h[i].key < h[j].key
	}
	return h[i].pos < h[j].pos
}
func (h *cursors) Push(x any) { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
