package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const testDir = "state"

var smallTuning = tuning{chunkShift: 5, timerBatch: 4}

func testConfig() Config {
	c := DefaultConfig()
	c.Dir, c.HotBytes, c.CacheBytes, c.MemTableBytes = testDir, minHotBytes, minCacheBytes, minMemTableBytes
	return c
}

// openTest opens a store whose hot sets share hot bytes.
func openTest(t require.TestingT, disk vfs.FS, obs Observer, tune tuning, hot int64) *Store {
	s, err := open(testConfig(), disk, obs, tune)
	require.NoError(t, err)
	s.budget.limit = hot
	return s
}

// plain is one partition, the plain way: what is committed, what is put over
// it, and the commit record.
type plain struct {
	committed, present map[string]plainEntry
	changed            map[string]bool
	position           []byte
}

type plainEntry struct {
	val string
	due int64
}

func newPlain() *plain {
	return &plain{committed: map[string]plainEntry{}, present: map[string]plainEntry{}, changed: map[string]bool{}}
}

func (p *plain) put(key string, val []byte, due int64) {
	p.changed[key] = true
	delete(p.present, key)
	if val != nil { // a deleted key has no timer
		p.present[key] = plainEntry{string(val), due}
	}
}

func (p *plain) commit(position []byte) {
	p.committed, p.changed = maps.Clone(p.present), map[string]bool{}
	if position != nil {
		p.position = position
	}
}

func (p *plain) abort() { p.present, p.changed = maps.Clone(p.committed), map[string]bool{} }

// nextDue is the least (due, key) of all.
func (p *plain) nextDue() (key string, due int64, ok bool) {
	for k, e := range p.present {
		if e.due != 0 && (!ok || e.due < due || e.due == due && k < key) {
			key, due, ok = k, e.due, true
		}
	}
	return key, due, ok
}

// machine drives a store and the plain way side by side.
type machine struct {
	t      *rapid.T
	disk   vfs.FS
	hot    int64
	store  *Store
	tables map[int32]*Table
	plain  map[int32]*plain
	commit uint64
}

const testPartitions = 3

func (m *machine) drawTable(t *rapid.T) (*Table, *plain) {
	p := rapid.Int32Range(0, testPartitions-1).Draw(t, "partition")
	if m.tables[p] == nil {
		tab, err := m.store.Table(p)
		require.NoError(t, err)
		m.tables[p] = tab
	}
	return m.tables[p], m.plain[p]
}

func drawKey(t *rapid.T) string {
	n := rapid.IntRange(0, 40).Draw(t, "key")
	if n == 40 {
		return string(bytes.Repeat([]byte{0xff}, rapid.IntRange(1, 20).Draw(t, "long")))
	}
	return fmt.Sprintf("%c%0*d", "ci"[n%2], n%5+1, n)
}

func drawVal(t *rapid.T) []byte {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return bytes.Repeat([]byte{'L'}, rapid.IntRange(200, 700).Draw(t, "long"))
	}
	return bytes.Repeat([]byte{byte('a' + rapid.IntRange(0, 25).Draw(t, "byte"))}, rapid.IntRange(1, 120).Draw(t, "length"))
}

