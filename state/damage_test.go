package state

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// killed is a disk as a killed process leaves it, with tables, logs that are not
// flushed and a long past; earlier is the same directory some time before.
type killed struct {
	durability    string
	disk, earlier *vfs.MemFS
	past          []moment
	last, at      int // in past: what a start finds on disk, and on earlier
}

func newKilled(t require.TestingT, durability string, seed uint64) killed {
	k := killed{durability: durability}
	disk := vfs.NewCrashableMem()
	s := openMode(t, disk, durability, smallTuning)
	w := newWalk(t, s, rand.New(rand.NewPCG(seed, 1)), newPast())
	steps := 60
	if underRace {
		steps = 15
	}
	for range steps {
		w.step()
	}
	k.earlier = copyDisk(disk)
	for range steps {
		w.step()
	}
	k.disk, k.past = copyDisk(disk), w.past
	w.closeTables()
	require.NoError(t, s.Close())
	for disk, at := range map[*vfs.MemFS]*int{k.disk: &k.last, k.earlier: &k.at} {
		i, failure := checkRecovered(copyDisk(disk), durability, k.past)
		require.Empty(t, failure)
		*at = i
	}
	return k
}

// copyDisk keeps what the process has written, synced or not.
func copyDisk(disk *vfs.MemFS) *vfs.MemFS {
	return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))})
}

func contents(t require.TestingT, disk vfs.FS, name string) []byte {
	f, err := disk.Open(disk.PathJoin(testDir, name))
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	return b
}

func overwrite(t require.TestingT, disk vfs.FS, name string, b []byte) {
	f, err := disk.Create(disk.PathJoin(testDir, name), vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, errors.Join(err, f.Sync(), f.Close(), syncDir(disk, testDir)))
}

// files lists the files of a kind: the letters that their names begin or end with.
func files(t require.TestingT, disk vfs.FS) map[string][]string {
	names, err := disk.List(testDir)
	require.NoError(t, err)
	slices.Sort(names)
	kinds := map[string][]string{}
	for _, name := range names {
		kind, _, _ := strings.Cut(name, "-")
		if _, ext, ok := strings.Cut(name, "."); ok && kind == name {
			kind = ext
		}
		if name != "LOCK" {
			kinds[kind] = append(kinds[kind], name)
		}
	}
	return kinds
}

// one draws a file, so that each kind is met as often.
func one(t require.TestingT, rng *rand.Rand, disk vfs.FS) (name string) {
	kinds := files(t, disk)
	all := slices.Sorted(maps.Keys(kinds))
	names := kinds[all[rng.IntN(len(all))]]
	return names[rng.IntN(len(names))]
}

// What may become of a damaged directory.
const (
	refused = "refused at the start"
	met     = "met by a reader"
	whole   = "nothing lost"
	prefix  = "an earlier state"
)

// outcome opens a directory that may be damaged and reads all of it. What is read
// is right, or the reader hears of the damage, and so does the next start.
func (k killed) outcome(t require.TestingT, disk vfs.FS, after func()) string {
	cfg := testConfig()
	cfg.Durability = k.durability
	s, err := open(cfg, disk, Observer{}, smallTuning)
	if err != nil {
		if !errors.Is(err, ErrForeign) { // the marker itself
			require.ErrorIs(t, err, ErrDamaged)
			_, err = open(cfg, disk, Observer{}, smallTuning)
			require.ErrorIs(t, err, ErrDamaged, "and again")
		}
		return refused
	}
	defer func() { _ = s.Close() }()
	s.budget.limit = 256 << 10
	after()
	var at int
	var differs string
	if failure := failureOf(func(t require.TestingT) { at, differs = findMoment(t, s, k.past) }); failure != "" {
		differs = failure
	}
	if s.damage.met() == nil {
		require.Empty(t, differs)
		if at == k.last {
			return whole
		}
		return prefix
	}
	if differs != "" {
		require.Contains(t, differs, ErrDamaged.Error(), "the reader hears of it")
	}
	b := s.NewBatch()
	b.SetPosition(clockPartition, []byte("none"))
	require.ErrorIs(t, b.Commit(), ErrDamaged)
	_ = s.Close()
	_, err = open(cfg, disk, Observer{}, smallTuning)
	require.ErrorIs(t, err, ErrDamaged, "the next start does not begin")
	return met
}

