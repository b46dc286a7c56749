package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The marker is a file, not a key: whose directory it is must be known before
// Pebble opens it, because opening upgrades a store for good.
const (
	markerName = "DANGOL"
	markerText = "dangol state 1\n" // the number is that of the key layout
	markerTemp = markerName + ".tmp"
)

// Errors of Open.
var (
	// ErrForeign is returned for a directory that holds something else.
	ErrForeign = errors.New("directory is not a dangol state directory")
	// ErrInUse is returned for a directory that another process has open.
	ErrInUse = errors.New("directory is in use")
)

// checkMarker reports whether dir carries our marker. A directory with other
// files and no marker, or with the marker of a later version, is refused. It
// changes nothing.
func checkMarker(disk vfs.FS, dir string) (bool, error) {
	names, err := disk.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var other string
	for _, name := range names {
		switch name {
		case markerName:
			return true, readMarker(disk, dir)
		case markerTemp, "LOCK", "lost+found": // ours, half made; a volume's own
		default:
			other = name
		}
	}
	if other != "" {
		return false, fmt.Errorf("%w: %s holds %q and no file %s; name an empty directory", ErrForeign, dir, other, markerName)
	}
	return false, nil
}

func readMarker(disk vfs.FS, dir string) error {
	f, err := disk.Open(disk.PathJoin(dir, markerName))
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return err
	}
	if string(text) != markerText {
		return fmt.Errorf("%w: %s says %q, this version reads %q; use the version that wrote it or name another directory",
			ErrForeign, disk.PathJoin(dir, markerName), text, markerText)
	}
	return nil
}

// writeMarker makes dir ours, durably.
func writeMarker(disk vfs.FS, dir string) error {
	temp := disk.PathJoin(dir, markerTemp)
	f, err := disk.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(markerText))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := disk.Rename(temp, disk.PathJoin(dir, markerName)); err != nil {
		return err
	}
	d, err := disk.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// claim locks dir for this process and makes sure that it is ours.
func claim(disk vfs.FS, dir string) (*pebble.Lock, error) {
	ours, err := checkMarker(disk, dir)
	if err != nil {
		return nil, err
	}
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, disk)
	if err != nil {
		// A lock that is held comes as a bare errno or text; a path that cannot
		// be written names itself.
		var path *fs.PathError
		if errors.As(err, &path) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: another process holds %s; stop it, or give this one a directory of its own (%v)", ErrInUse, dir, err)
	}
	if !ours {
		if err := writeMarker(disk, dir); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return lock, nil
}
