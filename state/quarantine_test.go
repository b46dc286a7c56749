package state

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"
)

var quarantined = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("CET", 3600))

// newDamaged is a store with a key, in which damage was met.
func newDamaged(t *testing.T, cfg Config, disk vfs.FS) {
	s, err := Open(cfg, disk, Observer{})
	require.NoError(t, err)
	b := s.NewBatch()
	require.NoError(t, b.Put(0, []byte("key"), []byte("value"), 0))
	require.NoError(t, b.Commit())
	require.ErrorIs(t, s.damage.judge(ErrDamaged), ErrDamaged)
	require.NoError(t, s.Close())
	_, err = Open(cfg, disk, Observer{})
	require.ErrorIs(t, err, ErrDamaged)
}

// opensEmpty: the directory is as new.
func opensEmpty(t *testing.T, cfg Config, disk vfs.FS) {
	for range 2 {
		s, err := Open(cfg, disk, Observer{})
		require.NoError(t, err)
		_, _, ok, err := s.Get(0, []byte("key"), nil)
		require.NoError(t, err)
		require.False(t, ok)
		require.NoError(t, s.Close())
	}
}

// holdsOld: what was set aside is whole. Without the note that it is damaged it
// opens, and has the key.
func holdsOld(t *testing.T, cfg Config, disk vfs.FS, dir string) {
	require.NoError(t, disk.Remove(disk.PathJoin(dir, damagedName)))
	cfg.Dir = dir
	s, err := Open(cfg, disk, Observer{})
	require.NoError(t, err)
	val, _, _, err := s.Get(0, []byte("key"), nil)
	require.NoError(t, err)
	require.Equal(t, "value", string(val))
	require.NoError(t, s.Close())
}

func TestQuarantine(t *testing.T) {
	cfg := testConfig()
	cfg.Dir = filepath.Join(t.TempDir(), "var", "state") + "/"
	clean := strings.TrimSuffix(cfg.Dir, "/")
	for _, want := range []string{".damaged-20260304T040607Z", ".damaged-20260304T040607Z-2"} {
		newDamaged(t, cfg, nil)
		movedTo, err := Quarantine(cfg, nil, quarantined)
		require.NoError(t, err)
		require.Equal(t, clean+want, movedTo)
		opensEmpty(t, cfg, nil)
		holdsOld(t, cfg, vfs.Default, movedTo)
	}
	s, err := Open(cfg, nil, Observer{})
	require.NoError(t, err)
	_, err = Quarantine(cfg, nil, quarantined)
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, s.Close())
}

// TestQuarantineForeign: what is not ours is not moved.
func TestQuarantineForeign(t *testing.T) {
	cfg := testConfig()
	disk := vfs.NewMem()
	_, err := Quarantine(cfg, disk, quarantined)
	require.ErrorIs(t, err, ErrForeign, "there is nothing")
	require.NoError(t, disk.MkdirAll(testDir, 0o755))
	overwrite(t, disk, "letter.txt", []byte("dear"))
	before := disk.String()
	_, err = Quarantine(cfg, disk, quarantined)
	require.ErrorIs(t, err, ErrForeign)
	require.Equal(t, before, disk.String())
}

// TestQuarantineInside: what cannot be renamed is emptied, into a directory
// inside it; a move that was interrupted is ended by the next.
func TestQuarantineInside(t *testing.T) {
	var moves int
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpRename {
			return nil
		}
		if op.Path == testDir {
			return syscall.EBUSY
		}
		if moves--; moves == 0 {
			return syscall.EIO
		}
		return nil
	}))
	cfg := testConfig()
	for n := 1; ; n++ {
		newDamaged(t, cfg, disk)
		moves = n
		movedTo, err := Quarantine(cfg, disk, quarantined)
		interrupted := moves <= 0
		moves = 0
		if !interrupted {
			require.NoError(t, err)
			require.Regexp(t, `^state/damaged-20260304T040607Z(-\d+)?$`, movedTo)
			opensEmpty(t, cfg, disk)
			holdsOld(t, cfg, disk, movedTo)
			require.Greater(t, n, 4)
			return
		}
		require.ErrorIs(t, err, syscall.EIO)
		if s, err := Open(cfg, disk, Observer{}); err == nil {
			require.NoError(t, s.Close()) // all was moved but the marker
		} else {
			require.ErrorIs(t, err, ErrDamaged)
			_, err = Quarantine(cfg, disk, quarantined)
			require.NoError(t, err)
		}
		opensEmpty(t, cfg, disk)
		_, err = Quarantine(cfg, disk, quarantined)
		require.NoError(t, err)
	}
}

// TestQuarantineLink: a symbolic link stays, so that the state stays on its disk.
func TestQuarantineLink(t *testing.T) {
	volume := t.TempDir()
	cfg := testConfig()
	cfg.Dir = filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(volume, cfg.Dir))
	newDamaged(t, cfg, nil)
	movedTo, err := Quarantine(cfg, nil, quarantined)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(cfg.Dir, "damaged-20260304T040607Z"), movedTo)
	opensEmpty(t, cfg, nil)
	holdsOld(t, cfg, vfs.Default, filepath.Join(volume, "damaged-20260304T040607Z"))
}

// TestDamageMarker: it is written once, whole; where it cannot be written the
// observer hears so, and commits are refused all the same.
func TestDamageMarker(t *testing.T) {
	var told []error
	var said []string
	var full atomic.Bool
	mem := vfs.NewMem()
	disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpCreate {
			return syscall.ENOSPC
		}
		return nil
	}))
	obs := Observer{Corruption: func(err error) { told = append(told, err) }, Message: func(text string) { said = append(said, text) }}
	s, err := Open(testConfig(), disk, obs)
	require.NoError(t, err)
	b := s.NewBatch()
	require.NoError(t, b.Put(0, []byte("b"), []byte("v"), 0))
	require.NoError(t, b.Commit())
	require.ErrorIs(t, s.Scan(0, nil, func(_, _ []byte, _ int64) error { return io.EOF }), io.EOF)
	require.NoError(t, s.damage.met(), "an error of the reader's own")
	full.Store(true)
	require.ErrorIs(t, s.damage.judge(ErrDamaged), ErrDamaged)
	full.Store(false)
	require.ErrorIs(t, s.damage.judge(ErrDamaged), ErrDamaged)
	require.NoError(t, s.damage.judge(nil))
	require.Equal(t, []error{ErrDamaged}, told)
	require.Len(t, said, 1)
	require.Contains(t, said[0], "cannot be noted in state")
	b.SetPosition(0, []byte("p"))
	require.ErrorContains(t, b.Commit(), "restart")
	require.ErrorIs(t, s.Drop(0), ErrDamaged)
	require.NoError(t, s.Close())
}

// TestLaterFormat: a store of a later version is not damaged.
func TestLaterFormat(t *testing.T) {
	disk := vfs.NewMem()
	s := openMode(t, disk, Changelog, smallTuning)
	require.NoError(t, s.Close())
	overwrite(t, disk, "marker.format-version.000099.999", nil)
	_, err := Open(testConfig(), disk, Observer{})
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "by a later version, in format 999")
}
