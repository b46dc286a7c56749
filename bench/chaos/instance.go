package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/dangol-dev/dangol/bench/chaos/proxy"
)

// instance is one dangol: its configuration, state, way to the brokers, and a
// process or none. Somebody who acts on it holds busy; who watches over it and
// starts it again, as an operator's system would, does so on its own.
type instance struct {
	name               string
	o                  *options
	dir, config, state string
	net                *proxy.Net
	busy               sync.Mutex
	note, trace        func(format string, args ...any)

	mu     sync.Mutex
	proc   *process
	wanted bool // to run: else somebody ended it on purpose
	quick  int  // ends in a row soon after the start

	surprises []string // ends that nobody asked for: the last words
	movedAway int      // states that it would not start with
	closed    chan struct{}
	watching  sync.WaitGroup
}

const (
	startAgain  = time.Second      // after an end that nobody asked for
	soon        = 10 * time.Second // after a start; who ends so soon again and again will not start
	quickEnds   = 3                // of which the state is to blame
	resumeAfter = 300 * time.Millisecond
)

func (w *world) newInstance(name string) (*instance, error) {
	n := &instance{
		name: name, o: w.o, dir: filepath.Join(w.dir, name), note: w.note, trace: w.trace, closed: make(chan struct{}),
	}
	n.config, n.state = filepath.Join(n.dir, "dangol.yaml"), filepath.Join(n.dir, "disk", "state")
	var err error
	if n.net, err = proxy.New(w.brokers.Addrs()); err != nil {
		return nil, err
	}
	if err := w.o.configure(n.config, name, n.state, n.net.Addrs()); err != nil {
		return nil, errors.Join(err, n.net.Close())
	}
	n.watching.Go(n.watch)
	return n, nil
}

func (n *instance) log() string { return filepath.Join(n.dir, "log") }

// disk is the directory that the state is in.
func (n *instance) disk() string { return filepath.Join(n.dir, "disk") }

// start launches it; it does not wait until it works.
func (n *instance) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.wanted = true; n.proc != nil && n.proc.running() {
		return nil
	}
	args := []string{"run", "-c", n.config}
	for _, s := range n.o.sets {
		args = append(args, "--set", s)
	}
	p, err := launch(n.log(), n.o.bin, args...)
	if err != nil {
		return fmt.Errorf("instance %s: %w", n.name, err)
	}
	n.proc = p
	return nil
}

// take marks it as ended on purpose, and returns the process, if there is one.
func (n *instance) take() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = false
	return n.proc
}

func (n *instance) kill() {
	if p := n.take(); p != nil {
		p.kill()
	}
}

func (n *instance) stop() error {
	if p := n.take(); p != nil {
		return p.stop()
	}
	return nil
}

// signal sends a signal to the process, if it runs.
func (n *instance) signal(sig syscall.Signal) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proc != nil && n.proc.running() && n.proc.Signal(sig) == nil
}

// watch starts it again when it ends though nobody asked for it, and moves its
// state away when it will not start with it, as its message says.
func (n *instance) watch() {
	for {
		select {
		case <-n.closed:
			return
		case <-time.After(resumeAfter):
		}
		n.mu.Lock()
		ended := n.wanted && n.proc != nil && !n.proc.running()
		if !ended {
			if n.proc != nil && n.proc.running() && time.Since(n.proc.began) > soon {
				n.quick = 0
			}
			n.mu.Unlock()
			continue
		}
		said := lastWords(n.log())
		n.surprises = append(n.surprises, said)
		n.quick++
		quick := n.quick
		n.mu.Unlock()
		n.note("instance %s ended by itself: %s", n.name, said)
		if quick >= quickEnds {
			n.moveAway()
		}
		select {
		case <-n.closed:
			return
		case <-time.After(startAgain):
		}
		if n.stillWanted() {
			if err := n.start(); err != nil {
				n.note("%v", err)
			}
		}
	}
}

func (n *instance) stillWanted() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wanted
}

// moveAway puts the state aside.
func (n *instance) moveAway() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.quick = 0
	n.movedAway++
	to := fmt.Sprintf("%s.refused-%d", n.state, n.movedAway)
	if err := os.Rename(n.state, to); err != nil {
		n.note("instance %s: %v", n.name, err)
		return
	}
	n.note("instance %s will not start with its state; moved to %s", n.name, to)
}

// close ends the process in order, and what watches over it.
func (n *instance) close() error {
	n.signal(syscall.SIGCONT)
	err := n.stop()
	close(n.closed)
	n.watching.Wait()
	return errors.Join(err, n.net.Close())
}

// lastWords are the error that a log ends with, or its last line.
func lastWords(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	b = bytes.TrimRight(b, "\n")
	last := string(b[bytes.LastIndexByte(b, '\n')+1:])
	b = b[max(0, bytes.LastIndex(b, []byte("\n---- "))):] // of the latest process
	if i := bytes.LastIndex(b, []byte("\nerror: ")); i >= 0 {
		line, _, _ := bytes.Cut(b[i+1:], []byte("\n"))
		return string(line)
	}
	return last
}
