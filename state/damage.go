package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrDamaged is returned where the files are not what was written: by Open, by
// whatever reads, and by Commit once a read or a compaction has met damage.
// Nothing of such a directory should be believed: Quarantine moves it away, and
// the state is read back from its source.
var ErrDamaged = errors.New("state is damaged")

// damagedName is a file that says that damage was met while the store was open.
// The next start might not read the damaged block for days; it must not begin.
const damagedName = "DAMAGED"

// damage is what the store knows of damage in its own directory.
type damage struct {
	disk vfs.FS // not watched: it is written to from within Pebble's events
	dir  string
	obs  Observer

	mu    sync.Mutex
	first error // what was met first, nil if nothing
}

// met is what was met first, as an ErrDamaged.
func (d *damage) met() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first
}

// heard remembers err if it is an ErrDamaged, and returns it. Other errors, such
// as those of a caller's own, say nothing about the files.
func (d *damage) heard(err error) error {
	if errors.Is(err, ErrDamaged) {
		d.note(err)
	}
	return err
}

// judge returns an error of Pebble, as an ErrDamaged and remembered if it tells
// of damage.
func (d *damage) judge(err error) error {
	switch {
	case errors.Is(err, ErrDamaged):
	case pebble.IsCorruptionError(err), errors.Is(err, fs.ErrNotExist), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
			err = fmt.Errorf("%s: %w", info.Path, info.Details) // without what it is wrapped in, which says nothing
		}
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	default:
		return err
	}
	d.note(err)
	return err
}

// judgeOpen is judge for an error of pebble.Open, where bytes that make no sense
// come as errors of many kinds: all that is not an error of the disk is damage.
func (d *damage) judgeOpen(err error) error {
	if ioError(err) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.judge(fmt.Errorf("%w: %w", ErrDamaged, err))
}

// ioError reports whether the machine did not carry an operation out.
func ioError(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	var number syscall.Errno
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call) || errors.As(err, &number)
}

// note remembers the first damage, in memory and in the directory, and tells it.
func (d *damage) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first != nil {
		return
	}
	if !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d.first = err
	if e := writeDurably(d.disk, d.dir, damagedName, err.Error()+"\n"); e != nil && d.obs.Message != nil {
		d.obs.Message(fmt.Sprintf("state is damaged, and that cannot be noted in %s: %v", d.dir, e))
	}
	if d.obs.Corruption != nil {
		d.obs.Corruption(err)
	}
}

// checkDamaged refuses a directory in which damage was met before.
func checkDamaged(disk vfs.FS, dir string) error {
	text, err := readShort(disk, disk.PathJoin(dir, damagedName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: %s says what was met: %q", ErrDamaged, disk.PathJoin(dir, damagedName), text)
}
