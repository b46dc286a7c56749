package pipeline

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/event"
)

// A dead letter names the record's place: where it was read, or where it was
// read first, if it went through another topic. Only headers in front say so.
func TestDeadLetterNamesThePlace(t *testing.T) {
	origin := []Header{{OriginTopic, []byte("events")}, {OriginPartition, []byte("5")}, {OriginOffset, []byte("77")}}
	other := Header{"trace", []byte("t")}
	rej := &event.Reject{Reason: event.Late}
	letter := func(hs ...Header) []Header {
		var o outbox
		o.deadLetter(&Record{Offset: 12, Value: []byte("v"), Headers: hs}, "app.repartition", 3, rej)
		require.Len(t, o.outputs(), 1)
		return o.outputs()[0].Headers
	}
	place := func(topic, partition, offset string, more ...Header) []Header {
		return append([]Header{{"reason", []byte("late")}, {"topic", []byte(topic)}, {"partition", []byte(partition)}, {"offset", []byte(offset)}}, more...)
	}
	require.Equal(t, place("app.repartition", "3", "12"), letter())
	require.Equal(t, place("events", "5", "77"), letter(origin...))
	require.Equal(t, place("events", "5", "77", other, origin[0]), letter(append(origin, other, origin[0])...))
	require.Equal(t, place("app.repartition", "3", "12", append([]Header{other}, origin...)...), letter(append([]Header{other}, origin...)...))
	require.Equal(t, place("app.repartition", "3", "12", origin[0]), letter(origin[0]))
	long := []Header{{OriginTopic, bytes.Repeat([]byte("e"), 250)}, origin[1], origin[2]}
	require.Equal(t, place("app.repartition", "3", "12", long...), letter(long...), "no topic has such a name")
}

// A dead letter of whatever record can be written with default settings. What is in
// the way is cut, the value first and the key last, and it says what it was.
func TestDeadLetterCanBeWritten(t *testing.T) {
	const mostOfABatch, frame = 1_000_012, 100 // frame: of the batch, and of its one record
	big := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	header := func(n int) Header { return Header{"h", big(n)} }
	rej := &event.Reject{Reason: event.WrongType, Field: strings.Repeat("f", 100)}
	for name, c := range map[string]struct {
		in         Record
		key, value int
		headers    []Header // those that came, and what says what was cut
	}{
		"nothing":                      {in: Record{}},
		"all that there is room for":   {in: Record{Key: big(100_000), Value: big(799_789), Headers: []Header{header(200)}}, key: 100_000, value: 799_789, headers: []Header{header(200)}},
		"a long value":                 {in: Record{Key: big(3), Value: big(900_001)}, key: 3, value: 899_997, headers: []Header{number("size", 900_001)}},
		"a value that headers press":   {in: Record{Value: big(300_000), Headers: []Header{header(799_989)}}, value: 100_000, headers: []Header{number("size", 300_000), header(799_989)}},
		"a header that has no room":    {in: Record{Value: big(10), Headers: []Header{header(1), header(900_000), header(2)}}, value: 10, headers: []Header{number("headers", 3), header(1), header(2)}},
		"no room for a header of none": {in: Record{Key: big(900_000), Value: big(5), Headers: []Header{{}}}, key: 900_000, headers: []Header{number("headers", 1), number("size", 5)}},
		"a long key":                   {in: Record{Key: big(2_000_000)}, key: 900_000, headers: []Header{number("key_size", 2_000_000)}},
		"many headers of nothing":      {in: Record{Headers: make([]Header, 200_000)}, headers: append([]Header{number("headers", 200_000)}, make([]Header, 90_000)...)},
	} {
		t.Run(name, func(t *testing.T) {
			var o outbox
			o.deadLetter(&c.in, strings.Repeat("t", maxOrigin), 3, rej)
			out := o.outputs()[0]
			size := frame + len(out.Key) + len(out.Value)
			for _, h := range out.Headers {
				size += len(h.Key) + len(h.Value) + headerFrame
			}
			require.LessOrEqual(t, size, mostOfABatch)
			require.Len(t, out.Key, c.key)
			require.Len(t, out.Value, c.value)
			require.NotNil(t, out.Value)
			require.True(t, bytes.HasPrefix(c.in.Key, out.Key))
			require.True(t, bytes.HasPrefix(c.in.Value, out.Value))
			said := 5 // reason, topic, partition, offset, field
			require.Len(t, out.Headers, said+len(c.headers))
			for i, h := range c.headers {
				require.Equal(t, h, out.Headers[said+i])
			}
		})
	}
}
