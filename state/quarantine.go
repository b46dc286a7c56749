package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// insidePrefix begins the name of a directory that Quarantine makes inside one
// that it cannot rename.
const insidePrefix = "damaged-"

// Quarantine moves a damaged state away, so that Open begins with an empty one,
// and returns where it is now: cfg.Dir with ".damaged-" and the time behind, or,
// where cfg.Dir cannot be renamed, as a volume or a symbolic link cannot, a new
// directory inside it. Nothing is overwritten and nothing deleted: that is the
// operator's to do. It returns ErrInUse if a process has the state open and
// ErrForeign for a directory that holds something else.
func Quarantine(cfg Config, disk vfs.FS, now time.Time) (movedTo string, err error) {
	if disk == nil {
		disk = vfs.Default
	}
	dir := filepath.Clean(cfg.Dir)
	defer func() {
		if err != nil {
			err = fmt.Errorf("set the state in %s aside: %w", dir, err)
		}
	}()
	ours, err := checkMarker(disk, dir)
	if err == nil && !ours {
		err = fmt.Errorf("%w: it has no file %s", ErrForeign, markerName)
	}
	if err != nil {
		return "", err
	}
	lock, err := lockDir(disk, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	stamp := now.UTC().Format("20060102T150405Z")
	if linked(disk, dir) {
		return moveInside(disk, dir, stamp)
	}
	movedTo, err = unused(disk, dir+"."+insidePrefix+stamp)
	if err != nil {
		return "", err
	}
	if err := disk.Rename(dir, movedTo); err != nil {
		return moveInside(disk, dir, stamp)
	}
	return movedTo, syncDir(disk, disk.PathDir(dir))
}

// moveInside moves the files of dir into a new directory inside it. What says
// that the directory is ours and damaged goes last, so that the next start meets
// a move that was interrupted, and ends it.
func moveInside(disk vfs.FS, dir, stamp string) (string, error) {
	names, err := disk.List(dir)
	if err != nil {
		return "", err
	}
	to, err := unused(disk, disk.PathJoin(dir, insidePrefix+stamp))
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, damagedName) {
		err = writeDurably(disk, dir, damagedName, "moved to "+to+"\n")
	}
	if err := errors.Join(err, disk.MkdirAll(to, 0o755)); err != nil {
		return "", err
	}
	move := func(name string) error {
		return disk.Rename(disk.PathJoin(dir, name), disk.PathJoin(to, name))
	}
	for _, name := range names {
		switch {
		case name == markerName, name == damagedName, name == "LOCK", name == "lost+found", strings.HasPrefix(name, insidePrefix):
		default:
			if err := move(name); err != nil {
				return "", err
			}
		}
	}
	for _, name := range []string{damagedName, markerName} {
		if err := errors.Join(syncDir(disk, to), syncDir(disk, dir), move(name)); err != nil {
			return "", err
		}
	}
	return to, errors.Join(syncDir(disk, to), syncDir(disk, dir))
}

// unused is path, or path with a number behind if there is something already.
func unused(disk vfs.FS, path string) (string, error) {
	free := path
	for n := 2; ; n++ {
		_, err := disk.Stat(free)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return free, nil
		case err != nil:
			return "", err
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// linked reports whether dir is a symbolic link: renamed, it would leave the
// state where it is.
func linked(disk vfs.FS, dir string) bool {
	if disk != vfs.Default {
		return false
	}
	info, err := os.Lstat(dir)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}
