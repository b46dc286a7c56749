package state

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// history is what each partition was after each batch.
type history [][]*plain

func (h history) record(now map[int32]*plain) history {
	var states []*plain
	for p := range int32(testPartitions) {
		states = append(states, &plain{committed: now[p].committed, position: now[p].position})
	}
	return append(h, states)
}

// TestCrash commits at random and takes the disk away at random moments, some
// of them in the middle of a flush. What is recovered must be the state after
// one of the batches, in all partitions the same one.
func TestCrash(t *testing.T) {
	const batches = 120
	rng := rand.New(rand.NewPCG(1, 2))
	disk := vfs.NewCrashableMem()
	s := openTest(t, disk, Observer{}, smallTuning, 256<<10)
	now := map[int32]*plain{}
	tables := map[int32]*Table{}
	for p := range int32(testPartitions) {
		now[p] = newPlain()
		tab, err := s.Table(p)
		require.NoError(t, err)
		tables[p] = tab
	}
	past := history(nil).record(now)
	recovered := map[int]bool{}
	for i := 1; i <= batches; i++ {
		b := s.NewBatch()
		for p := range int32(testPartitions) {
			for range 8 {
				key, val, due := fmt.Sprintf("c%03d", rng.IntN(300)), []byte(strings.Repeat("v", rng.IntN(4096))), rng.Int64N(1000)
				if rng.IntN(6) == 0 {
					val = nil
				}
				require.NoError(t, tables[p].Put([]byte(key), val, due))
				now[p].put(key, val, due)
			}
			position := binary.BigEndian.AppendUint32(nil, uint32(i))
			b.AddTable(tables[p], position)
			now[p].commit(position)
		}
		require.NoError(t, b.Commit())
		past = past.record(now)
		if i%30 == 0 {
			require.NoError(t, s.Flush())
		}
		if rng.IntN(3) == 0 || i%30 == 0 {
			clone := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
			at := checkRecovered(t, clone, past)
			recovered[at] = true
			if i%30 == 0 {
				require.Equal(t, i, at, "flushed")
			}
		}
	}
	require.NoError(t, s.Close())
	require.Equal(t, batches, checkRecovered(t, disk.CrashClone(vfs.CrashCloneCfg{}), past), "a graceful stop loses nothing")
	require.Greater(t, len(recovered), 4, "the crashes met different states")
}

// checkRecovered opens a disk after a crash, finds which batch it ends with and
// compares everything with what was then.
func checkRecovered(t *testing.T, disk vfs.FS, past history) int {
	s := openTest(t, disk, Observer{}, smallTuning, 256<<10)
	defer func() { require.NoError(t, s.Close()) }()
	position, ok, err := s.Position(0)
	require.NoError(t, err)
	at := 0
	if ok {
		at = int(binary.BigEndian.Uint32(position))
	}
	for p := range int32(testPartitions) {
		checkCommitted(t, s, p, past[at][p])
		tab, err := s.Table(p)
		require.NoError(t, err)
		require.Equal(t, len(past[at][p].committed), tab.Len())
		drainTimers(t, tab, &plain{present: maps.Clone(past[at][p].committed), changed: map[string]bool{}})
		tab.Close()
	}
	return at
}

// drainTimers takes all timers in their order.
func drainTimers(t require.TestingT, tab *Table, p *plain) {
	const never = 1 << 40
	for {
		wantKey, wantDue, want := p.nextDue()
		key, due, ok, err := tab.NextDue(never)
		require.NoError(t, err)
		require.Equal(t, want, ok)
		if !ok {
			return
		}
		require.Equal(t, wantKey, string(key))
		require.Equal(t, wantDue, due)
		require.NoError(t, tab.Put(key, nil, 0))
		p.put(wantKey, nil, 0)
	}
}
