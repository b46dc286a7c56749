package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// process is a dangol that runs; what it says goes to a file.
type process struct {
	*os.Process
	log   string
	from  int64 // where in the log its life begins
	began time.Time
	done  chan struct{} // closed when it has ended
}

// launch starts a process. It lives until it is killed, or this one ends.
func launch(log, bin string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	at, err := file.Stat()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = file, file, bound()
	p := &process{log: log, from: at.Size(), began: time.Now(), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// To the kernel the parent is a thread: this one stays as long as its child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.Process = cmd.Process
	return p, nil
}

// end kills the process and waits until it is gone.
func (p *process) end() {
	_ = p.Signal(syscall.SIGKILL)
	<-p.done
}

// said is what it has said in this life.
func (p *process) said() string {
	b, err := os.ReadFile(p.log)
	if err != nil || int64(len(b)) < p.from {
		return ""
	}
	return string(b[p.from:])
}

// says waits until the log matches, and returns the first group.
func (p *process) says(ctx context.Context, re *regexp.Regexp) (string, error) {
	for {
		if m := re.FindStringSubmatch(p.said()); m != nil {
			return m[1], nil
		}
		if err := p.wait(ctx); err != nil {
			return "", err
		}
	}
}

// pollEvery is how often is looked at what is measured.
const pollEvery = 20 * time.Millisecond

// wait lets some time pass; a process that has ended is an error.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		said := p.said()
		return fmt.Errorf("%s ended by itself; its last words:\n%s", p.log, said[max(0, len(said)-2000):])
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollEvery):
		return nil
	}
}
