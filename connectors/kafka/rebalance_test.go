package kafka

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dangol-dev/dangol/engine/pipeline"
)

// session opens one that the test works itself.
func (w *town) session(name string, k pipeline.Keeper) *Session {
	w.t.Helper()
	cfg := w.cfg
	cfg.Instance = name
	s, err := Open(w.t.Context(), "app", &cfg, k, slog.New(slog.DiscardHandler), kgo.HeartbeatInterval(100*time.Millisecond))
	require.NoError(w.t, err)
	w.t.Cleanup(s.Close)
	return s
}

// pollAll adds what comes to got, by partition, until done.
func (w *town) pollAll(s *Session, got map[int32][]int64, done func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		require.True(w.t, time.Now().Before(deadline), "got %v, has %v", got, s.Assigned())
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		bs, err := s.Poll(ctx, 7)
		cancel()
		require.NoError(w.t, err)
		for _, b := range bs {
			for _, r := range b.Records {
				got[b.Partition] = append(got[b.Partition], r.Offset)
			}
		}
	}
}

func count(got map[int32][]int64) (n int) {
	for _, os := range got {
		n += len(os)
	}
	return n
}

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

// A standby follows what it would get, and gets it when the owner goes; its follower
// has ended by then.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	w := newTown(t, classicProtocol)
	w.feed(20)
	a, b, c := w.start("a", 1, nil), w.start("b", 1, nil), w.start("c", 1, nil)
	w.spreadOver(a, b, c)
	w.await("every partition has a follower", func() bool {
		return len(a.following())+len(b.following())+len(c.following()) == wide
	}, a, b, c)
	cfg := w.cfg
	cfg.Standbys = 1
	m, err := OpenMembers("app", &cfg)
	require.NoError(t, err)
	defer m.Close()
	byName := map[string]*instance{"a": a, "b": b, "c": c}
	expect := map[*instance][]int32{}
	w.await("the group's members are known", func() bool {
		_, _, ok := m.Standby(wide - 1)
		return ok
	}, a, b, c)
	for _, p := range c.assigned() {
		name, address, ok := m.Standby(p)
		require.True(t, ok)
		require.Equal(t, name+".example:8080", address)
		require.Contains(t, byName[name].following(), p)
		expect[byName[name]] = append(expect[byName[name]], p)
	}
	hadA, hadB := a.assigned(), b.assigned()

	c.close()
	w.remove("c")
	w.spreadOver(a, b)
	require.ElementsMatch(t, slices.Concat(hadA, expect[a]), a.assigned())
	require.ElementsMatch(t, slices.Concat(hadB, expect[b]), b.assigned())
	w.await("each follows the other", func() bool {
		return slices.Equal(a.following(), b.assigned()) && slices.Equal(b.following(), a.assigned())
	}, a, b)
	w.feed(5)
	w.requireOnce(a, b, c)
}

// Who asks learns which instance has which partition, and where it is reached.
func TestMembers(t *testing.T) {
	for _, protocol := range []string{classicProtocol, consumerProtocol} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, protocol)
			a, b := w.start("a", 0, nil), w.start("b", 0, nil)
			w.spreadOver(a, b)
			m, err := OpenMembers("app", &w.cfg)
			require.NoError(t, err)
			defer m.Close()
			w.await("the group's members are known", func() bool {
				all := m.All()
				return len(all) == 2 && slices.Equal(all[0].Partitions, a.assigned()) && slices.Equal(all[1].Partitions, b.assigned())
			}, a, b)
			require.Equal(t, "a", m.All()[0].Instance)
			require.Equal(t, "b.example:8080", m.All()[1].Address)
			for p := range int32(wide) {
				instance, address, ok := m.Owner(p)
				require.True(t, ok)
				other := "b"
				if slices.Contains(b.assigned(), p) {
					require.Equal(t, "b", instance)
					other = "a"
				}
				require.Equal(t, instance+".example:8080", address)
				standby, _, ok := m.Standby(p)
				require.True(t, ok)
				require.Equal(t, other, standby)
			}
			_, _, ok := m.Owner(wide)
			require.False(t, ok)
		})
	}
}
