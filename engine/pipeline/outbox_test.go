package pipeline

import (
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
}
