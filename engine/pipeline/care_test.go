package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// What is stale in the changelog is written again also where the transaction comes to
// say something of the partition only at its end.
func TestStaleIsWrittenByWhoeverSpeaksLast(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	_, err := c.Restore(t.Context(), Assignment{Committed: -1, Identity: identity}, new(shortLog))
	require.NoError(t, err)
	require.NoError(t, c.Sync([]int32{0}))
	require.Contains(t, c.stales[0], "c1")
	c.mu.Lock()
	c.ask(1, 1) // who has the first partition asks, which touches it late
	c.mu.Unlock()
	require.NoError(t, c.Finish(0))
	var written []string
	c.eachOutput(func(outs []Output) {
		for _, o := range outs {
			if o.To == Changelog {
				written = append(written, string(o.Key))
			}
		}
	})
	require.Contains(t, written, "c1")
	require.NoError(t, c.commit(func() (map[int32]int64, error) { return map[int32]int64{0: 20}, nil }))
	require.Empty(t, c.stales[0])
}

// mute is a log on which no snapshot can be stored.
type mute struct {
	*logReader
	tries int
}

func (f *mute) Save(context.Context, map[int32]int64, func(func([]byte) error) error) error {
	f.tries++
	return errors.New("no right to write")
}

// A snapshot that fails is not tried again with every commit.
func TestFailedSnapshotRests(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	w := future()
	c := newTestCore(testConfig(), store, w)
	defer c.Close()
	c.leastLog = 1
	f := &mute{logReader: newTestLog(1).reader()}
	require.NoError(t, c.Join(t.Context(), f))
	require.NoError(t, c.Sync([]int32{0}))
	c.shared.bytes = 10
	commits := func(n int) {
		for range n {
			require.NoError(t, c.commit(func() (map[int32]int64, error) { return nil, nil }))
			c.considerSnapshot()
			c.background.Wait()
		}
	}
	commits(20)
	require.Equal(t, 1, f.tries)
	w.wall.Add(saveAgain.Milliseconds())
	commits(20)
	require.Equal(t, 2, f.tries)
}

// A partition that is restored and not open yet is not ready.
func TestReadyIsOpen(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	require.NoError(t, c.Sync([]int32{1}))
	c.sessionOpened()
	require.NoError(t, c.Ready())
	_, err := c.Restore(t.Context(), Assignment{Committed: -1, Identity: identity}, new(shortLog))
	require.NoError(t, err)
	require.ErrorIs(t, c.Ready(), ErrNotReady, "partition 0 is restored, and not open")
	require.NoError(t, c.Sync([]int32{0, 1}))
	require.NoError(t, c.Ready())

	// One that is taken away before it is opened is nothing to wait for.
	ctx, take := context.WithCancel(t.Context())
	_, err = c.Restore(ctx, Assignment{Partition: 2, Committed: -1, Identity: identity}, new(shortLog))
	require.NoError(t, err)
	require.ErrorIs(t, c.Ready(), ErrNotReady)
	take()
	require.Eventually(t, func() bool { return c.Ready() == nil }, 10*time.Second, time.Millisecond)

	// One that others keep waiting is.
	for range cap(c.slots) {
		c.slots <- struct{}{}
	}
	ctx, take = context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Restore(ctx, Assignment{Partition: 3, Committed: -1, Identity: identity}, new(shortLog))
		ended <- err
	}()
	require.Eventually(t, func() bool { return errors.Is(c.Ready(), ErrNotReady) }, 10*time.Second, time.Millisecond)
	take()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.NoError(t, c.Ready())
}

// State of which the shared log tells nothing at all is not gone on with: its counts
// would begin at nothing.
func TestStateWithoutWhatIsShared(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	b := store.NewBatch()
	b.SetPosition(0, Position{Next: 5, Changelog: 11, Identity: identity}.Append(nil))
	require.NoError(t, b.Commit())
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	require.NoError(t, c.Join(t.Context(), newTestLog(1).reader()))
	_, err := c.Restore(t.Context(), Assignment{Committed: 5, Identity: identity}, new(shortLog))
	require.ErrorIs(t, err, ErrFatal)
	require.ErrorContains(t, err, "dangol rebuild")
}

// What the input has lost before it was read is refused by name, or gone on without
// where that is asked for.
func TestInputDeletedBeforeItWasRead(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	c := newTestCore(testConfig(), store, future())
	defer c.Close()
	var skipped []int64
	say := func(first, last int64) { skipped = append(skipped, first, last) }
	restore := func(committed, kept int64, skip func(first, last int64)) (int64, error) {
		return c.Restore(t.Context(), Assignment{Committed: committed, Kept: kept, Skip: skip, Identity: identity}, new(shortLog))
	}
	start, err := restore(2, 2, nil)
	require.NoError(t, err)
	require.Equal(t, int64(2), start)
	for _, committed := range []int64{2, 5} { // set forward by somebody
		_, err = restore(committed, 5, nil)
		require.ErrorIs(t, err, ErrFatal)
		require.ErrorContains(t, err, "offsets 2 to 4")
		require.ErrorContains(t, err, "input.deleted: skip")
	}
	_, err = restore(6, 5, say)
	require.ErrorContains(t, err, "know the input only up to 2", "what the state lacks has not been deleted alone")
	require.Empty(t, skipped)
	start, err = restore(2, 5, say)
	require.NoError(t, err)
	require.Equal(t, int64(5), start)
	require.Equal(t, []int64{2, 4}, skipped)
	require.NoError(t, c.Sync([]int32{0}))
	require.Equal(t, map[int32]int64{0: 5}, c.quiet(0))
}

// knowing is a session that is asked for ends, and says that nothing is left where it is told
// where partitions stand.
type knowing struct {
	Session
	at []map[int32]int64
}

func (s *knowing) Ends(_ context.Context, at map[int32]int64) (map[int32]int64, error) {
	s.at = append(s.at, maps.Clone(at))
	for p := range at {
		at[p] = 7 // past a marker
	}
	return map[int32]int64{0: 7, 1: 7}, nil
}

// A partition that has given nothing for a while is asked whether it is at its end, also
// while others are busy.
func TestOnePartitionIsAtItsEndWhileOthersAreBusy(t *testing.T) {
	store := openStore(t, vfs.NewMem(), 1<<20)
	defer store.Close()
	w := future()
	c := newTestCore(testConfig(), store, w)
	defer c.Close()
	require.NoError(t, c.Sync([]int32{0, 1}))
	l, s := Loop{Core: c, Now: c.now, Log: slog.New(slog.DiscardHandler)}, new(knowing)
	give := func(p int32, offset int64) {
		wall := c.now().UnixMilli()
		_, err := c.Process([]Batch{{Partition: p, Records: []Record{{Offset: offset}}, End: 7, EndAt: wall}}, wall)
		require.NoError(t, err)
	}
	give(0, 5)
	give(1, 0)
	l.askEnds(t.Context(), s)
	require.False(t, c.shards[0].exhausted())
	for i := range int64(3) {
		w.wall.Add(endsEvery.Milliseconds())
		give(1, 1+i)
		l.askEnds(t.Context(), s)
	}
	require.Equal(t, []map[int32]int64{{}, {0: 6}, {0: 7}, {0: 7}}, s.at)
	require.True(t, c.shards[0].exhausted())
	require.Equal(t, map[int32]int64{0: 7, 1: 4}, c.next(), "and is committed")
	require.True(t, c.shards[0].atEnd(c.now().UnixMilli()))
	require.False(t, c.shards[1].exhausted())
}
