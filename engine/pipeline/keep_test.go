package pipeline

import (
	"math"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/basket"
)

// A survey that brought too few buyers is made again with more, and in the end with all.
func TestSurveysGrow(t *testing.T) {
	for _, buyers := range []int{0, 1, 15_000, 19_999} {
		s := newSurvey(1, 0, lowest(20_000, 3_000_000))
		s.buyers = make([]sampled, buyers)
		for rounds := 0; s.below < math.MaxUint64; rounds++ {
			_, short := s.sample(20_000)
			require.True(t, short)
			next := s.wider(20_000)
			require.Greater(t, next, s.below)
			require.Less(t, rounds, 30)
			s.below = next
			s.buyers = make([]sampled, buyers)
		}
		_, short := s.sample(20_000)
		require.False(t, short)
	}
}

// What was told of a survey is not told again while the log has not brought it back; after
// the end of a session it is, for whether it was told is not known.
func TestSurveyIsAnsweredOnce(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	require.NoError(t, c.Sync([]int32{0, 1}))
	locked := func(fn func()) {
		c.mu.Lock()
		defer c.mu.Unlock()
		fn()
	}
	l := &c.learning
	consider := func() int {
		locked(c.considerAnswer)
		c.background.Wait()
		return len(l.answers)
	}
	locked(func() { c.ask(1, math.MaxUint64) })
	require.Equal(t, 2, consider())
	c.closeShard(1) // and what was to be told of it, another's to say
	locked(func() { c.tellSurvey(); l.told(true) })
	require.Zero(t, consider())
	require.NoError(t, c.Sync([]int32{0, 1}))
	require.Equal(t, 1, consider())
	locked(l.forget)
	locked(func() { c.ask(1, math.MaxUint64) })
	require.Equal(t, 2, consider())
	locked(func() { c.tellSurvey(); l.told(true); l.question = nil; l.forget() })
	require.Equal(t, 2, consider())
}

// Who gets the first partition, again perhaps, learns whatever is due.
func TestWhoeverLeadsAsks(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	for _, opened := range []int32{1, 0} {
		c.learning.last = fitting{at: 7}
		require.NoError(t, c.Sync([]int32{opened}))
		require.Equal(t, opened != 0, c.learning.last.at == 7)
	}
}

// The publisher keeps only who waits, and says again what a session that died had said, or
// another instance may have meanwhile.
func TestPublisher(t *testing.T) {
	var p publisher
	for i := range 100_000 {
		p.wait(basket.Ref(1 + i%200))
		if i%2 == 1 {
			require.NotZero(t, p.take())
		}
		require.LessOrEqual(t, len(p.queue), 2*200+1)
	}
	seen := map[basket.Ref]bool{}
	for ref := p.take(); ref != 0; ref = p.take() {
		require.False(t, seen[ref])
		seen[ref] = true
	}
	require.Len(t, seen, 199, "the last was taken at once")

	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	c.publisher.wait(1)
	require.Equal(t, basket.Ref(1), c.publisher.take())
	said := told{said: true, hash: 9}
	c.publisher.state[1], c.publisher.open = said, []basket.Ref{1}
	c.closeAll()
	require.Equal(t, told{hash: 9, before: true, queued: true}, c.publisher.state[1])
	c.publisher.state[1] = said
	c.publisher.succeed(func(basket.Ref) bool { return true })
	require.Equal(t, told{hash: 9, before: true}, c.publisher.state[1])
}