// TestDamage flips bits, cuts files short and takes them away, between two runs
// and while the store is open. Nothing wrong is ever served.
func TestDamage(t *testing.T) {
	harms := map[string]func(t require.TestingT, rng *rand.Rand, disk vfs.FS, name string){
		"a bit": func(t require.TestingT, rng *rand.Rand, disk vfs.FS, name string) {
			b := contents(t, disk, name)
			if len(b) > 0 {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			}
			overwrite(t, disk, name, b)
		},
		"zeroes": func(t require.TestingT, rng *rand.Rand, disk vfs.FS, name string) {
			b := contents(t, disk, name)
			from := rng.IntN(len(b) + 1)
			clear(b[from:min(len(b), from+512)])
			overwrite(t, disk, name, b)
		},
		"the end": func(t require.TestingT, rng *rand.Rand, disk vfs.FS, name string) {
			b := contents(t, disk, name)
			overwrite(t, disk, name, b[:rng.IntN(len(b)+1)])
		},
		"a file": func(t require.TestingT, _ *rand.Rand, disk vfs.FS, name string) {
			require.NoError(t, errors.Join(disk.Remove(disk.PathJoin(testDir, name)), syncDir(disk, testDir)))
		},
	}
	for _, durability := range durabilities {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			var k killed
			found := map[string]int{}
			for i := range clones(t, 120) {
				if i%60 == 0 {
					k = newKilled(t, durability, uint64(i))
				}
				rng := rand.New(rand.NewPCG(uint64(i), 2))
				what := slices.Sorted(maps.Keys(harms))[i%len(harms)]
				disk, running := copyDisk(k.disk), rng.IntN(3) == 0
				var name string
				harm := func() {
					for failure := "none yet"; failure != ""; { // a running store may just delete the file
						failure = failureOf(func(t require.TestingT) {
							name = one(t, rng, disk)
							harms[what](t, rng, disk, name)
						})
					}
				}
				if !running {
					harm()
				}
				failure := failureOf(func(t require.TestingT) {
					found[what+": "+k.outcome(t, disk, func() {
						if running {
							harm()
						}
					})]++
				})
				require.Empty(t, failure, "%d: %s of %s", i, what, name)
			}
			for _, key := range slices.Sorted(maps.Keys(found)) {
				t.Logf("%s: %d", key, found[key])
			}
		})
	}
}

// TestEarlierCopy: a directory that was put back as it was some time ago opens
// as that, and goes on.
func TestEarlierCopy(t *testing.T) {
	for _, durability := range durabilities {
		k := newKilled(t, durability, 99)
		require.Less(t, k.at, len(k.past)-1)
		for range 2 {
			at, failure := checkRecovered(k.earlier, durability, k.past)
			require.Empty(t, failure)
			require.Equal(t, k.at, at)
		}
		s := openMode(t, k.earlier, durability, smallTuning)
		w := newWalk(t, s, rand.New(rand.NewPCG(5, 5)), k.past[:k.at+1:k.at+1])
		for range 20 {
			w.step()
		}
		w.closeTables()
		require.NoError(t, s.Close())
		at, failure := checkRecovered(k.earlier, durability, w.past)
		require.Empty(t, failure)
		require.Equal(t, len(w.past)-1, at)
	}
}

// TestMixedCopy: files of an earlier copy among those of a later one.
func TestMixedCopy(t *testing.T) {
	for _, durability := range durabilities {
		found := map[string]int{}
		var k killed
		for seed := range uint64(clones(t, 20)) {
			rng := rand.New(rand.NewPCG(seed, 3))
			if seed%10 == 0 {
				k = newKilled(t, durability, seed)
			}
			disk := copyDisk(k.disk)
			for range 1 + rng.IntN(3) {
				name := one(t, rng, k.earlier)
				overwrite(t, disk, name, contents(t, k.earlier, name))
			}
			failure := failureOf(func(t require.TestingT) { found[k.outcome(t, disk, func() {})]++ })
			require.Empty(t, failure, fmt.Sprintf("%s, %d", durability, seed))
		}
		t.Logf("%s: %v", durability, found)
	}
}

// TestDamaged: bytes that this package did not write are found.
func TestDamaged(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Observer{}, smallTuning, 1<<10)
	defer func() { require.NoError(t, s.Close()) }()
	set := func(k []byte, v string) { require.NoError(t, s.db.Set(k, []byte(v), pebble.NoSync)) }
	set(appendData(nil, 0, []byte("a")), "\x00good")
	_, err := s.Table(0)
	require.ErrorIs(t, err, ErrDamaged, "a key that is not counted")
	require.ErrorContains(t, err, "open partition 0: it has 1 keys, its count says 0")
	require.Zero(t, s.budget.used.Load())
	set(appendSpace(nil, spaceCount, 1), "")
	_, err = s.Table(1)
	require.ErrorIs(t, err, ErrDamaged)
	set(appendData(nil, 2, []byte("a")), "")
	_, err = s.Table(2)
	require.ErrorIs(t, err, ErrDamaged)
	_, _, _, err = s.Get(2, []byte("a"), nil)
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorIs(t, s.Scan(2, nil, func(_, _ []byte, _ int64) error { return nil }), ErrDamaged)
	require.ErrorIs(t, s.ScanAfter(2, nil, nil, func(_, _ []byte, _ int64) error { return nil }), ErrDamaged)
	set(appendTimer(nil, 3, 1, nil), "")
	_, err = s.Table(3)
	require.ErrorIs(t, err, ErrDamaged)
	set([]byte{spacePosition, 1}, "")
	_, err = s.Partitions()
	require.ErrorIs(t, err, ErrDamaged)
}
