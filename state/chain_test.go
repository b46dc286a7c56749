package state

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// TestChain: Pebble applies a log over a hole without a word; the chain finds it,
// in the middle and at the beginning.
func TestChain(t *testing.T) {
	cfg := testConfig()
	cfg.Durability = Sync
	disk := vfs.NewCrashableMem()
	s := openMode(t, disk, Sync, smallTuning)
	put := func(n int) {
		b := s.NewBatch()
		require.NoError(t, b.Put(0, fmt.Appendf(nil, "k%d", n), []byte("v"), 0))
		require.NoError(t, b.Commit())
	}
	put(1)
	require.NoError(t, s.Flush())
	put(2)
	before := copyDisk(disk)
	require.NoError(t, s.Flush())
	put(3)
	after := copyDisk(disk)
	require.NoError(t, s.Close())

	holes := map[string]func(disk *vfs.MemFS){
		"batch 2, whose log was deleted when it became a table that nothing lists": func(disk *vfs.MemFS) {
			for _, name := range files(t, before)["MANIFEST"] {
				overwrite(t, disk, name, contents(t, before, name))
			}
			for _, name := range files(t, before)["log"] {
				_ = disk.Remove(disk.PathJoin(testDir, name))
			}
		},
		"batches 1 and 2, because no list is found and Pebble begins anew": func(disk *vfs.MemFS) {
			names, err := disk.List(testDir)
			require.NoError(t, err)
			for _, name := range names {
				if strings.HasPrefix(name, "marker.manifest") {
					require.NoError(t, disk.Remove(disk.PathJoin(testDir, name)))
				}
			}
		},
	}
	for name, dig := range holes {
		disk := copyDisk(after)
		dig(disk)
		_, err := Open(cfg, disk, Observer{})
		require.ErrorIs(t, err, ErrDamaged, name)
		require.ErrorContains(t, err, "batches are missing", name)
		_, err = Open(cfg, disk, Observer{})
		require.ErrorIs(t, err, ErrDamaged, name)
		require.ErrorContains(t, err, "says what was met", name)
	}
	s, err := Open(cfg, after, Observer{})
	require.NoError(t, err)
	require.EqualValues(t, 3, s.chain.last)
	require.NoError(t, s.Close())
}

// TestChainBegins: a store that was written before there was a chain gets one.
func TestChainBegins(t *testing.T) {
	disk := vfs.NewMem()
	s := openMode(t, disk, Changelog, smallTuning)
	require.NoError(t, s.db.Set(appendSpace(nil, spacePosition, 0), []byte("old"), s.sync))
	require.NoError(t, s.Close())
	for n := range uint64(3) {
		s = openMode(t, disk, durabilities[n], smallTuning)
		require.Equal(t, n, s.chain.last)
		b := s.NewBatch()
		b.SetPosition(1, []byte("new"))
		require.NoError(t, b.Commit())
		require.NoError(t, s.Close())
	}
	s = openMode(t, disk, Changelog, smallTuning)
	require.NoError(t, s.db.Set([]byte{spaceChain, 7}, nil, s.sync))
	_, err := s.readChain()
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, s.Close())
}
