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

// maxLetter is how many bytes of a record a dead letter passes on: key, value and
// headers together. With what is said of it that is below what a client and a broker
// with default settings take, 1,000,012: one that they refused would keep all others
// waiting.
const maxLetter = 900_000

// headerFrame is what a header takes at most beside its key and its value: the lengths
// of both.
const headerFrame = 10

// Headers that a record which went through another topic carries in front of all
// others, in this order: where it was read first. Numbers are decimal.
const (
	OriginTopic     = "dangol-topic"
	OriginPartition = "dangol-partition"
	OriginOffset    = "dangol-offset"
)

// maxOrigin is how long a part of a place is at most, a topic's name being the longest.
// What is longer is something else under the same key.
const maxOrigin = 249

// origin is where a record was read first, if it went through another topic.
func origin(hs []Header) (place []Header, ok bool) {
	keys := [...]string{OriginTopic, OriginPartition, OriginOffset}
	if len(hs) < len(keys) {
		return nil, false
	}
	for i, key := range keys {
		if hs[i].Key != key || len(hs[i].Value) > maxOrigin {
			return nil, false
		}
	}
	return hs[:len(keys)], true
}

// deadLetter passes on a record as it came, and says why and from where.
func (o *outbox) deadLetter(r *Record, topic string, partition int32, rej *event.Reject) {
	hs := make([]Header, 0, 8+len(r.Headers))
	hs = append(hs, Header{"reason", []byte(rej.Reason)})
	came := r.Headers
	if at, ok := origin(came); ok {
		hs = append(hs, Header{"topic", at[0].Value}, Header{"partition", at[1].Value}, Header{"offset", at[2].Value})
		came = came[len(at):]
	} else {
		hs = append(hs, Header{"topic", []byte(topic)}, number("partition", int64(partition)), number("offset", r.Offset))
	}
	if rej.Field != "" {
		hs = append(hs, Header{"field", []byte(rej.Field)})
	}
	key, came, value, cut := fit(r.Key, came, r.Value)
	hs = append(append(hs, cut...), came...)
	o.letters = append(o.letters, Output{To: DeadLetters, Key: key, Value: value, Headers: hs})
}

// fit leaves of a record what a dead letter has room for, its key before its headers
// and those before its value, which is not nil; and says in headers how much there was
// of what it cuts.
func fit(key []byte, headers []Header, value []byte) (_ []byte, kept []Header, _ []byte, cut []Header) {
	room := maxLetter
	if len(key) > room {
		cut = append(cut, number("key_size", int64(len(key))))
		key = key[:room]
	}
	room -= len(key)
	for _, h := range headers {
		if n := len(h.Key) + len(h.Value) + headerFrame; n <= room {
			kept = append(kept, h)
			room -= n
		}
	}
	if len(kept) < len(headers) {
		cut = append(cut, number("headers", int64(len(headers))))
	}
	if value == nil {
		value = []byte{}
	}
	if len(value) > room {
		cut = append(cut, number("size", int64(len(value))))
		value = value[:room]
	}
	return key, kept, value, cut
}

// number is a header with a decimal.
func number(key string, n int64) Header { return Header{key, strconv.AppendInt(nil, n, 10)} }

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
