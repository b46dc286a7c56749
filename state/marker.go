package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The marker is a file, not a key: whose directory it is must be known before
// Pebble opens it, because opening upgrades a store for good.
const (
	markerName = "DANGOL"
	markerText = "dangol state 1\n" // the number is that of the key layout
	tempSuffix = ".tmp"             // of files that are being written
)

// Errors of Open, besides ErrDamaged.
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
	if slices.Contains(names, markerName) {
		return true, errors.Join(readMarker(disk, dir), checkFormat(dir, names))
	}
	var other string
	for _, name := range names {
		switch {
		case name == markerName+tempSuffix, name == "LOCK": // ours, half made
		case name == "lost+found", strings.HasPrefix(name, insidePrefix): // a volume's own; of Quarantine
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
	text, err := readShort(disk, disk.PathJoin(dir, markerName))
	if err != nil {
		return err
	}
	if text != markerText {
		return fmt.Errorf("%w: %s says %q, this version reads %q; use the version that wrote it or name another directory",
			ErrForeign, disk.PathJoin(dir, markerName), text, markerText)
	}
	return nil
}

// checkFormat refuses a store that a later version of Pebble has upgraded: that
// is no damage. Pebble keeps the number of its format in the name of a file.
func checkFormat(dir string, names []string) error {
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, "marker.format-version.")
		if !ok {
			continue
		}
		_, number, _ := strings.Cut(rest, ".")
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && n > uint64(pebble.FormatNewest) {
			return fmt.Errorf("%w: %s was written by a later version, in format %d, this one reads up to %d; use that version or name another directory",
				ErrForeign, dir, n, pebble.FormatNewest)
		}
	}
	return nil
}

// readShort reads a file of a few lines.
func readShort(disk vfs.FS, path string) (string, error) {
	f, err := disk.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	return string(text), err
}

// writeDurably makes a file in dir that is there whole, or not at all.
func writeDurably(disk vfs.FS, dir, name, text string) error {
	temp := disk.PathJoin(dir, name+tempSuffix)
	f, err := disk.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := disk.Rename(temp, disk.PathJoin(dir, name)); err != nil {
		return err
	}
	return syncDir(disk, dir)
}

func syncDir(disk vfs.FS, dir string) error {
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
	lock, err := lockDir(disk, dir)
	if err != nil {
		return nil, err
	}
	if ours {
		err = checkDamaged(disk, dir)
	} else {
		err = writeDurably(disk, dir, markerName, markerText)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockDir keeps other processes out of dir.
func lockDir(disk vfs.FS, dir string) (*pebble.Lock, error) {
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
	return lock, nil
}
