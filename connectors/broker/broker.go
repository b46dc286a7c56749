// Package broker is the embedded Kafka: one process, one node, loopback only.
// It carries the demo, the tests and small installations on one machine. It
// speaks the protocol (transactions, groups, compaction) through kfake; it is
// not replicated, so what the disk loses is lost.
package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// DefaultListen is Kafka's usual port on the loopback interface.
const DefaultListen = "127.0.0.1:9092"

// Config says where a broker listens and where it keeps its records.
type Config struct {
	// Dir holds the records; it is made if it does not exist. Empty: all is
	// kept in memory and gone with the process.
	Dir string
	// Listen is a loopback address with a port; port 0 takes a free one.
	// Empty: DefaultListen.
	Listen string
	// Partitions of topics that are created without a number. 0: DefaultPartitions.
	Partitions int32
	// SyncWrites makes every acknowledged batch durable (fsync) at a large
	// cost in throughput. Without it an acknowledged batch survives the death
	// of the process, kill -9 included, since it is in the kernel's cache by
	// then; it does not survive the death of the machine. That is Kafka's own
	// default, which relies on replicas that are not there here.
	SyncWrites bool
	// Log receives the broker's errors and warnings; nil: nowhere.
	Log func(message string)
}

// DefaultPartitions of a topic that is created without a number.
const DefaultPartitions = 12

// Broker is a running embedded broker. Close ends it.
type Broker struct {
	cluster *kfake.Cluster
	unlock  func() error
	addrs   []string
	once    sync.Once
	err     error
}

// Start opens the directory and listens. The errors name what to do next: a
// port in use, an address that is not loopback, a directory that another
// broker holds.
func Start(c Config) (*Broker, error) {
	addr, err := loopback(c.Listen)
	if err != nil {
		return nil, err
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	unlock := func() error { return nil }
	if c.Dir != "" {
		if unlock, err = lockDir(c.Dir); err != nil {
			return nil, err
		}
	}
	cluster, err := kfake.NewCluster(c.options(addr)...)
	if err != nil {
		return nil, errors.Join(startError(err, addr, c.Dir), unlock())
	}
	return &Broker{cluster: cluster, unlock: unlock, addrs: cluster.ListenAddrs()}, nil
}

func (c *Config) options(addr string) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("dangol"),
		kfake.DefaultNumPartitions(int(c.Partitions)),
		kfake.AllowAutoTopicCreation(),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, addr) }),
		// A consumer that was killed leaves its group for this long; short
		// sessions let its successor in at once.
		kfake.BrokerConfigs(map[string]string{"group.min.session.timeout.ms": "1000"}),
	}
	if c.Dir != "" {
		opts = append(opts, kfake.DataDir(c.Dir))
	}
	if c.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	if c.Log != nil {
		opts = append(opts, kfake.WithLogger(logger{c.Log}))
	}
	return opts
}

// Addrs returns the seed addresses for clients.
func (b *Broker) Addrs() []string { return b.addrs }

// Close writes what is open to disk and stops listening. Further calls return
// the first one's answer.
func (b *Broker) Close() error {
	b.once.Do(func() {
		b.cluster.Close()
		b.err = b.unlock()
	})
	return b.err
}

// Run serves until ctx ends, then closes.
func (b *Broker) Run(ctx context.Context) error {
	<-ctx.Done()
	return b.Close()
}

// loopback checks addr and resolves "localhost".
func loopback(addr string) (string, error) {
	if addr == "" {
		addr = DefaultListen
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("broker: listen address %q: want host:port, such as %s", addr, DefaultListen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("broker: listen address %q: port %q is outside 0 to 65535", addr, port)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("broker: listen address %q is not loopback: the embedded broker has no authentication "+
			"and serves this machine only; listen on 127.0.0.1, or run a real Kafka", addr)
	}
	return net.JoinHostPort(host, port), nil
}

func startError(err error, addr, dir string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("broker: %s is in use by another process: stop it or choose another port with --listen: %w", addr, err)
	}
	if dir != "" {
		return fmt.Errorf("broker: data directory %s: %w", dir, err)
	}
	return fmt.Errorf("broker: %w", err)
}

// lockDir makes dir and takes it for this process: two brokers on one
// directory would destroy it. The kernel frees the lock when the process dies.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("broker: data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("broker: data directory: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: data directory %s is in use by another broker: stop it or choose another with --data: %w", dir, err), f.Close())
	}
	return f.Close, nil
}

// logger passes kfake's errors and warnings on.
type logger struct{ log func(string) }

// Logf implements kfake.Logger.
func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if level <= kfake.LogLevelWarn {
		l.log(fmt.Sprintf(format, args...))
	}
}
