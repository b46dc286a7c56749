//go:build !linux

package main

import "syscall"

// bound has nothing to offer: who kills this process must end its children, too.
func bound() *syscall.SysProcAttr { return nil }
