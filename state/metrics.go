package state

// Metrics is a copy of the store's gauges and counters.
type Metrics struct {
	DiskBytes        int64  // on disk, files not yet deleted among it
	CompactionDebt   int64  // bytes to be rewritten until the store is in order
	L0Files          int64  // flushed and not yet merged
	L0Sublevels      int64  // files that a read may have to look into there
	MemTableBytes    int64  // committed, in memory
	Flushes          int64  // since the store was opened
	Compactions      int64  // since the store was opened
	WriteStalls      uint64 // commits that waited for the disk
	BackgroundErrors uint64 // failed writes, retries counted
	CacheBytes       int64  // blocks held
	CacheHits        int64
	CacheMisses      int64

	Tables       int   // open
	HotBytes     int64 // of the hot sets, their index and free space among it
	HotEntries   int64
	HotHits      int64 // Get found the key in memory, since the store was opened
	HotMisses    int64 // and had to ask the disk
	HotEvictions int64
	Timers       int64 // held in memory, stale ones among them
}

// Metrics reads the gauges and counters. Those of the tables are as of their
// latest commit or abort. A closed store has none.
func (s *Store) Metrics() Metrics {
	if s.enter() != nil {
		return Metrics{}
	}
	defer s.leave()
	p := s.db.Metrics()
	m := Metrics{
		DiskBytes:        int64(p.DiskSpaceUsage()),
		CompactionDebt:   int64(p.Compact.EstimatedDebt),
		L0Files:          p.Levels[0].TablesCount,
		L0Sublevels:      int64(p.Levels[0].Sublevels),
		MemTableBytes:    int64(p.MemTable.Size),
		Flushes:          p.Flush.Count,
		Compactions:      p.Compact.Count,
		WriteStalls:      s.health.stalls.Load(),
		BackgroundErrors: s.health.errors.Load(),
		CacheBytes:       p.BlockCache.Size,
		CacheHits:        p.BlockCache.Hits,
		CacheMisses:      p.BlockCache.Misses,
		HotBytes:         s.budget.used.Load(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Tables, m.HotHits, m.HotMisses, m.HotEvictions = len(s.tables), s.gone.HotHits, s.gone.HotMisses, s.gone.HotEvictions
	for _, t := range s.tables {
		m.HotEntries += t.stats.entries.Load()
		m.Timers += t.stats.timers.Load()
		m.count(t)
	}
	return m
}

// count adds what a table has counted.
func (m *Metrics) count(t *Table) {
	m.HotHits += t.stats.hits.Load()
	m.HotMisses += t.stats.misses.Load()
	m.HotEvictions += t.stats.evictions.Load()
}

// DiskUsage is what the store takes on disk, in bytes.
func (s *Store) DiskUsage() int64 { return s.Metrics().DiskBytes }
