package state

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// TestCompactionsWaitForOpen: where Open fails once it has read the logs, it says why,
// for nothing has begun to read the tables. Where it succeeds, what waited is done.
func TestCompactionsWaitForOpen(t *testing.T) {
	for _, durability := range durabilities {
		disk := vfs.NewCrashableMem()
		s := openMode(t, disk, Sync, smallTuning)
		b := s.NewBatch()
		for i := range 5 { // the fifth table of level 0 will be one too many
			require.NoError(t, b.Put(0, []byte("key"), []byte{byte(i)}, 0))
			require.NoError(t, b.Commit())
			if i < 4 {
				require.NoError(t, s.Flush())
			}
		}
		require.Zero(t, s.Metrics().Compactions)
		crashed := disk.CrashClone(vfs.CrashCloneCfg{})
		require.NoError(t, s.Close())

		for logs := range 2 { // that can be made, of the two that it takes
			c := trial{dir: filepath.Join(t.TempDir(), "s"), durability: durability, ops: "log", after: logs, failures: 1 << 30}
			_, err := vfs.Clone(crashed, vfs.Default, filepath.Join("/", testDir), c.dir)
			require.NoError(t, err)
			_, said := c.run(t)
			require.Regexp(t, "not opened: .*no space left on device", said)
		}

		s = openMode(t, crashed, durability, smallTuning)
		require.Eventually(t, func() bool { return s.Metrics().Compactions > 0 }, 10*time.Second, time.Millisecond)
		require.NoError(t, s.Close())
	}
}
