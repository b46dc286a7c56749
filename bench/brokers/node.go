package brokers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

var (
	errEnded = errors.New("ended by itself")
	errOver  = errors.New("the cluster is closed, or its life (Config.MaxLife) is over")
)

// node is one broker: an address, a folder, and a process or none.
type node struct {
	id      int
	dir     string
	addr    string // for clients
	control string // for the other nodes
	java    string
	options []string // of the Java machine

	mu     sync.Mutex
	proc   *process // nil or ended: not running
	wanted bool     // to run: it was launched, and neither killed nor stopped
	paused bool
	over   bool // its life: it is not launched again
}

// process ends itself by kill or stop; done is closed when it has ended.
type process struct {
	*os.Process
	done chan struct{}
}

func (n *node) data() string { return filepath.Join(n.dir, "data") }
func (n *node) conf() string { return filepath.Join(n.dir, "server.properties") }
func (n *node) log() string  { return filepath.Join(n.dir, "broker.log") }

// format writes the cluster's identity and first metadata into the folder.
func (n *node) format(ctx context.Context, cluster string) error {
	args := append(n.options[:len(n.options):len(n.options)], "kafka.tools.StorageTool", "format", "--config", n.conf(),
		"--cluster-id", cluster, "--feature", fmt.Sprintf("transaction.version=%d", transactionVersion))
	if out, err := exec.CommandContext(ctx, n.java, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format the folder of broker %d: %w\n%s", n.id, err, out)
	}
	return nil
}

// launch starts the process; it does not wait until it serves.
func (n *node) launch() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return fmt.Errorf("broker %d: %w", n.id, errOver)
	}
	if n.running() {
		return fmt.Errorf("broker %d runs already", n.id)
	}
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(n.java, append(n.options[:len(n.options):len(n.options)], "kafka.Kafka", n.conf())...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, bound()
	started, done := make(chan error), make(chan struct{})
	go func() {
		// To the kernel the parent is a thread: this one stays as long as its child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("broker %d: %w", n.id, err)
	}
	n.proc, n.wanted, n.paused = &process{Process: cmd.Process, done: done}, true, false
	return nil
}

// running says whether there is a process; the caller holds mu.
func (n *node) running() bool {
	if n.proc == nil {
		return false
	}
	select {
	case <-n.proc.done:
		return false
	default:
		return true
	}
}

func (n *node) alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running()
}

// due says whether the broker is expected to serve, and what is against it.
func (n *node) due() (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return false, fmt.Errorf("broker %d: %w", n.id, errOver)
	}
	if n.wanted && !n.running() {
		return false, fmt.Errorf("broker %d %w; the end of %s:\n%s", n.id, errEnded, n.log(), tail(n.log()))
	}
	return n.wanted && !n.paused, nil
}

// kill ends the process at once, paused or not.
func (n *node) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = false
	if n.running() {
		_ = n.proc.Kill() // fails only if it has ended
		<-n.proc.done
	}
}

// end kills the process and lets none be launched again.
func (n *node) end() {
	n.mu.Lock()
	n.over = true
	n.mu.Unlock()
	n.kill()
}

// stop asks the process to end and waits for it; one that does not end is
// killed, and that is an error.
func (n *node) stop() error {
	n.mu.Lock()
	n.wanted = false
	p, runs, paused := n.proc, n.running(), n.paused
	n.mu.Unlock()
	if !runs {
		return nil
	}
	if paused {
		_ = p.Signal(resumeSignal)
	}
	_ = p.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
		n.kill()
		return fmt.Errorf("broker %d did not end within %s of SIGTERM and was killed; the end of %s:\n%s", n.id, stopWithin, n.log(), tail(n.log()))
	}
}

func (n *node) pause(yes bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return fmt.Errorf("broker %d does not run", n.id)
	}
	sig := resumeSignal
	if yes {
		sig = pauseSignal
	}
	if err := n.proc.Signal(sig); err != nil {
		return fmt.Errorf("broker %d: %w", n.id, err)
	}
	n.paused = yes
	return nil
}

// tail returns the last lines of a log.
func tail(path string) string {
	const most = 4096
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "(no log)"
	}
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-most):])
}
