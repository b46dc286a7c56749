package state

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"
)

// brokenDisk fails operations on tables (.sst) while a switch is on.
type brokenDisk struct{ writes, reads atomic.Bool }

func (d *brokenDisk) MaybeError(op errorfs.Op) error {
	if !strings.HasSuffix(op.Path, ".sst") {
		return nil
	}
	if d.writes.Load() && op.Kind == errorfs.OpCreate || d.reads.Load() && op.Kind == errorfs.OpFileReadAt {
		return errorfs.ErrInjected
	}
	return nil
}

func (d *brokenDisk) String() string { return "broken disk" }

// TestFailedWrite: Pebble retries a failed flush without end and takes
// further batches meanwhile; the store says so and stops taking them.
func TestFailedWrite(t *testing.T) {
	disk := &brokenDisk{}
	told, recovered := make(chan error, 100), make(chan struct{}, 100)
	obs := Observer{
		BackgroundError: func(err error) { told <- err },
		Recovered:       func() { recovered <- struct{}{} },
	}
	s := openTest(t, errorfs.Wrap(vfs.NewMem(), disk), obs, smallTuning, 64<<10)
	tab, err := s.Table(0)
	require.NoError(t, err)
	b := s.NewBatch()
	require.NoError(t, tab.Put([]byte("a"), []byte("1"), 5))
	b.AddTable(tab, []byte("p1"))
	require.NoError(t, b.Commit())

	disk.writes.Store(true)
	require.ErrorContains(t, s.Flush(), "cannot write state to disk")
	require.ErrorIs(t, <-told, errorfs.ErrInjected)
	require.ErrorIs(t, s.Flush(), errorfs.ErrInjected)
	require.NoError(t, tab.Put([]byte("a"), nil, 0))
	b.AddTable(tab, []byte("p2"))
	require.ErrorContains(t, b.Commit(), "cannot write state to disk")
	require.ErrorContains(t, s.Drop(7), "cannot write state to disk")
	tab.Abort()
	val, ok, err := tab.Get([]byte("a"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "1", string(val))

	disk.writes.Store(false)
	<-recovered
	require.Empty(t, told, "a failure that repeats is told once")
	require.Positive(t, s.Metrics().BackgroundErrors)
	require.NoError(t, s.Flush())
	b.AddTable(tab, []byte("p3"))
	require.NoError(t, b.Commit())
	require.NoError(t, s.Close())
}

// TestCloseOnBrokenDisk: a stop that cannot flush ends, and says so.
func TestCloseOnBrokenDisk(t *testing.T) {
	disk := &brokenDisk{}
	s := openTest(t, errorfs.Wrap(vfs.NewMem(), disk), Observer{}, smallTuning, 64<<10)
	b := s.NewBatch()
	require.NoError(t, b.Put(0, []byte("a"), []byte("1"), 0))
	require.NoError(t, b.Commit())
	disk.writes.Store(true)
	require.ErrorIs(t, s.Close(), errorfs.ErrInjected)
}

// TestFailedRead: an error of the disk reaches whoever asked, and an abort that
// cannot read leaves the table able to find out later.
func TestFailedRead(t *testing.T) {
	disk := &brokenDisk{}
	fs := errorfs.Wrap(vfs.NewMem(), disk)
	s := openTest(t, fs, Observer{}, smallTuning, 64<<10)
	tab, err := s.Table(0)
	require.NoError(t, err)
	b := s.NewBatch()
	val := make([]byte, 3000)
	_, err = rand.NewChaCha8([32]byte{}).Read(val) // so that each has a block of its own
	require.NoError(t, err)
	for i := range 100 {
		require.NoError(t, tab.Put([]byte{'k', byte(i)}, val, int64(i+1)))
	}
	b.AddTable(tab, nil)
	require.NoError(t, b.Commit())
	require.NoError(t, s.Close())

	s = openTest(t, fs, Observer{}, smallTuning, 8<<10)
	tab, err = s.Table(0)
	require.NoError(t, err)
	require.NoError(t, tab.Put([]byte{'k', 0}, []byte("new"), 1))
	disk.reads.Store(true)
	failed := func(err error) {
		require.ErrorIs(t, err, errorfs.ErrInjected)
		require.NotErrorIs(t, err, ErrDamaged, "a disk that does not answer has not lost anything")
	}
	_, ok, err := tab.Get([]byte{'k', 99})
	failed(err)
	require.False(t, ok)
	failed(tab.Put([]byte{'k', 99}, nil, 0))
	_, _, _, err = tab.NextDue(50)
	for ; err == nil; _, _, _, err = tab.NextDue(50) {
		key, due, _, _ := tab.NextDue(50)
		require.NoError(t, tab.Put(key, val, due+1000))
	}
	failed(err)
	_, _, _, err = s.Get(0, []byte{'k', 98}, nil)
	failed(err)
	failed(s.Scan(0, nil, func(_, _ []byte, _ int64) error { return nil }))
	failed(s.ScanAfter(0, nil, []byte{'k', 3}, func(_, _ []byte, _ int64) error { return nil }))
	tab.Abort()

	disk.reads.Store(false)
	for i := range 100 {
		key, due, ok, err := tab.NextDue(int64(i + 1))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []byte{'k', byte(i)}, key)
		require.EqualValues(t, i+1, due)
		got, ok, err := tab.Get(key)
		require.NoError(t, err)
		require.True(t, ok)
		require.Len(t, got, 3000)
		require.NoError(t, tab.Put(key, got, 0))
	}
	require.NoError(t, s.Close())
}

