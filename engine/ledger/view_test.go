package ledger

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dangol-dev/dangol/engine/event"
)

func look(l *Ledger, item string, t int64, session string) Effect {
	e := event.Event{Type: event.ProductViewed, Time: t, SessionID: session, Items: []event.Item{{ID: item}}}
	return l.Apply(&e, &Rules{Lateness: dayMs})
}

// A bot that looks at one thing all day leaves its latest looks.
func TestViewsOfABot(t *testing.T) {
	var l Ledger
	for i := range int64(100_000) {
		look(&l, "a", epoch+i, "bot")
	}
	require.Len(t, l.Views, 16)
	for i, v := range l.Views {
		require.Equal(t, View{event.Hash("a"), epoch + 100_000 - 16 + int64(i), uint32(event.Hash("bot"))}, v)
	}
	require.Equal(t, Effect{}, look(&l, "b", epoch+99_983, ""), "older than what is kept")
	require.Equal(t, Effect{Changed: true}, look(&l, "b", epoch+99_990, ""), "in between")
	require.Len(t, l.Views, 16)
	require.Equal(t, epoch+99_985, l.Views[0].Time, "the oldest went")
}

// A look that comes again is none, and when it names another session, the one
// with the greater number is kept, whichever came first.
func TestViewsAgain(t *testing.T) {
	low, high := "s", "t"
	if sessionKey(low) > sessionKey(high) {
		low, high = high, low
	}
	for _, c := range []struct {
		sessions []string
		changes  int
	}{{[]string{"", low, high}, 3}, {[]string{high, low, ""}, 1}, {[]string{low, high, low}, 2}, {[]string{low, "", high}, 2}} {
		var l Ledger
		changes := 0
		for _, s := range c.sessions {
			if look(&l, "a", epoch, s).Changed {
				changes++
			}
		}
		require.Equal(t, []View{{event.Hash("a"), epoch, sessionKey(high)}}, l.Views, c.sessions)
		require.Equal(t, c.changes, changes, c.sessions)
		require.True(t, look(&l, "a", epoch+1, "").Changed, "another instant is another look")
		require.Len(t, l.Views, 2)
	}
}

func TestSameSession(t *testing.T) {
	const gap = 30 * 60_000
	for _, c := range []struct {
		a, b  uint32
		apart int64
		want  bool
	}{
		{1, 1, gap + 1, true}, {1, 1, 0, true}, {1, 2, 0, false},
		{0, 0, gap, true}, {0, 0, gap + 1, false}, {1, 0, gap, true}, {0, 1, gap, true}, {0, 1, gap + 1, false}, {1, 0, gap + 1, false},
	} {
		a, b := View{1, epoch, c.a}, View{2, epoch + c.apart, c.b}
		require.Equal(t, c.want, a.SameSession(&b, gap), "%+v", c)
	}
}

// uvarintOf reads of eight bytes what uvarint does, without its branches.
func TestUvarintOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b [16]byte
		if rapid.Bool().Draw(t, "written") {
			putUvarint(b[:], 0, rapid.Uint64Max(1<<57).Draw(t, "number"))
		} else {
			copy(b[:], rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xff}), 8, 8).Draw(t, "bytes"))
		}
		want, end := uvarint(b[:8], 0)
		v, size := uvarintOf(binary.LittleEndian.Uint64(b[:]))
		require.Equal(t, end, size)
		require.Equal(t, want, v)
	})
}
