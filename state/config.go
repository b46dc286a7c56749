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
}

// DefaultConfig is a Config for a machine with a few GiB of memory. Dir is
// left to the operator.
func DefaultConfig() Config {
	return Config{HotBytes: 512 << 20, CacheBytes: 64 << 20, MemTableBytes: 64 << 20}
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
	return errors.Join(faults...)
}
