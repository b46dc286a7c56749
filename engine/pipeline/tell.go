package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dangol-dev/dangol/engine/basket"
)

// Records of the shared log, and parts of its snapshots, are sections: a tag, the
// length as uvarint, and the bytes of what it is about.
const (
	placeSection  = 'p' // a partition and its Position: how far it has come
	rowsSection   = 'r' // basket.Rows
	shiftSection  = 's' // score.Shift: moves in the population
	itemSection   = 'i' // basket.Item: what was heard of it
	modelsSection = 'm' // score.Learned, which count from here on
	surveySection = 'q' // see survey
	answerSection = 'a'
	countsSection = 'c' // of a snapshot: a chunk of basket.Counts
	itemsSection  = 'd' // likewise of basket.Dictionary
)

// sharedMost is about the most bytes of a record of the shared log; a broker with
// default settings takes twice as much.
const sharedMost = 512 << 10

var errShared = errors.New("the shared log is damaged, or was written by another program")

// section adds a section to the record that is open, or begins another where that
// has become long.
func (o *outbox) section(partition int32, tag byte, b []byte) {
	if last := &o.spans[len(o.spans)-1]; len(o.arena) > last.val && len(o.arena)-last.val+len(b) > sharedMost {
		o.close()
		o.open(Pairs, partition, nil)
	}
	o.arena = appendSection(o.arena, tag, b)
}

func appendSection(dst []byte, tag byte, b []byte) []byte {
	return append(binary.AppendUvarint(append(dst, tag), uint64(len(b))), b...)
}

// eachSection calls fn with the sections of a record.
func eachSection(b []byte, fn func(tag byte, b []byte) error) error {
	for len(b) > 0 {
		n, w := binary.Uvarint(b[1:])
		if w <= 0 || n > uint64(len(b)-1-w) {
			return fmt.Errorf("%w: a section is cut short", errShared)
		}
		end := 1 + w + int(n)
		if err := fn(b[0], b[1+w:end]); err != nil {
			return err
		}
		b = b[end:]
	}
	return nil
}

// tell says on the shared log what the transaction changed of what is true of all
// customers.
func (s *shard) tell() {
	o := &s.out
	o.open(Pairs, s.part, nil)
	s.told = s.exhausted()
	s.blob = appendPlace(s.blob[:0], s.part, s.pos, s.told)
	o.section(s.part, placeSection, s.blob)
	if !s.shift.Empty() {
		s.blob = s.shift.Append(s.blob[:0])
		o.section(s.part, shiftSection, s.blob)
	}
	for i := range s.met.items {
		it := s.met.items[i].entry()
		s.blob = basket.AppendItem(s.blob[:0], &it)
		o.section(s.part, itemSection, s.blob)
	}
	_ = s.lines.Parts(sharedMost/2, func(part []byte) error { // what is called has no error
		o.section(s.part, rowsSection, part)
		return nil
	})
	for i := range s.news {
		o.section(s.part, s.news[i].tag, s.news[i].bytes)
	}
	o.close()
}

// section is one of the shared log.
type section struct {
	tag   byte
	bytes []byte
}

// say has a section told in the open transaction.
func (s *shard) say(tag byte, b []byte) {
	s.touched = true
	s.news = append(s.news, section{tag, b})
}

// place is how far a partition has come.
type place struct {
	Position
	exhausted bool // it had given all that it had then
}

func appendPlace(dst []byte, partition int32, pos Position, exhausted bool) []byte {
	flag := byte(0)
	if exhausted {
		flag = 1
	}
	pos.Changelog, pos.Identity = 0, 0
	return pos.Append(append(binary.AppendUvarint(dst, uint64(partition)), flag))
}

func readPlace(b []byte) (partition int32, p place, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > 1<<31-1 || len(b) == w {
		return 0, p, fmt.Errorf("%w: a partition's place is cut short", errShared)
	}
	p.exhausted = b[w] != 0
	p.Position, err = DecodePosition(b[w+1:])
	return int32(n), p, err
}
