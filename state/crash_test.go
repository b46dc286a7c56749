package state

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"
)

// history is what each partition was after each batch.
type history [][]*plain

func (h history) record(now map[int32]*plain) history {
	var states []*plain
	for p := range int32(testPartitions) {
		states = append(states, &plain{committed: now[p].committed, position: now[p].position})
	}
	return append(h, states)
}

// crasher keeps copies of a disk as a crash would leave it, taken between two
// operations on its files: in the middle of a flush, of a compaction.
type crasher struct {
	disk *vfs.MemFS

	mu      sync.Mutex
	on      bool
	rng     *rand.Rand
	flushed int // the batch that was flushed last
	crashes []crash
}

type crash struct {
	disk    *vfs.MemFS
	flushed int
}

const maxCrashes = 40

func (c *crasher) MaybeError(op errorfs.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && len(c.crashes) < maxCrashes && c.rng.IntN(6) == 0 {
		c.crash()
	}
	return nil
}

func (c *crasher) crash() {
	left := c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.rng.IntN(101), RNG: c.rng})
	c.crashes = append(c.crashes, crash{left, c.flushed})
}

func (c *crasher) String() string { return "crasher" }

// TestCrash commits at random and takes the disk away at random moments. What is
// recovered must be the state after one of the batches, in all partitions the
// same one, and all that was flushed.
func TestCrash(t *testing.T) {
	const batches, flushes = 90, 15
	disk := &crasher{disk: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(1, 2))}
	s := openTest(t, errorfs.Wrap(disk.disk, disk), Observer{}, smallTuning, 256<<10)
	// Not before: while it opens, Pebble counts on the file system to keep the
	// order in which two files were created, which these copies do not.
	disk.mu.Lock()
	disk.on = true
	disk.mu.Unlock()
	now, tables := map[int32]*plain{}, map[int32]*Table{}
	for p := range int32(testPartitions) {
		now[p] = newPlain()
		tab, err := s.Table(p)
		require.NoError(t, err)
		tables[p] = tab
	}
	past := history(nil).record(now)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := 1; i <= batches; i++ {
		b := s.NewBatch()
		for p := range int32(testPartitions) {
			putRandom(t, rng, tables[p], now[p])
			position := binary.BigEndian.AppendUint32(nil, uint32(i))
			b.AddTable(tables[p], position)
			now[p].commit(position)
		}
		require.NoError(t, b.Commit())
		past = past.record(now)
		if i%flushes == 0 {
			require.NoError(t, s.Flush())
			disk.mu.Lock()
			disk.flushed = i
			disk.crash()
			disk.mu.Unlock()
		}
	}
	require.NoError(t, s.Close())
	require.Equal(t, batches, checkRecovered(t, disk.disk.CrashClone(vfs.CrashCloneCfg{}), past), "a graceful stop loses nothing")
	require.Greater(t, len(disk.crashes), 20)
	for _, c := range disk.crashes {
		require.GreaterOrEqual(t, checkRecovered(t, c.disk, past), c.flushed)
	}
}

// putRandom changes a few keys of a table, with values large enough that Pebble
// flushes by itself now and then.
func putRandom(t *testing.T, rng *rand.Rand, tab *Table, p *plain) {
	for range 8 {
		key, val, due := fmt.Sprintf("c%03d", rng.IntN(300)), []byte(strings.Repeat("v", rng.IntN(4096))), rng.Int64N(1000)
		if rng.IntN(6) == 0 {
			val = nil
		}
		require.NoError(t, tab.Put([]byte(key), val, due))
		p.put(key, val, due)
	}
}

// checkRecovered opens a disk after a crash, finds which batch it ends with and
// compares everything with what was then.
func checkRecovered(t *testing.T, disk vfs.FS, past history) int {
	s := openTest(t, disk, Observer{}, smallTuning, 256<<10)
	defer func() { require.NoError(t, s.Close()) }()
	position, ok, err := s.Position(0)
	require.NoError(t, err)
	at := 0
	if ok {
		at = int(binary.BigEndian.Uint32(position))
	}
	for p := range int32(testPartitions) {
		checkCommitted(t, s, p, past[at][p])
		tab, err := s.Table(p)
		require.NoError(t, err)
		require.Equal(t, len(past[at][p].committed), tab.Len())
		drainTimers(t, tab, past[at][p].committed)
		tab.Close()
	}
	return at
}

// drainTimers takes all timers in their order.
func drainTimers(t require.TestingT, tab *Table, data map[string]plainEntry) {
	type timer struct {
		due int64
		key string
	}
	var want, got []timer
	for k, e := range data {
		if e.due != 0 {
			want = append(want, timer{e.due, k})
		}
	}
	slices.SortFunc(want, func(a, b timer) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.key, b.key))
	})
	for {
		key, due, ok, err := tab.NextDue(math.MaxInt64)
		require.NoError(t, err)
		if !ok {
			break
		}
		got = append(got, timer{due, string(key)})
		require.NoError(t, tab.Put(key, nil, 0))
	}
	require.Equal(t, want, got)
}
