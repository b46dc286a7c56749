package kafka

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// A transaction under way when partitions are taken is not committed. What was
// handed out in it, or waited, of those that stay comes again, from what was
// committed before, and of the others nothing. The same after a second revocation in
// the same transaction, of which the client does not tell.
func TestTransactionUnderWayWhenPartitionsAreTaken(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(10)
	a := w.session("a", keeper(fromCommitted))
	require.NoError(t, a.Begin())
	got := map[int32][]int64{}
	w.pollAll(a, got, func() bool { return count(got) >= 40 })
	next := map[int32]int64{}
	for p, os := range got {
		next[p] = os[len(os)-1] + 1
	}
	commit(t, a, next)
	require.NoError(t, a.Begin())
	again := map[int32][]int64{}
	w.pollAll(a, again, func() bool { return count(again) >= 20 })
	for p := range again {
		require.Equal(t, next[p], again[p][0])
		a.Produce([]pipeline.Output{logged(0, p)})
	}

	b := w.start("b", 0, nil)
	w.await("b has its share", func() bool { return len(b.assigned()) == 4 }, b)
	c := w.start("c", 0, nil)
	w.await("b and c have theirs", func() bool { return len(b.assigned())+len(c.assigned()) == 5 }, b, c)
	mine := a.Assigned()
	require.Len(t, mine, 3)
	for _, p := range mine {
		require.NotContains(t, slices.Concat(b.assigned(), c.assigned()), p)
	}
	touched := map[int32]int64{}
	for p, os := range again {
		touched[p] = os[len(os)-1] + 1
	}
	ok, _, err := a.End(t.Context(), true, touched)
	require.NoError(t, err)
	require.False(t, ok)

	require.NoError(t, a.Begin())
	third := map[int32][]int64{}
	left := 0
	for _, p := range mine {
		left += 10 - int(next[p])
	}
	w.pollAll(a, third, func() bool { return count(third) >= left })
	for p, os := range third {
		require.Contains(t, mine, p)
		for i, o := range os {
			require.Equal(t, next[p]+int64(i), o, "partition %d goes on from what is committed", p)
		}
		next[p] = os[len(os)-1] + 1
		for _, o := range os {
			a.Produce([]pipeline.Output{{To: pipeline.Changelog, Partition: p, Key: []byte("k"), Value: []byte{byte(o)}}})
		}
	}
	for p := range next {
		if !slices.Contains(mine, p) {
			delete(next, p)
		}
	}
	commit(t, a, next)
	w.processed(b, c)
}

// What the client has given but nobody has handed out is not committed with the
// rest; an abort afterwards goes back to what was, not to what the client has given.
func TestAbortGoesBackToWhatIsCommitted(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(10)
	s := w.session("a", keeper(fromCommitted))
	at := map[int32]int64{}
	for round := range 12 {
		require.NoError(t, s.Begin())
		got := map[int32][]int64{}
		w.pollAll(s, got, func() bool { return count(got) >= 5 })
		next := map[int32]int64{}
		for p, os := range got {
			for i, o := range os {
				require.Equal(t, at[p]+int64(i), o, "round %d, partition %d", round, p)
			}
			next[p] = os[len(os)-1] + 1
		}
		if round%3 == 1 {
			ok, _, err := s.End(t.Context(), false, nil)
			require.NoError(t, err)
			require.False(t, ok)
			continue
		}
		s.Produce([]pipeline.Output{logged(round, 0)})
		commit(t, s, next)
		for p, n := range next {
			at[p] = n
		}
	}
}

// The offset from which a restore says to go on is where the partition begins,
// whether the group's is ahead of it or behind, and after an abort, too.
func TestRestoreSaysWhereToBegin(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(10)
	first := w.session("a", keeper(fromCommitted))
	require.NoError(t, first.Begin())
	got := map[int32][]int64{}
	w.pollAll(first, got, func() bool { return count(got) == 80 })
	commit(t, first, map[int32]int64{0: 5, 1: 5, 2: 5, 3: 0})
	first.Close()

	begin := map[int32]int64{0: 5, 1: 8, 2: 3, 3: 6, 4: 9, 5: 0, 6: 10, 7: 1}
	s := w.session("a", keeper(func(_ context.Context, a pipeline.Assignment, _ pipeline.ChangelogReader) (int64, error) {
		return begin[a.Partition], nil
	}))
	for range 3 {
		require.NoError(t, s.Begin())
		got = map[int32][]int64{}
		w.pollAll(s, got, func() bool { return count(got) == 38 })
		for p, os := range got {
			require.Equal(t, begin[p], os[0], "partition %d", p)
			require.Len(t, os, int(10-begin[p]))
		}
		ok, _, err := s.End(t.Context(), false, nil)
		require.NoError(t, err)
		require.False(t, ok)
	}
}
