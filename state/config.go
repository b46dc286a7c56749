package state

import (
	"errors"
	"fmt"
)

// Config says where state lives and how much memory it may take.
type Config struct {
	Dir           string `yaml:"dir" doc:"directory of the state; it belongs to one process, and to nothing else"`
	HotBytes      int64  `yaml:"hot_bytes" doc:"memory for keys and values that are held decoded from disk, over all partitions, bytes"`
	CacheBytes    int64  `yaml:"cache_bytes" doc:"memory for blocks read from disk, bytes"`
	MemTableBytes int64  `yaml:"mem_table_bytes" doc:"committed bytes gathered in memory before they are written to disk; a crash replays at most a few times as much, bytes"`
	Durability    string `yaml:"durability" doc:"what a crash may take of the state on this disk: changelog (what was not flushed, up to a minute; read back from the changelog), wal (a log is written but not synced: its last moments) or sync (nothing; every commit waits for the disk)"`
}

// Values of Config.Durability. In each of them a crash leaves an exact prefix of
// the batches; they differ in how long it is.
const (
	// Changelog writes no log. A crash loses what was not flushed.
	Changelog = "changelog"
	// WAL writes a log and leaves to the machine when it reaches the disk. A
	// killed process loses the tail that was still in its memory, a machine that
	// loses power a few seconds.
	WAL = "wal"
	// Sync brings the log to disk before Commit returns. A crash loses nothing.
	Sync = "sync"
)

// DefaultConfig is a Config for a machine with a few GiB of memory. Dir is
// left to the operator.
func DefaultConfig() Config {
	return Config{HotBytes: 512 << 20, CacheBytes: 64 << 20, MemTableBytes: 64 << 20, Durability: Changelog}
}

// Bounds of Config. An arena addresses at most 2³² units of 8 bytes.
const (
	minHotBytes      = 1 << 20
	maxHotBytes      = 32 << 30
	minCacheBytes    = 1 << 20
	maxCacheBytes    = 1 << 40
	minMemTableBytes = 1 << 20
	maxMemTableBytes = 1 << 30
)

// Validate reports every fault at once.
func (c Config) Validate() error {
	var faults []error
	if c.Dir == "" {
		faults = append(faults, errors.New("state.dir: is empty; name a directory"))
	}
	within := func(name string, v, lo, hi int64) {
		if v < lo || v > hi {
			faults = append(faults, fmt.Errorf("state.%s: is %d, must be %d to %d bytes", name, v, lo, hi))
		}
	}
	within("hot_bytes", c.HotBytes, minHotBytes, maxHotBytes)
	within("cache_bytes", c.CacheBytes, minCacheBytes, maxCacheBytes)
	within("mem_table_bytes", c.MemTableBytes, minMemTableBytes, maxMemTableBytes)
	switch c.Durability {
	case Changelog, WAL, Sync:
	default:
		faults = append(faults, fmt.Errorf("state.durability: is %q, must be %s, %s or %s", c.Durability, Changelog, WAL, Sync))
	}
	return errors.Join(faults...)
}
