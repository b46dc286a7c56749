package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// gate holds the restores of one partition, in which it is deaf to their end.
type gate struct {
	keeper
	partition int32
	opened    chan struct{}
	open      func()

	mu     sync.Mutex
	inside int
	began  int
	ended  []error // of the restores' contexts
}

func newGate(p int32) *gate {
	g := &gate{keeper: fromCommitted, partition: p, opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	return g
}

func (g *gate) Restore(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
	if a.Partition != g.partition {
		return g.keeper(ctx, a, log)
	}
	g.mu.Lock()
	g.inside++
	g.began++
	g.mu.Unlock()
	<-g.opened
	g.mu.Lock()
	g.inside--
	g.ended = append(g.ended, ctx.Err())
	g.mu.Unlock()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return g.keeper(ctx, a, log)
}

// A restore that takes long holds up neither the other partitions nor the group,
// and then its partition begins where it should.
func TestRestoresInTheBackground(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(5)
	g := newGate(7)
	a := w.session("a", g)
	t.Cleanup(g.open)
	for round := range 5 {
		require.NoError(t, a.Begin())
		got := map[int32][]int64{}
		w.pollAll(a, got, func() bool { return count(got) == 35 })
		require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6}, a.Assigned())
		next := map[int32]int64{}
		for p := range got {
			next[p] = int64(5 * (round + 1))
			a.Produce([]pipeline.Output{logged(round, p)}) // a transaction of offsets alone a broker may refuse while it ends the one before
		}
		commit(t, a, next)
		w.feed(5)
	}
	g.open()
	require.NoError(t, a.Begin())
	got := map[int32][]int64{}
	w.pollAll(a, got, func() bool { return count(got) == 65 })
	for i, o := range got[7] {
		require.EqualValues(t, i, o)
	}
	require.Len(t, got[7], 30)
}

// When a partition is taken away, its restore is cancelled, which is no error. When
// it comes again, it is restored anew, and not before the cancelled restore has
// returned.
func TestPartitionTakenWhileItIsRestored(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(5)
	alone := map[int32]string{}
	for p := range int32(wide) {
		alone[p] = "app-a"
	}
	both := spread([]string{"app-a", "app-b"}, wide, alone)
	moves := int32(0)
	for both[moves] != "app-b" {
		moves++
	}
	g := newGate(moves)
	a := w.session("a", g)
	t.Cleanup(g.open)
	turn := func() {
		require.NoError(t, a.Begin())
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		_, err := a.Poll(ctx, 100)
		require.NoError(t, err)
		_, _, err = a.End(t.Context(), true, nil)
		require.NoError(t, err)
	}
	w.await("the others are restored", func() bool { turn(); return len(a.Assigned()) == wide-1 })
	b := w.start("b", 0, nil)
	w.await("b has it", func() bool { turn(); return slices.Contains(b.assigned(), moves) }, b)
	b.close()
	w.remove("b")
	w.await("a has the others again", func() bool { turn(); return len(a.Assigned()) == wide-1 })
	for range 20 {
		turn()
	}
	g.mu.Lock()
	require.Equal(t, 1, g.began, "the first restore has not returned")
	g.mu.Unlock()
	g.open()
	w.await("a has it again", func() bool { turn(); return len(a.Assigned()) == wide })
	require.Equal(t, []error{context.Canceled, nil}, g.ended)
}

// A restore's error surfaces in Poll, also when nothing else comes.
func TestRestoreErrorOfOnePartition(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	broken := errors.New("broken")
	s := w.session("a", keeper(func(ctx context.Context, a pipeline.Assignment, log pipeline.ChangelogReader) (int64, error) {
		if a.Partition == 3 {
			return 0, broken
		}
		return fromCommitted(ctx, a, log)
	}))
	w.await("the error", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.Poll(ctx, 1)
		return errors.Is(err, broken)
	})
}
