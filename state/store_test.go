package state

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// underRace: the race detector watches, for which one goroutine's random walks
// have little to show and take ten times as long.
var underRace bool

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		childMain(text)
	}
	flag.Parse()
	if underRace {
		if err := flag.Set("rapid.checks", "10"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

func TestConfig(t *testing.T) {
	c := DefaultConfig()
	require.EqualError(t, c.Validate(), "state.dir: is empty; name a directory")
	c.Dir = "somewhere"
	require.NoError(t, c.Validate())
	require.EqualError(t, Config{HotBytes: -1, CacheBytes: 5, MemTableBytes: 4 << 30, Durability: "fsync"}.Validate(),
		"state.dir: is empty; name a directory\n"+
			"state.hot_bytes: is -1, must be 1048576 to 34359738368 bytes\n"+
			"state.cache_bytes: is 5, must be 1048576 to 1099511627776 bytes\n"+
			"state.mem_table_bytes: is 4294967296, must be 1048576 to 1073741824 bytes\n"+
			`state.durability: is "fsync", must be changelog, wal or sync`)
	_, err := Open(Config{}, nil, Observer{})
	require.ErrorContains(t, err, "state.dir")
}

// TestDirectory runs on the machine's own file system.
func TestDirectory(t *testing.T) {
	cfg := testConfig()
	cfg.Dir = filepath.Join(t.TempDir(), "new", "state")
	s, err := Open(cfg, nil, Observer{})
	require.NoError(t, err)
	b := s.NewBatch()
	require.NoError(t, b.Put(3, []byte("key"), []byte("value"), 17))
	b.SetPosition(3, []byte("here"))
	require.NoError(t, b.Commit())
	require.Zero(t, s.db.Metrics().WAL.BytesWritten, "there is no write-ahead log")

	_, err = Open(cfg, nil, Observer{})
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, "stop it, or give this one a directory of its own")
	require.NoError(t, s.Close())

	s, err = Open(cfg, nil, Observer{})
	require.NoError(t, err)
	val, due, ok, err := s.Get(3, []byte("key"), nil)
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 17, due)
	require.Equal(t, "value", string(val))
	require.Positive(t, s.DiskUsage())
	require.NoError(t, s.Close())

	marker := filepath.Join(cfg.Dir, markerName)
	require.NoError(t, os.WriteFile(marker, []byte("dangol state 2\n"), 0o644))
	_, err = Open(cfg, nil, Observer{})
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "dangol state 2")
	require.NoError(t, os.Remove(marker))
	_, err = Open(cfg, nil, Observer{})
	require.ErrorIs(t, err, ErrForeign)

	cfg.Dir = marker
	require.NoError(t, os.WriteFile(marker, nil, 0o644))
	_, err = Open(cfg, nil, Observer{})
	require.Error(t, err)
}

// TestForeign: a store of somebody else is refused before Pebble could upgrade
// it; a volume's own directory and an interrupted start are not in the way.
func TestForeign(t *testing.T) {
	disk := vfs.NewMem()
	theirs, err := pebble.Open(testDir, &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatMinSupported, Logger: newHealth(Observer{})})
	require.NoError(t, err)
	require.NoError(t, theirs.Close())
	before := disk.String()
	_, err = Open(testConfig(), disk, Observer{})
	require.ErrorIs(t, err, ErrForeign)
	require.Equal(t, before, disk.String(), "nothing was touched")

	disk = vfs.NewMem()
	require.NoError(t, disk.MkdirAll(testDir+"/lost+found", 0o755))
	half, err := disk.Create(testDir+"/"+markerName+tempSuffix, vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	require.NoError(t, half.Close())
	s, err := Open(testConfig(), disk, Observer{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s, err = Open(testConfig(), disk, Observer{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// TestIncomplete: a directory whose files were lost is damaged.
func TestIncomplete(t *testing.T) {
	disk := vfs.NewMem()
	s := openTest(t, disk, Observer{}, smallTuning, 1<<10)
	require.NoError(t, s.Close())
	names, err := disk.List(testDir)
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasPrefix(name, "MANIFEST") {
			require.NoError(t, disk.Remove(disk.PathJoin(testDir, name)))
		}
	}
	_, err = Open(testConfig(), disk, Observer{})
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, "MANIFEST")
	_, err = Open(testConfig(), disk, Observer{})
	require.NotErrorIs(t, err, ErrInUse, "a failed start lets go of the lock")
}

func TestClosed(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 1<<10)
	tab, err := s.Table(0)
	require.NoError(t, err)
	tab.hot.complete = false // so that it has to ask the store
	require.NoError(t, s.Close())
	closed := func(err error) { require.ErrorIs(t, err, ErrClosed) }
	_, _, err = tab.Get([]byte("a"))
	closed(err)
	tab.Close()
	closed(s.Close())
	closed(s.Flush())
	closed(s.Drop(0))
	closed(s.NewBatch().Commit())
	_, err = s.Table(0)
	closed(err)
	_, _, err = s.Position(0)
	closed(err)
	_, _, _, err = s.Get(0, []byte("a"), nil)
	closed(err)
	require.Zero(t, s.Metrics())
}

func TestArguments(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 1<<10)
	tab, err := s.Table(0)
	require.NoError(t, err)
	_, err = s.Table(0)
	require.ErrorContains(t, err, "partition 0: its table is open already")
	_, err = s.Table(-1)
	require.ErrorContains(t, err, "partition -1 is negative")
	long := make([]byte, MaxKey+1)
	require.ErrorContains(t, tab.Put(nil, nil, 0), "key of 0 bytes: must have 1 to 32768")
	require.ErrorContains(t, tab.Put(long, nil, 0), "key of 32769 bytes")
	require.NoError(t, tab.Put(long[1:], long, 5))
	_, _, err = s.Position(-1)
	require.Error(t, err)
	require.Error(t, s.Scan(-1, nil, nil))
	require.Error(t, s.ScanAfter(-1, nil, nil, nil))
	require.Error(t, s.Drop(-1))
	_, _, _, err = s.Get(0, long, nil)
	require.Error(t, err)
	b := s.NewBatch()
	require.Error(t, b.Put(-1, []byte("a"), nil, 0))
	require.Error(t, b.Put(0, nil, nil, 0))
	b.SetPosition(-1, []byte("x"))
	require.Error(t, b.Commit())
	b.AddTable(tab, []byte("x"))
	require.NoError(t, b.Commit(), "a failed batch is empty")
	key, due, ok, err := tab.NextDue(5)
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 5, due)
	require.Equal(t, long[1:], key)

	other := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 1<<10)
	b = other.NewBatch()
	b.AddTable(tab, nil)
	require.ErrorContains(t, b.Commit(), "another store")
	require.NoError(t, other.Close())
	require.NoError(t, s.Close())
}

