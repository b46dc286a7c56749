//go:build !unix

package brokers

import (
	"os"
	"syscall"
)

// Where processes cannot be paused these are refused by the system.
const (
	pauseSignal  = syscall.Signal(-1)
	resumeSignal = syscall.Signal(-1)
)

// lockFile does nothing where the system has no advisory locks.
func lockFile(*os.File) error { return nil }
