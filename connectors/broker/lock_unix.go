//go:build unix

package broker

import (
	"os"
	"syscall"
)

// lockFile takes an advisory lock on f, which ends when f is closed.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
