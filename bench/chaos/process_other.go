//go:build !linux

package main

import "syscall"

// bound does nothing where a child cannot be made to die with its parent.
func bound() *syscall.SysProcAttr { return nil }
