package state

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"
)

var durabilities = []string{Changelog, WAL, Sync}

// crasher keeps copies of a disk as a crash would leave it, taken between two
// operations on its files: in the middle of a commit, a flush, a compaction.
type crasher struct {
	disk *vfs.MemFS
	most int // copies
	odds int // one operation in so many is a crash

	mu      sync.Mutex
	on      bool
	rng     *rand.Rand
	safe    int    // the moment that a crash may not go back behind
	doing   string // what the walk is at
	crashes []crash
}

type crash struct {
	disk  *vfs.MemFS
	safe  int
	doing string
}

func (c *crasher) MaybeError(op errorfs.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && c.rng.IntN(c.odds) == 0 {
		c.crash()
	}
	return nil
}

func (c *crasher) crash() {
	if len(c.crashes) < c.most {
		left := c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.rng.IntN(101), RNG: c.rng})
		c.crashes = append(c.crashes, crash{left, c.safe, c.doing})
	}
}

// locked runs fn while no copy is taken.
func (c *crasher) locked(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

func (c *crasher) String() string { return "crasher" }

// crashRun is one walk over a disk that crashes, and what it found.
type crashRun struct {
	durability string
	tuning     tuning
	rng        *rand.Rand

	clones, lost, torn int
	during             map[string]int // clones by what the walk was at
	first              string         // failure
}

const crashSteps = 40

// life opens the disk, works on it from a moment of the past and crashes; it
// checks all copies and returns one of them, with the past that it has.
func (r *crashRun) life(t require.TestingT, disk *vfs.MemFS, past []moment) (*vfs.MemFS, []moment) {
	c := &crasher{disk: disk, most: 30, odds: 12, rng: rand.New(rand.NewPCG(r.rng.Uint64(), 0)), safe: len(past) - 1}
	s := openMode(t, errorfs.Wrap(disk, c), r.durability, r.tuning)
	defer func() { _ = s.Close() }() // where the walk failed
	// Not before: while it opens, Pebble counts on the file system to keep the
	// order in which two files were created, which these copies do not.
	c.locked(func() { c.on = true })
	w := newWalk(t, s, r.rng, past)
	w.reached = func(flushed bool) {
		if flushed || r.durability == Sync {
			c.locked(func() { c.safe = len(w.past) - 1 })
		}
	}
	w.begins = func(what string) { c.locked(func() { c.doing = what }) }
	for range crashSteps {
		w.step()
		if r.rng.IntN(8) == 0 {
			c.locked(c.crash)
		}
	}
	w.closeTables()
	require.NoError(t, s.Close())
	c.locked(func() { c.on = false })
	// A graceful stop loses nothing.
	c.crashes = append(c.crashes, crash{disk.CrashClone(vfs.CrashCloneCfg{}), len(w.past) - 1, "nothing"})

	var next *vfs.MemFS
	var at int
	for _, crash := range c.crashes {
		r.clones++
		r.during[crash.doing]++
		i, failure := checkRecovered(crash.disk.CrashClone(vfs.CrashCloneCfg{}), r.durability, w.past)
		switch {
		case failure != "":
			r.torn++
		case i < crash.safe:
			r.lost++
			failure = fmt.Sprintf("it is what was after batch %d; %d was safe", i, crash.safe)
		}
		if failure != "" && r.first == "" {
			r.first = failure
		}
		if failure == "" && (next == nil || r.rng.IntN(3) == 0) {
			next, at = crash.disk, i
		}
	}
	if next == nil {
		return nil, nil
	}
	return next, w.past[: at+1 : at+1]
}

// run is a disk with three crashes, one after the other.
func (r *crashRun) run(t require.TestingT, seed uint64) {
	r.rng = rand.New(rand.NewPCG(seed, 7))
	if r.during == nil {
		r.during = map[string]int{}
	}
	disk, past := vfs.NewCrashableMem(), newPast()
	for range 3 {
		if disk, past = r.life(t, disk, past); disk == nil {
			return // not one copy could be opened
		}
	}
}

// clones is how many crashes are checked in each mode: "make simulate" asks for
// more than the tests do every time.
func clones(t *testing.T, usual int) int {
	text := os.Getenv("DANGOL_CLONES")
	switch {
	case text == "" && underRace:
		return usual / 10
	case text == "":
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "DANGOL_CLONES is the number of crashes in each mode")
	return n
}

// TestCrash commits, restores, drops and flushes at random and takes the disk
// away at random moments, several times over. What is recovered must be the state
// after one of the batches, in all partitions the same one: data, timers, counts
// and positions. It must have all that was flushed, and with durability sync all
// that was committed.
func TestCrash(t *testing.T) {
	want := clones(t, 60)
	for _, durability := range durabilities {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			r := &crashRun{durability: durability, tuning: smallTuning}
			seed := uint64(0)
			for ; r.clones < want && r.first == ""; seed++ {
				r.run(t, seed)
			}
			t.Logf("crashes %d, on %d disks, during %v: acknowledged and lost %d, not the state after a batch %d",
				r.clones, seed, r.during, r.lost, r.torn)
			require.Empty(t, r.first, "seed %d", seed-1)
			for _, what := range []string{"transaction", "flush", "restore", "drop"} {
				require.True(t, r.during[what] > 0 || underRace, what)
			}
		})
	}
}

// TestDurabilityChanges: what one durability has left another one recovers.
func TestDurabilityChanges(t *testing.T) {
	for _, from := range durabilities {
		k := newKilled(t, from, 17)
		for _, to := range durabilities {
			at, failure := checkRecovered(copyDisk(k.disk), to, k.past)
			require.Empty(t, failure)
			require.Equal(t, k.last, at, "%s to %s", from, to)
		}
		require.True(t, from != Sync || k.last == len(k.past)-1)
	}
}
