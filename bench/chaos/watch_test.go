package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// group commits offsets of the input for the group.
func testWatch(t *testing.T) (w *watch, commit func(offsets map[int32]int64)) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, inputTopic))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	adm := kadm.NewClient(cl)
	return newWatch(cl, 3), func(offsets map[int32]int64) {
		var o kadm.Offsets
		for p, n := range offsets {
			o.AddOffset(inputTopic, p, n, -1)
		}
		require.NoError(t, adm.CommitAllOffsets(t.Context(), appID, o))
	}
}

// A recovery ends when every partition that was hit has a later offset than it
// had just after the fault.
func TestRecovery(t *testing.T) {
	w, commit := testWatch(t)
	ctx := t.Context()
	commit(map[int32]int64{0: 5, 1: 5, 2: 5})
	w.poll(ctx)
	commit(map[int32]int64{0: 6}) // before the fault, and not seen yet
	r := w.began(ctx, "kill", time.Now(), []int32{0, 1})
	w.poll(ctx)
	require.False(t, r.wait(ctx, 0), "nothing has moved")
	commit(map[int32]int64{0: 7, 2: 9})
	w.poll(ctx)
	require.False(t, r.wait(ctx, 0), "one of two")
	commit(map[int32]int64{1: 6})
	w.poll(ctx)
	require.True(t, r.wait(ctx, time.Minute))
	require.Positive(t, r.took)
	require.False(t, r.disturbed)
	require.Equal(t, map[int32]int64{0: 7, 1: 6, 2: 9}, w.offsets())
	require.Nil(t, w.began(ctx, "kill", time.Now(), nil), "it had no partitions")
}

// Where a transaction is open in the input nothing can move, and nothing is
// measured.
func TestHeldPartitionsDoNotCount(t *testing.T) {
	w, commit := testWatch(t)
	ctx := t.Context()
	commit(map[int32]int64{0: 5, 1: 5, 2: 5})
	w.hold(0)
	require.Nil(t, w.began(ctx, "kill", time.Now(), []int32{0}))
	r := w.began(ctx, "kill", time.Now(), []int32{0, 1, 2})
	other := w.began(ctx, "stop", time.Now(), []int32{1})
	require.True(t, r.disturbed && other.disturbed)
	w.hold(1)
	require.True(t, other.wait(ctx, time.Minute) && other.unknown)
	commit(map[int32]int64{2: 6})
	w.poll(ctx)
	require.True(t, r.wait(ctx, time.Minute) && !r.unknown)
	w.release(0)
	w.release(1)
	require.NotNil(t, w.began(ctx, "kill", time.Now(), []int32{0}))
}

// While the owners are not known a fault is taken to have hit everything.
func TestOwners(t *testing.T) {
	w := newWatch(nil, 3)
	require.Len(t, w.of("i0"), 3)
	w.owners = map[int32]string{0: appID + "-i0", 1: appID + "-i1", 2: appID + "-i0"}
	require.ElementsMatch(t, []int32{0, 2}, w.of("i0"))
	require.Empty(t, w.of("i2"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, (&recovery{done: make(chan struct{})}).wait(ended, time.Hour))
}