// TestScanAfter: it begins behind a key, ends with the prefix, or where the
// caller has had enough.
func TestScanAfter(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 1<<10)
	defer func() { require.NoError(t, s.Close()) }()
	b := s.NewBatch()
	for _, key := range []string{"b9", "c", "c1", "c1\x00", "c11", "c2", "d"} {
		require.NoError(t, b.Put(4, []byte(key), []byte("v"), 0))
	}
	require.NoError(t, b.Commit())
	enough := errors.New("enough")
	after := func(key string, most int) (got []string, err error) {
		err = s.ScanAfter(4, []byte("c"), []byte(key), func(key, _ []byte, _ int64) error {
			if got = append(got, string(key)); len(got) == most {
				return enough
			}
			return nil
		})
		return got, err
	}
	got, err := after("c", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"c1", "c1\x00", "c11", "c2"}, got, "the key itself is not among them")
	got, err = after("c1", 2)
	require.ErrorIs(t, err, enough)
	require.Equal(t, []string{"c1\x00", "c11"}, got)
	got, err = after("c10", 0)
	require.NoError(t, err, "a key that is not there, or no longer")
	require.Equal(t, []string{"c11", "c2"}, got)
	got, err = after("c2", 0)
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestReaders: committed state is read while its owner works, commits and
// closes; a reader sees each batch whole or not at all.
func TestReaders(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 4<<10)
	tab, err := s.Table(0)
	require.NoError(t, err)
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				var seen [][]byte
				err := s.Scan(0, []byte("k"), func(_, val []byte, _ int64) error {
					seen = append(seen, bytes.Clone(val))
					return nil
				})
				if err != nil {
					require.ErrorIs(t, err, ErrClosed)
					return
				}
				for _, v := range seen {
					require.Equal(t, seen[0], v)
				}
				_, _, _, _ = s.Get(0, []byte("k1"), nil)
				_ = s.Metrics()
			}
		})
	}
	b := s.NewBatch()
	for i := range 100 {
		for k := range 20 {
			require.NoError(t, tab.Put(fmt.Appendf(nil, "k%d", k), fmt.Appendf(nil, "v%d", i), int64(i)))
		}
		if i%7 == 6 {
			tab.Abort()
			continue
		}
		done := make(chan error)
		b.AddTable(tab, []byte("p"))
		go func() { done <- b.Commit() }()
		require.NoError(t, <-done)
	}
	require.Equal(t, 1, s.Metrics().Tables)
	require.NoError(t, s.Close())
	readers.Wait()
}

// TestSideBySide: batches of different partitions are made side by side, and each is there
// whole, in one chain.
func TestSideBySide(t *testing.T) {
	disk := vfs.NewMem()
	s := openTest(t, disk, Observer{}, smallTuning, 64<<10)
	var wg sync.WaitGroup
	for p := range int32(4) {
		wg.Go(func() {
			b := s.NewBatch()
			for n := range 50 {
				for i := range 5 {
					_ = b.Put(p, fmt.Appendf(nil, "key %d", (n+i)%40), fmt.Appendf(nil, "%d", n), int64(1+n))
				}
				b.SetPosition(p, fmt.Appendf(nil, "%d", n))
				if err := b.Commit(); err != nil {
					t.Error(err)
				}
				if n == 30 {
					tab, err := s.Table(p)
					if err != nil {
						t.Error(err)
						return
					}
					tab.Close()
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Close())
	s = openTest(t, disk, Observer{}, smallTuning, 64<<10)
	for p := range int32(4) {
		position, ok, err := s.Position(p)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "49", string(position))
		tab, err := s.Table(p)
		require.NoError(t, err)
		require.Equal(t, 40, tab.Len())
		tab.Close()
	}
	require.NoError(t, s.Close())
}
