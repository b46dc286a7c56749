package oracle

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/dangol-dev/dangol/engine/event"
)

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is a record of any of the topics.
type Record struct {
	Partition  int32
	Offset     int64
	Key, Value []byte // a nil Value is a tombstone
	Headers    []Header
}

// Place is where an input record is.
type Place struct {
	Partition int32
	Offset    int64
}

// Letter is a dead letter as it should be.
type Letter struct {
	Of      Place
	Key     []byte
	Value   []byte
	Headers []Header
}

// maxLetter is how much of a long record is passed on.
const maxLetter = 900_000

func letterOf(topic string, r *Record, rej *event.Reject) *Letter {
	hs := []Header{
		{"reason", []byte(rej.Reason)},
		{"topic", []byte(topic)},
		{"partition", strconv.AppendInt(nil, int64(r.Partition), 10)},
		{"offset", strconv.AppendInt(nil, r.Offset, 10)},
	}
	if rej.Field != "" {
		hs = append(hs, Header{"field", []byte(rej.Field)})
	}
	value := r.Value
	if len(value) > maxLetter {
		hs = append(hs, Header{"size", strconv.AppendInt(nil, int64(len(value)), 10)})
		value = value[:maxLetter]
	}
	return &Letter{Of: Place{r.Partition, r.Offset}, Key: r.Key, Value: value, Headers: append(hs, r.Headers...)}
}

// placeOf reads where a dead letter says that it comes from.
func placeOf(r *Record) (Place, bool) {
	var p Place
	found := 0
	for _, h := range r.Headers {
		switch h.Key {
		case "partition":
			n, err := strconv.ParseInt(string(h.Value), 10, 32)
			if err != nil {
				return p, false
			}
			p.Partition = int32(n)
			found |= 1
		case "offset":
			n, err := strconv.ParseInt(string(h.Value), 10, 64)
			if err != nil {
				return p, false
			}
			p.Offset = n
			found |= 2
		}
		if found == 3 { // those of the record itself come after
			return p, true
		}
	}
	return p, false
}

// letterHash is of everything in a dead letter.
func letterHash(key, value []byte, headers []Header) uint64 {
	h := xxhash.New()
	part := func(b []byte) {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b)))) // cannot fail
		_, _ = h.Write(b)
	}
	part(key)
	part(value)
	for _, x := range headers {
		part([]byte(x.Key))
		part(x.Value)
	}
	return h.Sum64()
}

// basketField is the one number in a document that is no function of the
// customer: how many orders the co-occurrence counts held, in this process, just
// then. It is the last but one of a document, and a document the last of a
// change.
var basketField = []byte(`,"basket":`)

// textHash is of a document or a change without that number; 0 is a tombstone's.
func textHash(text []byte) uint64 {
	if text == nil {
		return 0
	}
	h := xxhash.New()
	from := bytes.LastIndex(text, basketField)
	if from < 0 {
		_, _ = h.Write(text) // cannot fail
		return h.Sum64()
	}
	from += len(basketField)
	to := from
	for to < len(text) && text[to] >= '0' && text[to] <= '9' {
		to++
	}
	_, _ = h.Write(text[:from])
	_, _ = h.Write(text[to:])
	return h.Sum64()
}
