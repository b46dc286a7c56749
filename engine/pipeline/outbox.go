package pipeline

import (
	"strconv"

	"github.com/dangol-dev/dangol/engine/event"
)

// outbox collects what a shard has to say in one transaction. Bytes go into
// one arena, used again in the next.
type outbox struct {
	arena   []byte
	spans   []span
	letters []Output       // dead letters alias their records
	latest  map[uint64]int // customer → span of its scores: only the last document of a transaction is written
	outs    []Output
}

// span is a record whose key and value lie one behind the other in the arena.
type span struct {
	to        Topic // 0: superseded
	tombstone bool
	partition int32
	key, val  int // offsets; the value ends at end
	end       int
}

// open begins a record: the key is written, the caller appends the value to
// arena, then calls close.
func (o *outbox) open(to Topic, partition int32, key []byte) {
	at := len(o.arena)
	o.arena = append(o.arena, key...)
	o.spans = append(o.spans, span{to: to, partition: partition, key: at, val: len(o.arena)})
}

func (o *outbox) close() { o.spans[len(o.spans)-1].end = len(o.arena) }

// scores notes that the record just closed is the customer's latest document.
func (o *outbox) scores(customer uint64) {
	if o.latest == nil {
		o.latest = map[uint64]int{}
	}
	if i, ok := o.latest[customer]; ok {
		o.spans[i].to = 0
	}
	o.latest[customer] = len(o.spans) - 1
}

func (o *outbox) tombstone() {
	o.close()
	o.spans[len(o.spans)-1].tombstone = true
}

// maxLetter is what a broker with default settings takes, headers aside. Of a
// longer record the beginning is passed on, and its size: it must not keep the
// others waiting.
const maxLetter = 900_000

// Headers that a record which went through another topic carries in front of all
// others, in this order: where it was read first. Numbers are decimal.
const (
	OriginTopic     = "dangol-topic"
	OriginPartition = "dangol-partition"
	OriginOffset    = "dangol-offset"
)

// deadLetter passes on a record as it came, and says why and from where.
func (o *outbox) deadLetter(r *Record, topic string, partition int32, rej *event.Reject) {
	hs := make([]Header, 0, 5+len(r.Headers))
	hs = append(hs, Header{"reason", []byte(rej.Reason)})
	came := r.Headers
	if h := came; len(h) >= 3 && h[0].Key == OriginTopic && h[1].Key == OriginPartition && h[2].Key == OriginOffset {
		hs = append(hs, Header{"topic", h[0].Value}, Header{"partition", h[1].Value}, Header{"offset", h[2].Value})
		came = h[3:]
	} else {
		hs = append(hs,
			Header{"topic", []byte(topic)},
			Header{"partition", strconv.AppendInt(nil, int64(partition), 10)},
			Header{"offset", strconv.AppendInt(nil, r.Offset, 10)})
	}
	if rej.Field != "" {
		hs = append(hs, Header{"field", []byte(rej.Field)})
	}
	value := r.Value
	if value == nil {
		value = []byte{}
	}
	if len(value) > maxLetter {
		hs = append(hs, Header{"size", strconv.AppendInt(nil, int64(len(value)), 10)})
		value = value[:maxLetter]
	}
	o.letters = append(o.letters, Output{
		To: DeadLetters, Key: r.Key, Value: value, Headers: append(hs, came...),
	})
}

// outputs are all records, in the order they are to be produced: what is for
// the partition's changelog comes last.
func (o *outbox) outputs() []Output {
	o.outs = append(o.outs[:0], o.letters...)
	for i := range o.spans {
		s := &o.spans[i]
		if s.to == 0 {
			continue
		}
		out := Output{To: s.to, Partition: s.partition, Key: o.arena[s.key:s.val:s.val]}
		if !s.tombstone {
			out.Value = o.arena[s.val:s.end:s.end]
		}
		o.outs = append(o.outs, out)
	}
	return o.outs
}

// keptArena is how large an arena stays for the next transaction even if this
// one hardly used it.
const keptArena = 16 << 20

func (o *outbox) reset() {
	if cap(o.arena) > max(keptArena, 4*len(o.arena)) {
		*o = outbox{}
		return
	}
	o.arena, o.spans, o.letters = o.arena[:0], o.spans[:0], o.letters[:0]
	clear(o.letters[:cap(o.letters)])
	clear(o.latest)
}
