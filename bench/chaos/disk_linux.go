package main

import (
	"os"
	"syscall"
)

// smallDisk is a file system of its own that holds an instance's state.
type smallDisk struct{ dir string }

const smallDiskSize = "size=192m"

// mountSmall gives an instance's state a small disk; nil if that cannot be.
func (w *world) mountSmall(n *instance) *smallDisk {
	if err := os.MkdirAll(n.disk(), 0o755); err != nil {
		return nil
	}
	if err := syscall.Mount("tmpfs", n.disk(), "tmpfs", 0, smallDiskSize); err != nil {
		return nil
	}
	return &smallDisk{n.disk()}
}

func (d *smallDisk) unmount() error { return syscall.Unmount(d.dir, syscall.MNT_DETACH) }
