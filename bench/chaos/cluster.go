package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// cluster is the brokers, by index. A broker keeps its address and its data over
// restarts.
type cluster interface {
	Addrs() []string
	Kill(i int)
	Stop(i int) error
	Pause(i int) error
	Resume(i int) error
	Restart(i int) error
	// Ready waits until all that should run serve; InSync until one more may die.
	Ready(ctx context.Context) error
	InSync(ctx context.Context) error
	GroupCoordinator(ctx context.Context, group string) (int, error)
	TxnCoordinator(ctx context.Context, id string) (int, error)
	Close() error
}

// embedded is "dangol broker" in a process of its own.
type embedded struct {
	bin, dir, addr string
	partitions     int
	proc           *process
}

func startEmbedded(ctx context.Context, o *options, dir string) (cluster, error) {
	e := &embedded{bin: o.bin, dir: dir, addr: "127.0.0.1:0", partitions: o.partitions}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := e.Restart(0); err != nil {
		return nil, err
	}
	said := regexp.MustCompile(`broker at (127\.0\.0\.1:\d+)`)
	for {
		text, err := os.ReadFile(e.log())
		if err != nil {
			return nil, err
		}
		if m := said.FindSubmatch(text); m != nil {
			e.addr = string(m[1])
			if err := e.Ready(ctx); err != nil {
				return nil, errors.Join(err, e.Close())
			}
			return e, nil
		}
		select {
		case <-e.proc.done:
			return nil, fmt.Errorf("the embedded broker ended: %s", text)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), e.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (e *embedded) log() string     { return filepath.Join(e.dir, "broker.log") }
func (e *embedded) Addrs() []string { return []string{e.addr} }
func (e *embedded) Kill(int)        { e.proc.kill() }
func (e *embedded) Stop(int) error  { return e.proc.stop() }
func (e *embedded) Pause(int) error { return e.proc.Signal(syscall.SIGSTOP) }

// Resume implements cluster.
func (e *embedded) Resume(int) error { return e.proc.Signal(syscall.SIGCONT) }

// Restart implements cluster.
func (e *embedded) Restart(int) (err error) {
	e.proc, err = launch(e.log(), e.bin, "broker", "--data", filepath.Join(e.dir, "data"), "--listen", e.addr,
		"--partitions", fmt.Sprint(e.partitions), "--app", appID, "--topic", inputTopic, "--retention", "0")
	return err
}

// Ready implements cluster.
func (e *embedded) Ready(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(e.addr), kgo.DialTimeout(time.Second), kgo.RetryTimeout(time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	for {
		if err = cl.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (e *embedded) InSync(context.Context) error                          { return nil }
func (e *embedded) GroupCoordinator(context.Context, string) (int, error) { return 0, nil }
func (e *embedded) TxnCoordinator(context.Context, string) (int, error)   { return 0, nil }

// Close implements cluster.
func (e *embedded) Close() error {
	_ = e.Resume(0) // fails only if it has ended
	e.proc.kill()
	return nil
}

// makeInput creates the input topic, if it is not there, and no other.
func makeInput(ctx context.Context, adm *kadm.Client, partitions int) error {
	_, err := adm.CreateTopic(ctx, int32(partitions), -1, map[string]*string{"retention.ms": kadm.StringPtr("-1")}, inputTopic)
	if err != nil && !strings.Contains(err.Error(), "TOPIC_ALREADY_EXISTS") {
		return fmt.Errorf("create the input topic: %w", err)
	}
	return nil
}