// TestFailedRevert: a table that had everything in memory, and could not read
// what an abort has to bring back, knows that it must ask the disk.
func TestFailedRevert(t *testing.T) {
	disk := &brokenDisk{}
	fs := errorfs.Wrap(vfs.NewMem(), disk)
	s := openTest(t, fs, Observer{}, defaultTuning, 64<<20)
	b := s.NewBatch()
	val := make([]byte, 100<<10) // 4 MB in all: more than the block cache holds
	_, err := rand.NewChaCha8([32]byte{}).Read(val)
	require.NoError(t, err)
	for i := range 40 {
		require.NoError(t, b.Put(0, []byte{'k', byte(i)}, val, 5))
	}
	require.NoError(t, b.Commit())
	require.NoError(t, s.Close())
	s = openTest(t, fs, Observer{}, defaultTuning, 64<<20)
	tab, err := s.Table(0)
	require.NoError(t, err)
	require.True(t, tab.hot.complete)
	for i := range 40 {
		require.NoError(t, tab.Put([]byte{'k', byte(i)}, nil, 0))
	}
	disk.reads.Store(true)
	tab.Abort()
	disk.reads.Store(false)
	require.False(t, tab.hot.complete)
	require.Equal(t, 40, tab.Len())
	for i := range 40 {
		key, _, ok, err := tab.NextDue(5)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, []byte{'k', byte(i)}, key)
		got, ok, err := tab.Get(key)
		require.NoError(t, err)
		require.True(t, ok)
		require.Len(t, got, len(val))
		require.NoError(t, tab.Put(key, got, 0))
	}
	require.NoError(t, s.Close())
}

// TestFatal: Pebble's last word ends the process; it is never returned from.
func TestFatal(t *testing.T) {
	var said, messages []string
	h := newHealth(Observer{
		Fatal:   func(text string) { said = append(said, text) },
		Message: func(text string) { messages = append(messages, text) },
	})
	ended := errors.New("the process has ended")
	h.exit = func(int) { panic(ended) }
	h.Infof("chatter %d", 1)
	h.Errorf("trouble %d", 2)
	require.Equal(t, []string{"trouble 2"}, messages)
	require.PanicsWithValue(t, ended, func() { h.Fatalf("MANIFEST: %v", errors.New("disk full")) })
	require.Equal(t, []string{"state: cannot write to its directory, stopping so that nothing is lost: MANIFEST: disk full"}, said)
	quiet := newHealth(Observer{})
	quiet.Errorf("unheard")
	quiet.backgroundError(errors.New("unheard"))
	quiet.exit = h.exit
	require.Panics(t, func() { quiet.Fatalf("unheard") })
}

// TestHealth: a failed compaction is told and stops nothing; a failed flush
// stops commits until one succeeds.
func TestHealth(t *testing.T) {
	var told, recovered int
	h := newHealth(Observer{BackgroundError: func(error) { told++ }, Recovered: func() { recovered++ }})
	empty, compaction, flush := errors.New("empty table"), errors.New("compaction 12"), errors.New("flush 34")
	h.flushEnd(pebble.FlushInfo{Err: empty})
	h.backgroundError(compaction)
	h.backgroundError(errors.New("compaction 13"))
	require.NoError(t, h.fault())
	require.Equal(t, 1, told)
	h.flushEnd(pebble.FlushInfo{Err: flush})
	h.backgroundError(flush)
	require.Equal(t, flush, h.fault())
	require.Equal(t, 2, told)
	<-h.failure()
	h.flushEnd(pebble.FlushInfo{})
	require.NoError(t, h.fault())
	require.Equal(t, 1, recovered)
	h.flushEnd(pebble.FlushInfo{})
	require.Equal(t, 1, recovered)
	require.EqualValues(t, 3, h.errors.Load())
}
