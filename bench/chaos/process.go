package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child of ours; done is closed when it has ended.
type process struct {
	*os.Process
	began time.Time
	done  chan struct{}
	state *os.ProcessState // once done
}

// launch starts a program whose output goes on in a log. It dies with this
// process, as far as the system knows how.
func launch(log string, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	if _, err := fmt.Fprintf(out, "---- %s %v\n", time.Now().Format(time.TimeOnly), args); err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, bound()
	p := &process{began: time.Now(), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// To the kernel the parent is a thread: this one stays as long as its child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		p.Process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its state
			p.state = cmd.ProcessState
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends it at once, and waits.
func (p *process) kill() {
	_ = p.Kill() // fails only if it has ended
	<-p.done
}

// stopWithin is how long a process may take to end in order.
const stopWithin = 60 * time.Second

// stop asks it to end, and waits; one that does not is killed, which is an error.
func (p *process) stop() error {
	_ = p.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
		p.kill()
		return fmt.Errorf("process %d did not end within %s of SIGTERM and was killed", p.Pid, stopWithin)
	}
}
