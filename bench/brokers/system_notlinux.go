//go:build !linux

package brokers

import "syscall"

// bound has nothing to offer: a parent that is killed leaves its brokers behind.
func bound() *syscall.SysProcAttr { return nil }
