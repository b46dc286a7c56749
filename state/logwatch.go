package state

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logWatch is the file system as Pebble sees it where a write-ahead log is
// written. Pebble keeps a failure of the log to itself until it has to wait for
// it, or needs the next file, and then ends the process with words that do not
// name it; until then it takes batches that are in no file. Here the first
// failure is heard.
type logWatch struct {
	vfs.FS
	health *health
}

func (w logWatch) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.Create(name, category)
	return w.watch(name, f, err)
}

func (w logWatch) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.ReuseForWrite(oldName, newName, category)
	return w.watch(newName, f, err)
}

// watch leaves an error alone: Pebble has an event for a log that it cannot make.
func (w logWatch) watch(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	return logFile{f, w.health}, nil
}

type logFile struct {
	vfs.File
	health *health
}

func (f logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.health.logFault(err)
}

func (f logFile) Sync() error     { return f.health.logFault(f.File.Sync()) }
func (f logFile) SyncData() error { return f.health.logFault(f.File.SyncData()) }

func (f logFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.health.logFault(err)
}

// logFault remembers and tells the first failure of the log, and returns err.
func (h *health) logFault(err error) error {
	if err == nil {
		return nil
	}
	h.mu.Lock()
	first := h.log == nil
	if first {
		h.log = err
	}
	h.mu.Unlock()
	if first {
		h.Errorf("the write-ahead log cannot be written: %v", err)
	}
	return err
}

// stopWithoutLog ends the process if the log has failed.
func (h *health) stopWithoutLog() {
	h.mu.Lock()
	err := h.log
	h.mu.Unlock()
	if err != nil {
		h.Fatalf("the write-ahead log cannot be written: %v", err)
	}
}