func drawDue(t *rapid.T) int64 {
	return rapid.OneOf(rapid.Just[int64](0), rapid.Int64Range(1, 30), rapid.Int64Range(-3, 1000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, "due")
}

func (m *machine) put(t *rapid.T) {
	tab, p := m.drawTable(t)
	for range rapid.IntRange(1, 6).Draw(t, "puts") {
		key, val, due := drawKey(t), drawVal(t), drawDue(t)
		require.NoError(t, tab.Put([]byte(key), val, due))
		p.put(key, val, due)
	}
}

// alter puts what Get returned, or a part of it.
func (m *machine) alter(t *rapid.T) {
	tab, p := m.drawTable(t)
	key, due := drawKey(t), drawDue(t)
	val, ok, err := tab.Get([]byte(key))
	require.NoError(t, err)
	if ok {
		from := rapid.IntRange(0, len(val)).Draw(t, "from")
		copied := bytes.Clone(val[from:])
		if copied == nil {
			copied = []byte{}
		}
		require.NoError(t, tab.Put([]byte(key), val[from:], due))
		p.put(key, copied, due)
	}
}

func (m *machine) get(t *rapid.T) {
	tab, p := m.drawTable(t)
	key := drawKey(t)
	val, ok, err := tab.Get([]byte(key))
	require.NoError(t, err)
	want, exists := p.present[key]
	require.Equal(t, exists, ok)
	require.Equal(t, want.val, string(val))
	require.Equal(t, exists, val != nil)
}

// fire takes some due timers as the owner does: each is put with a later due
// time, with none, or deleted.
func (m *machine) fire(t *rapid.T) {
	tab, p := m.drawTable(t)
	clock := rapid.OneOf(rapid.Int64Range(0, 40), rapid.Just[int64](math.MaxInt64)).Draw(t, "clock")
	for range rapid.IntRange(1, 12).Draw(t, "fires") {
		wantKey, wantDue, want := p.nextDue()
		want = want && wantDue <= clock
		if want {
			require.LessOrEqual(t, tab.EarliestDue(), wantDue)
		}
		key, due, ok, err := tab.NextDue(clock)
		require.NoError(t, err)
		require.Equal(t, want, ok)
		if !ok {
			require.Greater(t, tab.EarliestDue(), clock-b2i(clock == math.MaxInt64))
			return
		}
		require.Equal(t, wantKey, string(key))
		require.Equal(t, wantDue, due)
		next, val := drawDue(t), []byte("fired")
		if rapid.IntRange(0, 5).Draw(t, "delete") == 0 {
			val = nil
		}
		require.NoError(t, tab.Put(key, val, next))
		p.put(wantKey, val, next)
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (m *machine) abort(t *rapid.T) {
	tab, p := m.drawTable(t)
	tab.Abort()
	p.abort()
}

// commitSome commits a subset of the tables in one batch.
func (m *machine) commitSome(t *rapid.T) {
	b := m.store.NewBatch()
	for id, tab := range m.tables {
		if !rapid.Bool().Draw(t, "commit") {
			continue
		}
		m.commit++
		var position []byte
		if rapid.IntRange(0, 4).Draw(t, "position") > 0 {
			position = binary.BigEndian.AppendUint64(nil, m.commit)
		}
		b.AddTable(tab, position)
		m.plain[id].commit(position)
	}
	require.NoError(t, b.Commit())
}

func (m *machine) closeTable(t *rapid.T) {
	p := rapid.Int32Range(0, testPartitions-1).Draw(t, "partition")
	if m.tables[p] != nil {
		m.tables[p].Close()
		delete(m.tables, p)
		m.plain[p].abort()
	}
}

// restore puts into a partition without its table.
func (m *machine) restore(t *rapid.T) {
	m.closeTable(t)
	b := m.store.NewBatch()
	for p := range int32(testPartitions) {
		if m.tables[p] != nil {
			require.NoError(t, b.Put(p, []byte("x"), nil, 0))
			require.ErrorContains(t, b.Commit(), "its table is open")
			continue
		}
		for range rapid.IntRange(0, 10).Draw(t, "puts") {
			key, val, due := drawKey(t), drawVal(t), drawDue(t)
			require.NoError(t, b.Put(p, []byte(key), val, due))
			m.plain[p].put(key, val, due)
		}
		m.commit++
		position := binary.BigEndian.AppendUint64(nil, m.commit)
		b.SetPosition(p, position)
		require.NoError(t, b.Commit())
		m.plain[p].commit(position)
	}
}

func (m *machine) drop(t *rapid.T) {
	p := rapid.Int32Range(0, testPartitions-1).Draw(t, "partition")
	if m.tables[p] != nil {
		require.ErrorContains(t, m.store.Drop(p), "its table is open")
		return
	}
	require.NoError(t, m.store.Drop(p))
	m.plain[p] = newPlain()
}

func (m *machine) flush(t *rapid.T) { require.NoError(t, m.store.Flush()) }

func (m *machine) reopen(t *rapid.T) {
	require.NoError(t, m.store.Close())
	m.tables = map[int32]*Table{}
	for _, p := range m.plain {
		p.abort()
	}
	m.store = openTest(t, m.disk, Observer{}, smallTuning, m.hot)
}

// check compares everything that can be seen.
func (m *machine) check(t *rapid.T) {
	var partitions []int32
	for id := range int32(testPartitions) {
		p := m.plain[id]
		checkCommitted(t, m.store, id, p)
		if p.position != nil {
			partitions = append(partitions, id)
		}
		if tab := m.tables[id]; tab != nil {
			checkTable(t, tab, p)
		}
	}
	got, err := m.store.Partitions()
	require.NoError(t, err)
	require.Equal(t, partitions, got)
}

func checkTable(t require.TestingT, tab *Table, p *plain) {
	require.Equal(t, len(p.present), tab.Len())
	want := slices.Sorted(maps.Keys(p.changed))
	var got []string
	tab.Dirty(func(key, val []byte, due int64) {
		got = append(got, string(key))
		e, exists := p.present[string(key)]
		require.Equal(t, exists, val != nil)
		require.Equal(t, e, plainEntry{string(val), due})
	})
	require.Equal(t, want, got)
	if tab.hot.complete && len(want) == 0 {
		require.Equal(t, tab.Len(), tab.hot.index.count, "deleted keys leave nothing behind")
	}
	checkHotSet(t, tab.hot)
}

// checkAfter compares the keys behind every key, present or not, that begin as it
// does.
func checkAfter(t require.TestingT, s *Store, id int32, p *plain) {
	for _, after := range []string{"c", "c1", "c0012", "cz", "i", "i02", "i0003x"} {
		var want, got []string
		for key := range p.committed {
			if key > after && key[0] == after[0] {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		require.NoError(t, s.ScanAfter(id, []byte(after[:1]), []byte(after), func(key, val []byte, due int64) error {
			got = append(got, string(key))
			require.Equal(t, p.committed[string(key)], plainEntry{string(val), due})
			return nil
		}))
		require.Equal(t, want, got, "after %q", after)
	}
}

func checkCommitted(t require.TestingT, s *Store, id int32, p *plain) {
	got := map[string]plainEntry{}
	var keys []string
	require.NoError(t, s.Scan(id, nil, func(key, val []byte, due int64) error {
		got[string(key)] = plainEntry{string(val), due}
		keys = append(keys, string(key))
		return nil
	}))
	require.Equal(t, p.committed, got)
	require.True(t, slices.IsSorted(keys))
	checkAfter(t, s, id, p)
	n := 0
	require.NoError(t, s.Scan(id, []byte("i"), func(key, _ []byte, _ int64) error {
		require.Equal(t, byte('i'), key[0])
		n++
		return nil
	}))
	for k := range p.committed {
		if k[0] == 'i' {
			n--
		}
	}
	require.Zero(t, n)
	position, ok, err := s.Position(id)
	require.NoError(t, err)
	require.Equal(t, p.position != nil, ok)
	require.Equal(t, p.position, position)
	checkIndex(t, s, id, p.committed)
	val, due, ok, err := s.Get(id, []byte("c0"), []byte("old"))
	require.NoError(t, err)
	want, exists := p.committed["c0"]
	require.Equal(t, exists, ok)
	require.Equal(t, want, plainEntry{string(val), due})
}

// checkIndex compares the timer index on disk with the data.
func checkIndex(t require.TestingT, s *Store, id int32, data map[string]plainEntry) {
	want := map[string]int64{}
	for k, e := range data {
		if e.due != 0 {
			want[k] = e.due
		}
	}
	got := map[string]int64{}
	require.NoError(t, s.iterate(appendSpace(nil, spaceTimer, id), spaceEnd(spaceTimer, id), func(k, _ []byte) (bool, error) {
		due, key, err := splitTimer(k)
		got[string(key)] = due
		return true, err
	}))
	require.Equal(t, want, got)
}

// TestAgainstPlain runs random transactions, timers, aborts, evictions,
// restores and restarts against maps that do the same the plain way.
func TestAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{t: t, disk: vfs.NewMem(), tables: map[int32]*Table{}, plain: map[int32]*plain{}}
		m.hot = rapid.SampledFrom([]int64{1 << 10, 4 << 10, 1 << 20}).Draw(t, "hot")
		for p := range int32(testPartitions) {
			m.plain[p] = newPlain()
		}
		m.store = openTest(t, m.disk, Observer{}, smallTuning, m.hot)
		closed := false
		defer func() { // a walk may be given up half way
			if !closed {
				_ = m.store.Close()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"put": m.put, "put2": m.put, "alter": m.alter, "get": m.get, "get2": m.get,
			"fire": m.fire, "fire2": m.fire, "commit": m.commitSome, "commit2": m.commitSome, "abort": m.abort,
			"close": m.closeTable, "restore": m.restore, "drop": m.drop, "flush": m.flush, "reopen": m.reopen,
			"": m.check,
		})
		closed = true
		require.NoError(t, m.store.Close())
		require.Zero(t, openTables(m.tables), "memory is given back")
	})
}

// openTables closes the tables and returns what they still hold of the budget.
func openTables(tables map[int32]*Table) int64 {
	var held int64
	for _, tab := range tables {
		tab.Close()
		held = tab.hot.budget.used.Load()
	}
	return held
}
