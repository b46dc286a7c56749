package brokers

import "syscall"

// bound makes a child die with its parent, and leaves the parent alone to
// answer an interrupt of the terminal.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
