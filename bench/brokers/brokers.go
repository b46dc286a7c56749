// Package brokers starts a real Apache Kafka for tests and for measurements:
// one node, or three that replicate to each other, on the loopback interface.
// Brokers can be killed, stopped, paused and restarted while clients use them.
//
// It needs a Java runtime and, the first time, Maven with a network. A broker
// dies with the process that started it (on Linux; elsewhere only if that
// process calls Close), and after Config.MaxLife at the latest.
package brokers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// Config says how many brokers there are and how long they may live.
type Config struct {
	// Nodes is 1, or 3: replication factor 3, min.insync.replicas 2.
	Nodes int
	// Dir holds the brokers' data and logs; it must be empty or absent, and is
	// left as it is by Close. Empty: a temporary folder that Close deletes.
	Dir string
	// MaxLife ends all brokers when it is over. 0: 30 minutes.
	MaxLife time.Duration
	// Heap is the largest heap of one broker, as Java writes it. Empty: 512m.
	Heap string
	// LogLevel of the brokers' logs: error, warn, info or debug. Empty: warn.
	LogLevel string
	// Settings are added to the brokers' properties, or replace them.
	Settings map[string]string
}

const (
	transactionVersion = 2
	startWithin        = 2 * time.Minute // a busy machine needs some of it
	stopWithin         = 60 * time.Second
)

// Cluster is a running Kafka. Its methods may be called from any goroutine;
// brokers are named by their index, which is also their node id: 0, 1, 2.
type Cluster struct {
	cfg   Config
	dir   string
	nodes []*node
	cl    *kgo.Client
	adm   *kadm.Client
	life  *time.Timer
}

// Start starts the brokers and waits until they serve: all are registered, and
// the coordinators of groups and transactions answer. The errors say what to
// install if something is missing, and hold the end of a broker's log if it
// did not start. The context bounds the start alone.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	if cfg.Nodes != 1 && cfg.Nodes != 3 {
		return nil, fmt.Errorf("brokers: %d nodes: 1 or 3 can be started", cfg.Nodes)
	}
	if cfg.MaxLife == 0 {
		cfg.MaxLife = 30 * time.Minute
	}
	if cfg.Heap == "" {
		cfg.Heap = "512m"
	}
	if cfg.LogLevel == "" {
		cfg.LogLevel = "warn"
	}
	c := &Cluster{cfg: cfg}
	if err := c.start(ctx); err != nil {
		return nil, fmt.Errorf("brokers: %w", errors.Join(err, c.Close()))
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	java, err := java(ctx)
	if err != nil {
		return err
	}
	lib, err := jars(ctx) // takes as long as the network lets it
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := c.claim(); err != nil {
		return err
	}
	addrs, err := ports(2 * c.cfg.Nodes)
	if err != nil {
		return err
	}
	for i := range c.cfg.Nodes {
		c.nodes = append(c.nodes, &node{
			id: i, dir: filepath.Join(c.dir, fmt.Sprintf("broker-%d", i)), addr: addrs[2*i], control: addrs[2*i+1],
			java: java, options: c.options(lib),
		})
	}
	if err := c.format(ctx); err != nil {
		return err
	}
	if c.cl, err = c.client(); err != nil {
		return err
	}
	c.adm = kadm.NewClient(c.cl)
	c.life = time.AfterFunc(c.cfg.MaxLife, c.end)
	for i := range c.nodes {
		if err := c.Restart(i); err != nil {
			return err
		}
	}
	if err := c.Ready(ctx); err != nil {
		return err
	}
	return c.checkFeature(ctx)
}

// client is impatient, for brokers may be dead.
func (c *Cluster) client() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.DialTimeout(2*time.Second), kgo.RequestTimeoutOverhead(3*time.Second),
		kgo.RetryTimeout(5*time.Second), kgo.MetadataMinAge(100*time.Millisecond))
}

// claim makes the folder, or sees that it is empty.
func (c *Cluster) claim() (err error) {
	if c.cfg.Dir == "" {
		c.dir, err = os.MkdirTemp("", "dangol-kafka-")
		return err
	}
	if err := os.MkdirAll(c.cfg.Dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(c.cfg.Dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty: name an empty folder for the brokers' data", c.cfg.Dir)
	}
	if err != nil {
		return err
	}
	c.dir, err = filepath.Abs(c.cfg.Dir)
	return err
}

// options are Java's: they start fast, and take little of the machine.
func (c *Cluster) options(lib string) []string {
	const log = "-Dorg.slf4j.simpleLogger."
	return []string{
		"-Xmx" + c.cfg.Heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError",
		log + "defaultLogLevel=" + c.cfg.LogLevel, log + "showDateTime=true", log + "dateTimeFormat=HH:mm:ss.SSS",
		log + "log.org.apache.kafka.common.config.AbstractConfig=warn", // it prints every property
		"-cp", filepath.Join(lib, "*"),
	}
}

// format prepares the folders of all nodes.
func (c *Cluster) format(ctx context.Context) error {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // else it may begin with a dash, and be taken for an option
	cluster := base64.RawURLEncoding.EncodeToString(id[:])
	var all errgroup.Group
	for i, n := range c.nodes {
		if err := os.MkdirAll(n.dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(n.conf(), []byte(c.settings(i)), 0o644); err != nil {
			return err
		}
		all.Go(func() error { return n.format(ctx, cluster) })
	}
	return all.Wait()
}

// Addrs are the addresses of all brokers, dead ones included.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, n := range c.nodes {
		addrs = append(addrs, n.addr)
	}
	return addrs
}

// Addr is the address of broker i; it stays over restarts.
func (c *Cluster) Addr(i int) string { return c.nodes[i].addr }

// Log is the path of broker i's log, which goes on over restarts.
func (c *Cluster) Log(i int) string { return c.nodes[i].log() }

// Kill ends broker i at once (SIGKILL), also a paused one.
func (c *Cluster) Kill(i int) { c.nodes[i].kill() }

// Stop ends broker i in order (SIGTERM) and waits: it gives its leaderships
// away first. One that needs longer than a minute is killed, which is an error.
func (c *Cluster) Stop(i int) error { return c.nodes[i].stop() }

// Pause stops broker i where it is (SIGSTOP); its connections stay open.
func (c *Cluster) Pause(i int) error { return c.nodes[i].pause(true) }

// Resume lets a paused broker go on (SIGCONT).
func (c *Cluster) Resume(i int) error { return c.nodes[i].pause(false) }

// Restart starts broker i again after Kill or Stop, with its data and its
// ports. It does not wait until the broker serves: Ready does.
func (c *Cluster) Restart(i int) error { return c.nodes[i].launch() }

// Alive says whether broker i has a process; a paused one has.
func (c *Cluster) Alive(i int) bool { return c.nodes[i].alive() }

// Admin is a client of the cluster, closed by Close. What it asks a coordinator
// (offsets of groups, descriptions of groups and transactions) it asks a dead
// one again and again, as kadm 1.19 does: look that up with a client of your
// own, made anew, or with Committed.
func (c *Cluster) Admin() *kadm.Client { return c.adm }

func (c *Cluster) end() {
	for _, n := range c.nodes {
		n.end()
	}
}

// Close ends all brokers and deletes a temporary folder.
func (c *Cluster) Close() error {
	if c.life != nil {
		c.life.Stop()
	}
	c.end()
	if c.adm != nil {
		c.adm.Close()
	}
	if c.cfg.Dir == "" && c.dir != "" {
		return os.RemoveAll(c.dir)
	}
	return nil
}
