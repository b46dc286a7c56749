package state

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// diskSlow is how long one file operation may take before the observer hears.
const diskSlow = 5 * time.Second

// Open opens the store in cfg.Dir and makes it if there is none. disk is the
// file system, nil for the machine's. It returns ErrForeign for a directory that
// holds something else, ErrInUse for one that another process has open and
// ErrDamaged for one whose files are not what was written.
func Open(cfg Config, disk vfs.FS, obs Observer) (*Store, error) {
	return open(cfg, disk, obs, defaultTuning)
}

func open(cfg Config, disk vfs.FS, obs Observer, tune tuning) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if disk == nil {
		disk = vfs.Default
	}
	lock, err := claim(disk, cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s := &Store{lock: lock, health: newHealth(obs), tuning: tune, tables: make(map[int32]*Table)}
	s.damage = &damage{disk: disk, dir: cfg.Dir, obs: obs}
	s.health.damage = s.damage
	s.budget.limit = cfg.HotBytes
	s.sync = &pebble.WriteOptions{Sync: cfg.Durability == Sync}
	watched, watch := vfs.WithDiskHealthChecks(disk, diskSlow, nil, s.health.listener().DiskSlow)
	s.disk = watch
	if cfg.Durability != Changelog {
		watched = logWatch{watched, s.health}
	}
	if err := s.start(cfg, watched); err != nil {
		return nil, errors.Join(fmt.Errorf("open state in %s: %w", cfg.Dir, err), lock.Close(), watch.Close())
	}
	return s, nil
}

// start opens Pebble and checks what it found.
//
// It does so twice. Open reads the logs, makes tables of them, and goes on to study
// and compact tables in the background; where it fails after that, on a full disk for
// one, it closes its caches beneath that work, and the process ends with a panic that
// does not say why. So the logs are read by an Open that begins no such work.
func (s *Store) start(cfg Config, disk vfs.FS) (err error) {
	cache := pebble.NewCache(cfg.CacheBytes)
	defer cache.Unref()
	o := s.options(cfg, disk, cache)
	o.DisableTableStats, o.Experimental.CompactionScheduler = true, newCompactions()
	if s.db, err = pebble.Open(cfg.Dir, o); err == nil {
		err = s.db.Close()
	}
	compactions := newCompactions()
	o.DisableTableStats, o.Experimental.CompactionScheduler = false, compactions
	if err == nil {
		s.db, err = pebble.Open(cfg.Dir, o)
	}
	if err != nil {
		return s.damage.judgeOpen(err)
	}
	compactions.begin()
	if s.chain, err = s.readChain(); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

func (s *Store) options(cfg Config, disk vfs.FS, cache *pebble.Cache) *pebble.Options {
	o := &pebble.Options{
		FS:    disk,
		Lock:  s.lock,
		Cache: cache,
		// The default is the oldest format, which met flipped bits in silence.
		FormatMajorVersion: pebble.FormatNewest,
		DisableWAL:         cfg.Durability == Changelog,
		MemTableSize:       uint64(cfg.MemTableBytes),
		// The one being filled, one being written, and room for a slow disk.
		MemTableStopWritesThreshold: 4,
		// Reads mostly find the hot set: let more pile up before it is rewritten.
		L0CompactionThreshold:      10,
		L0StopWritesThreshold:      40,
		LBaseMaxBytes:              512 << 20,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		EventListener:              s.health.listener(),
		Logger:                     s.health,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}
